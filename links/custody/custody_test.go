package custody_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"sallyport/links"
	"sallyport/links/custody"
)

func frame(epoch uint64, lane uint8, number uint64) links.Frame {
	return links.Frame{Epoch: epoch, Lane: lane, Number: number}
}

// TestSenderVerdicts: what may be sent, lane by lane.
func TestSenderVerdicts(t *testing.T) {
	type send struct {
		f     links.Frame
		bytes int
		want  custody.Verdict
	}
	rows := []struct {
		name    string
		greeted []links.Mark
		sends   []send
	}{
		{"zero frame", nil, []send{{links.Frame{}, 1, custody.Refused}}},
		{"another epoch", nil, []send{{frame(8, 0, 1), 1, custody.Refused}}},
		{"lane beyond", nil, []send{{frame(7, links.Lanes, 1), 1, custody.Refused}}},
		{"gaps are usual", nil, []send{{frame(7, 0, 3), 1, custody.Transmit}, {frame(7, 0, 9), 1, custody.Transmit}}},
		{"going back", nil, []send{{frame(7, 0, 3), 1, custody.Transmit}, {frame(7, 0, 2), 1, custody.Refused}, {frame(7, 0, 3), 1, custody.Refused}}},
		{"lanes are apart", nil, []send{{frame(7, 0, 3), 1, custody.Transmit}, {frame(7, 1, 2), 1, custody.Transmit}}},
		{"full by items", nil, []send{{frame(7, 0, 1), 1, custody.Transmit}, {frame(7, 0, 2), 1, custody.Transmit}, {frame(7, 1, 3), 1, custody.Transmit}, {frame(7, 0, 4), 1, custody.Full}}},
		{"full by bytes", nil, []send{{frame(7, 0, 1), 60, custody.Transmit}, {frame(7, 0, 2), 60, custody.Full}}},
		{"one too large passes alone", nil, []send{{frame(7, 0, 1), 600, custody.Transmit}, {frame(7, 0, 2), 1, custody.Full}}},
		{"covered by the greeting", []links.Mark{{Epoch: 7, Number: 5}}, []send{{frame(7, 0, 5), 1, custody.Already}, {frame(7, 0, 6), 1, custody.Transmit}}},
		{"greeting of another epoch", []links.Mark{{Epoch: 6, Number: 5}, {Epoch: 7, Lane: 9, Number: 9}}, []send{{frame(7, 0, 5), 1, custody.Transmit}}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			s := custody.NewSender(7, custody.Window{Items: 3, Bytes: 100})
			s.Greeted(row.greeted, func(uint64) { t.Error("confirmed what was not sent") })
			for _, x := range row.sends {
				if got := s.Send(x.f, 1, x.bytes); got != x.want {
					t.Errorf("%+v: %v, want %v", x.f, got, x.want)
				}
			}
		})
	}
}

// TestSenderLost: cumulative confirmation, and everything else comes back in order, the highest lane first.
func TestSenderLost(t *testing.T) {
	s := custody.NewSender(7, custody.Window{Items: 100, Bytes: 1 << 20})
	for n := uint64(1); n <= 6; n++ {
		s.Send(frame(7, uint8(n%2), n), n, 10) //nolint:gosec // small
	}
	var done, back []uint64
	if err := s.Acked(links.Mark{Epoch: 7, Lane: 1, Number: 3}, func(n uint64) { done = append(done, n) }); err != nil {
		t.Fatal(err)
	}
	if first, ok := s.First(1); !ok || first != 5 {
		t.Errorf("first of lane 1: %d %v", first, ok)
	}
	for _, m := range []links.Mark{{Epoch: 7, Lane: 1, Number: 7}, {Epoch: 8, Lane: 1, Number: 5}, {Epoch: 7, Lane: 9, Number: 1}} {
		if err := s.Acked(m, func(uint64) { t.Error("confirmed") }); !errors.Is(err, custody.ErrNeverSent) {
			t.Errorf("%+v: %v", m, err)
		}
	}
	s.Lost(func(n uint64) { back = append(back, n) })
	if !slices.Equal(done, []uint64{1, 3}) || !slices.Equal(back, []uint64{5, 2, 4, 6}) {
		t.Errorf("confirmed %v, back %v", done, back)
	}
	if items, bytes := s.Unconfirmed(); items != 0 || bytes != 0 {
		t.Errorf("%d items, %d bytes left", items, bytes)
	}
	if v := s.Send(frame(7, 1, 3), 1, 1); v != custody.Already {
		t.Errorf("confirmed before the loss: %v", v)
	}
	if v := s.Send(frame(7, 1, 5), 1, 1); v != custody.Transmit {
		t.Errorf("sent again after the loss: %v", v)
	}
}

