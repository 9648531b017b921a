package rcop_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sallyport/s5066"
	"sallyport/s5066/rcop"
)

var (
	start = time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	peer  = s5066.Unicast(0x1020304)
)

func prefixed(uint16) rcop.End { return rcop.Prefixed() }

func lone(uint16) rcop.End { return rcop.Lone() }

// TestVectors: the headers inside the vectors of Annex A that an independent dissector reads.
func TestVectors(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		hex  string
		want rcop.Header
	}{
		{"100700008001", rcop.Header{Connection: 1, ID: 7, App: 0x8001}},
		{"100700001002", rcop.Header{Connection: 1, ID: 7, App: 0x1002}},
		{"f0ff0102ffff", rcop.Header{Connection: 15, ID: 255, Segment: 0x102, App: 0xFFFF}},
	} {
		wire, _ := hex.DecodeString(row.hex)
		got, rest, err := rcop.ParseHeader(append(wire, "app"...))
		if err != nil || got != row.want || string(rest) != "app" {
			t.Errorf("%s: %+v, %q, %v", row.hex, got, rest, err)
		}
		if again, err := rcop.AppendHeader(nil, got); err != nil || !bytes.Equal(again, wire) {
			t.Errorf("%s: wrote % x (%v)", row.hex, again, err)
		}
		for n := range wire {
			if _, _, err := rcop.ParseHeader(wire[:n]); !errors.Is(err, rcop.ErrHeader) {
				t.Errorf("%s cut to %d: %v", row.hex, n, err)
			}
		}
	}
	if _, err := rcop.AppendHeader(nil, rcop.Header{Connection: 16}); !errors.Is(err, rcop.ErrHeader) {
		t.Errorf("connection 16: %v", err)
	}
}

func TestSplit(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name      string
		bytes     int
		mtu, want int
	}{
		{"nothing", 0, 2048, 1},
		{"just one", 2042, 2048, 1},
		{"one byte more", 2043, 2048, 2},
		{"a byte each", 5, 7, 5},
		{"no room", 1, 6, 0},
		{"too many", 65537, 7, 0},
	} {
		list, err := rcop.Split(rcop.Header{ID: 9}, make([]byte, row.bytes), row.mtu)
		if len(list) != row.want || (err == nil) != (row.want > 0) {
			t.Errorf("%s: %d segments, %v", row.name, len(list), err)
		}
		for i, updu := range list {
			if h, _, _ := rcop.ParseHeader(updu); len(updu) > row.mtu || int(h.Segment) != i {
				t.Errorf("%s: segment %d has number %d and %d bytes", row.name, i, h.Segment, len(updu))
			}
		}
	}
}

// TestReassembly: segments in any order, some of them twice, messages mixed, senders apart.
func TestReassembly(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		type piece struct {
			from s5066.Address
			updu []byte
		}
		r := rcop.NewReassembler(rcop.Limits{}, prefixed)
		want := map[s5066.Address][]byte{}
		var air []piece
		for i := range rapid.IntRange(1, 4).Draw(t, "messages") {
			from := s5066.Unicast(uint32(i))
			want[from] = rapid.SliceOfN(rapid.Byte(), 0, 50).Draw(t, "data")
			list, err := rcop.Split(rcop.Header{ID: 7, App: 0x8001}, rcop.AppendPrefixed(nil, want[from]), 16)
			if err != nil {
				t.Fatal(err)
			}
			for _, updu := range list {
				air = append(air, piece{from, updu})
			}
		}
		for _, p := range rapid.Permutation(air).Draw(t, "order") {
			m, done, err := r.Add(start, p.from, 6, p.updu)
			if err != nil {
				t.Fatal(err)
			}
			if !done {
				if _, again, _ := r.Add(start, p.from, 6, p.updu); again {
					t.Fatal("a segment twice completed a message")
				}
				continue
			}
			if data := rcop.StripPrefix(m.Data); !bytes.Equal(data, want[p.from]) || m.Repeated || m.App != 0x8001 || m.Source != p.from {
				t.Fatalf("got % x, want % x (%+v)", data, want[p.from], m)
			}
			delete(want, p.from)
		}
		if len(want) > 0 || len(r.Dropped()) > 0 {
			t.Fatalf("%d messages are missing", len(want))
		}
	})
}

func add(t *testing.T, r *rcop.Reassembler, at time.Time, h rcop.Header, data string) (rcop.Message, bool) {
	t.Helper()
	b, err := rcop.AppendHeader(nil, h)
	if err != nil {
		t.Fatal(err)
	}
	m, done, err := r.Add(at, peer, 6, append(b, data...))
	if err != nil {
		t.Fatal(err)
	}
	return m, done
}

