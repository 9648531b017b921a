package stream_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"sallyport/internal/xmpp/stream"
)

func TestSettledInAnyOrder(t *testing.T) {
	s := stream.NewSession(stream.ManageConfig{})
	s.StartInbound()
	for want := uint64(1); want <= 6; want++ {
		if got := s.Arrived(); got != want {
			t.Fatalf("Seq %d, want %d", got, want)
		}
	}
	for _, step := range []struct {
		settle uint64
		h      uint32
	}{{2, 0}, {4, 0}, {1, 2}, {1, 2}, {3, 4}, {7, 4}, {0, 4}, {6, 4}, {5, 6}} {
		s.Settled(step.settle)
		if got := s.Handled(); got != step.h {
			t.Errorf("after settling %d: h=%d, want %d", step.settle, got, step.h)
		}
	}
	if n := s.Unsettled(); n != 0 {
		t.Errorf("%d unsettled", n)
	}
}

// What arrived before management began does not count, whenever it is settled.
func TestCountingStartsLater(t *testing.T) {
	s := stream.NewSession(stream.ManageConfig{})
	early := []uint64{s.Arrived(), s.Arrived()}
	s.StartInbound()
	late := s.Arrived()
	s.Settled(late)
	s.Settled(early[1])
	if h := s.Handled(); h != 0 {
		t.Errorf("h=%d while an early one is open", h)
	}
	s.Settled(early[0])
	if h := s.Handled(); h != 1 {
		t.Errorf("h=%d, want 1", h)
	}
}

func TestWindowBounds(t *testing.T) {
	for _, tc := range []struct {
		name  string
		cfg   stream.ManageConfig
		bytes int
		fits  int
	}{
		{"default stanzas", stream.ManageConfig{}, 10, 5_000},
		{"default bytes", stream.ManageConfig{}, 1 << 20, 4},
		{"own stanzas", stream.ManageConfig{MaxItems: 3}, 10, 3},
		{"own bytes", stream.ManageConfig{MaxBytes: 100}, 30, 3},
		{"one larger than all passes alone", stream.ManageConfig{MaxBytes: 100}, 500, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := stream.NewSession(tc.cfg)
			s.StartOutbound()
			n := 0
			for s.Sent(stream.Item{Bytes: tc.bytes, Token: uint64(n)}) {
				n++
			}
			if n != tc.fits || !s.Full(tc.bytes) {
				t.Fatalf("%d fit, want %d", n, tc.fits)
			}
			items, err := s.Acked(1)
			if err != nil || len(items) != 1 || items[0].Token != 0 || s.Full(tc.bytes) {
				t.Errorf("acknowledged %v, %v; full %v", items, err, s.Full(tc.bytes))
			}
			if got := s.TakeUnacked(); len(got) != n-1 {
				t.Errorf("%d left, want %d", len(got), n-1)
			}
			if items, bytes := s.Unacked(); items != 0 || bytes != 0 {
				t.Errorf("%d items, %d bytes after taking all", items, bytes)
			}
		})
	}
}

func TestAckedTooHigh(t *testing.T) {
	s := stream.NewSession(stream.ManageConfig{})
	s.StartOutbound()
	for i := range uint64(10) {
		s.Sent(stream.Item{Token: i})
	}
	var high *stream.TooHighError
	for _, h := range []uint32{11, 4294967295} {
		if _, err := s.Acked(h); !errors.As(err, &high) || high.H != h || high.Sent != 10 {
			t.Errorf("h=%d: %v", h, err)
		}
	}
	if items, err := s.Acked(10); err != nil || len(items) != 10 {
		t.Errorf("h=10: %v, %v", items, err)
	}
	if _, err := s.Acked(9); err == nil { // going back is the same as far too high
		t.Error("h=9 after 10 was accepted")
	}
}

// Looking at what waits changes neither it nor the counters, wherever in its ring it stands.
func TestUnackedItems(t *testing.T) {
	s := stream.NewSession(stream.ManageConfig{})
	s.StartOutbound()
	for i := range uint64(7) {
		s.Sent(stream.Item{Token: i})
		if i == 2 {
			if _, err := s.Acked(2); err != nil {
				t.Fatal(err)
			}
		}
	}
	for range 2 {
		if got := fmt.Sprint(tokens(s.UnackedItems())); got != "[2 3 4 5 6]" {
			t.Errorf("waiting %s", got)
		}
	}
	if items, err := s.Acked(7); err != nil || fmt.Sprint(tokens(items)) != "[2 3 4 5 6]" || len(s.UnackedItems()) > 0 {
		t.Errorf("acked %v, %v", tokens(items), err)
	}
}

// D17: both counters pass 2^32 in the middle of a session.
func TestD17Wrap(t *testing.T) {
	s := stream.NewSession(stream.ManageConfig{})
	s.StartOutbound()
	s.StartInbound()
	s.Skip(0xFFFFFFFD)
	var got []uint64
	for i := range uint64(8) {
		s.Sent(stream.Item{Token: i})
		s.Settled(s.Arrived())
		if want := uint32(0xFFFFFFFD + i + 1); s.Handled() != want {
			t.Errorf("h=%d, want %d", s.Handled(), want)
		}
		if i%3 == 2 {
			items, err := s.Acked(uint32(0xFFFFFFFD + i + 1))
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, tokens(items)...)
		}
	}
	acked, resend, dropped, err := s.Rewind(4, func(stream.Item) bool { return true })
	if err != nil || fmt.Sprint(append(got, tokens(acked)...)) != "[0 1 2 3 4 5 6]" || fmt.Sprint(tokens(resend)) != "[7]" || len(dropped) > 0 {
		t.Errorf("acked %v %v, resend %v, dropped %v, %v", got, acked, resend, dropped, err)
	}
}

func TestAckDue(t *testing.T) {
	s := stream.NewSession(stream.ManageConfig{AckEvery: 3})
	s.StartInbound()
	var due []bool
	for range 4 {
		due = append(due, s.Settled(s.Arrived()))
	}
	if fmt.Sprint(due) != "[false false true true]" {
		t.Errorf("due %v", due)
	}
}

func TestPark(t *testing.T) {
	w := managed(t, stream.ManageConfig{ResumeFor: time.Minute})
	w.lose()
	id := w.a.closed.Resume.ID()
	p := stream.NewPark(1)
	s := w.park.Take(w.now, id)
	if s == nil || w.park.Take(w.now, id) != nil {
		t.Fatal("not parked exactly once")
	}
	if !p.Put(w.now, s) || p.Len() != 1 || !p.Deadline().Equal(w.now.Add(time.Minute)) {
		t.Fatal("not parked")
	}
	if p.Put(w.now, s) || p.Put(w.now, nil) || p.Put(w.now, stream.NewSession(stream.ManageConfig{})) {
		t.Error("parked beyond the limit, or what cannot be resumed")
	}
	late := w.now.Add(time.Minute)
	if p.Find(late, id) != nil || p.Take(late, id) != nil || len(p.Expired(late)) != 1 || p.Len() != 0 || !p.Deadline().IsZero() {
		t.Error("expired session is still there")
	}
}