// TestCarried: receipts in any order, acknowledgements in lane order and never beyond what came.
func TestCarried(t *testing.T) {
	var c custody.Carried
	due := func(want ...uint64) {
		t.Helper()
		var got []uint64
		for _, m := range c.Due(nil) {
			got = append(got, m.Number)
		}
		if !slices.Equal(got, want) {
			t.Errorf("due %v, want %v", got, want)
		}
	}
	a, b, x := c.Arrived(frame(7, 0, 5)), c.Arrived(frame(7, 0, 6)), c.Arrived(frame(7, 3, 2))
	due()
	if c.Settled(b) {
		t.Error("6 is acknowledged before 5")
	}
	due()
	c.Settled(x)
	due(2)
	if !c.Settled(a) || c.Settled(a) || c.Settled(99) || c.Unsettled() != 0 {
		t.Error("receipts are counted wrongly")
	}
	due(6)
	due()
	c.Settled(c.Arrived(frame(7, 0, 4))) // a repetition is told again, at the height the carrier has reached
	due(6)
	var zero custody.Carried
	zero.Settled(1)
	if len(zero.Due(nil)) != 0 {
		t.Error("the zero value acknowledges")
	}
}

// TestReceiver: new, repetition, pending and foreign; tickets come back with the commit.
func TestReceiver(t *testing.T) {
	r := custody.NewReceiver([]links.Mark{{Epoch: 7, Lane: 0, Number: 4}})
	var settled []uint64
	settle := func(id uint64) { settled = append(settled, id) }
	steps := []struct {
		f    links.Frame
		id   uint64
		want custody.Decision
	}{
		{frame(8, 0, 9), 1, custody.Foreign},
		{links.Frame{}, 2, custody.Foreign},
		{frame(7, 0, 4), 3, custody.Repetition},
		{frame(7, 0, 5), 4, custody.New},
		{frame(7, 0, 5), 5, custody.Pending},
		{frame(7, 0, 7), 6, custody.New},
		{frame(7, 0, 6), 7, custody.Pending},
		{frame(7, 1, 4), 8, custody.New},
	}
	for _, x := range steps {
		if got := r.Take(x.f, x.id); got != x.want {
			t.Errorf("%+v: %v, want %v", x.f, got, x.want)
		}
	}
	if err := r.Committed(frame(7, 0, 7).Mark(), settle); !errors.Is(err, custody.ErrOrder) {
		t.Errorf("7 before 5: %v", err)
	}
	if err := r.Committed(frame(7, 2, 1).Mark(), settle); !errors.Is(err, custody.ErrNotInHand) {
		t.Errorf("never taken: %v", err)
	}
	if err := r.Committed(frame(7, 0, 5).Mark(), settle); err != nil || !slices.Equal(settled, []uint64{4, 5}) {
		t.Errorf("%v, settled %v", err, settled)
	}
	if err := r.Committed(frame(7, 0, 7).Mark(), settle); err != nil || !slices.Equal(settled, []uint64{4, 5, 6, 7}) {
		t.Errorf("%v, settled %v", err, settled)
	}
	var dropped []uint64
	r.Abandon(1, func(id uint64) { dropped = append(dropped, id) })
	if !slices.Equal(dropped, []uint64{8}) || r.InHand() != 0 || r.Take(frame(7, 1, 4), 9) != custody.New {
		t.Errorf("abandoned %v", dropped)
	}
	if fmt.Sprint(r.Marks()) != "[{7 0 7}]" {
		t.Errorf("marks %v", r.Marks())
	}
	if !r.Greeted(9) || r.Greeted(9) || r.Greeted(0) || r.Take(frame(7, 0, 8), 1) != custody.Foreign || r.Take(frame(9, 0, 1), 1) != custody.New {
		t.Error("another epoch")
	}
	var zero custody.Receiver
	if zero.Take(frame(1, 0, 1), 1) != custody.Foreign || zero.Greeted(1) {
		t.Error("the zero value takes, or calls the first epoch a fresh one")
	}
}