func TestRepetitions(t *testing.T) {
	t.Parallel()
	r := rcop.NewReassembler(rcop.Limits{}, lone)
	for _, row := range []struct {
		name     string
		h        rcop.Header
		data     string
		after    time.Duration
		repeated bool
	}{
		{"the first", rcop.Header{ID: 1}, "ok", 0, false},
		{"the same again", rcop.Header{ID: 1}, "ok", time.Hour, true},
		{"with another application, which takes no part", rcop.Header{ID: 1, App: 1}, "ok", time.Hour, true},
		{"the same words under another number", rcop.Header{ID: 2}, "ok", time.Hour, false},
		{"the number of a sender started anew", rcop.Header{ID: 1}, "hello", time.Hour, false},
		{"another connection", rcop.Header{ID: 1, Connection: 1}, "ok", time.Hour, false},
		{"a day after the last", rcop.Header{ID: 1}, "ok", 27 * time.Hour, false},
	} {
		m, done := add(t, r, start.Add(row.after), row.h, row.data)
		if !done || m.Repeated != row.repeated {
			t.Errorf("%s: done %v, repeated %v", row.name, done, m.Repeated)
		}
	}
	for id := range 256 { // the number comes round
		if m, _ := add(t, r, start, rcop.Header{ID: uint8(id), Connection: 2}, "ok"); m.Repeated {
			t.Errorf("message %d is a repetition", id)
		}
	}
	if m, _ := add(t, r, start, rcop.Header{ID: 0, Connection: 2}, "ok"); m.Repeated {
		t.Error("256 messages later the number is still taken")
	}
	if m, _ := add(t, r, start, rcop.Header{ID: 200, Connection: 2}, "ok"); !m.Repeated {
		t.Error("57 messages later a repetition is not known as one")
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		limits rcop.Limits
		feed   func(r *rcop.Reassembler)
		cause  error
		drops  int
	}{
		{"larger than allowed", rcop.Limits{Message: 10}, func(r *rcop.Reassembler) {
			add(t, r, start, rcop.Header{}, "\x00\x00\x00\xFF1234567")
		}, rcop.ErrTooLarge, 1},
		{"too many", rcop.Limits{Partial: 3}, func(r *rcop.Reassembler) {
			for id := range 5 {
				add(t, r, start.Add(time.Duration(id)), rcop.Header{ID: uint8(id), Segment: 9}, "x")
			}
		}, rcop.ErrCrowded, 2},
		{"too many bytes", rcop.Limits{Bytes: 3 * 74}, func(r *rcop.Reassembler) {
			for i := range 4 {
				add(t, r, start, rcop.Header{ID: uint8(i), Segment: 9}, "0123456789")
			}
		}, rcop.ErrCrowded, 1},
		{"the rest does not come", rcop.Limits{Age: time.Minute}, func(r *rcop.Reassembler) {
			add(t, r, start, rcop.Header{}, "\x00\x00\x00\xFF1")
			at, _ := r.Deadline()
			r.Tick(at.Add(-1))
			r.Tick(at)
		}, rcop.ErrStale, 1},
		{"another begins", rcop.Limits{}, func(r *rcop.Reassembler) {
			add(t, r, start, rcop.Header{}, "\x00\x00\x00\x021")
			if m, done := add(t, r, start, rcop.Header{}, "\x00\x00\x00\x01A"); !done || string(m.Data[4:]) != "A" {
				t.Errorf("the other message is %+v", m)
			}
		}, rcop.ErrReplaced, 1},
		{"longer than it says", rcop.Limits{}, func(r *rcop.Reassembler) {
			add(t, r, start, rcop.Header{}, "\x00\x00\x00\x0112")
		}, rcop.ErrPrefix, 1},
	} {
		r := rcop.NewReassembler(row.limits, prefixed)
		row.feed(r)
		list := r.Dropped()
		if len(list) != row.drops {
			t.Errorf("%s: %d dropped, want %d", row.name, len(list), row.drops)
		}
		for _, d := range list {
			if !errors.Is(d.Cause, row.cause) {
				t.Errorf("%s: %v, want %v", row.name, d.Cause, row.cause)
			}
		}
	}
}

func TestWindow(t *testing.T) {
	t.Parallel()
	w := rcop.NewWindow(250)
	for i := range rcop.WindowSize {
		if id, err := w.Next(); err != nil || id != uint8(250+i) {
			t.Fatalf("number %d is %d (%v)", i, id, err)
		}
	}
	if _, err := w.Next(); !errors.Is(err, rcop.ErrWindow) {
		t.Errorf("one more: %v", err)
	}
	w.Done(251) // not the oldest
	if _, err := w.Next(); !errors.Is(err, rcop.ErrWindow) || w.Open() != 128 {
		t.Errorf("with the oldest under way: %v", err)
	}
	w.Done(250)
	if id, err := w.Next(); err != nil || id != 122 || w.Open() != 127 {
		t.Errorf("after the two oldest: %d, %v, open %d", id, err, w.Open())
	}
	w.Done(99) // nothing of the kind is under way any more
	w.Done(99)
}

func FuzzReassembler(f *testing.F) {
	f.Add([]byte("\x0b\x10\x07\x00\x00\x80\x01\x00\x00\x00\x01A"))
	f.Add([]byte("\x08\x10\x07\x00\x01\x80\x01xy\x0a\x10\x07\x00\x00\x80\x01\x00\x00\x00\x02"))
	f.Fuzz(func(t *testing.T, in []byte) {
		limits := rcop.Limits{Message: 64, Partial: 4, Bytes: 600, Age: 10 * time.Second, Senders: 2}
		r := rcop.NewReassembler(limits, prefixed)
		now := start
		for len(in) > 0 {
			n := min(int(in[0])+1, len(in))
			m, done, err := r.Add(now, peer, s5066.SAP(n&1), in[1:n])
			if done && (err != nil || len(m.Data) > limits.Message || len(m.Data) < 4) {
				t.Fatalf("%+v, %v", m, err)
			}
			in = in[n:]
			now = now.Add(time.Second)
		}
		for at, ok := r.Deadline(); ok; at, ok = r.Deadline() {
			r.Tick(at)
		}
	})
}

func TestSendersAreForgottenInTurn(t *testing.T) {
	t.Parallel()
	r := rcop.NewReassembler(rcop.Limits{Senders: 2}, lone)
	for i, row := range []struct {
		connection uint8
		repeated   bool
	}{{0, false}, {1, false}, {0, true}, {2, false}, {0, true}, {1, false}} { // 2 put 1 out, which was silent longest
		m, _ := add(t, r, start.Add(time.Duration(i)), rcop.Header{Connection: row.connection}, "ok")
		if m.Repeated != row.repeated {
			t.Errorf("message %d: repeated %v", i, m.Repeated)
		}
	}
}
