package stream_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stream"
	"sallyport/internal/xmpp/xmlstream"
)

// history is what both users of a link saw over all its streams.
type history struct {
	w       *world
	cfg     setup
	next    uint64
	sent    [2][]uint64 // by a, by b
	got     [2][]uint64 // at b, at a
	acked   [2][]uint64
	unsure  [2][]uint64
	open    []stream.Arrival // unsettled, either side
	owner   []int            // whose they are: 0 arrived at b, 1 at a
	forgets bool             // the park may have been emptied: stanzas may be unconfirmed
}

// Random sends, partial delivery, late receipts, losses and resumptions:
// nothing is lost, nothing is doubled, the order is kept.
func TestManageProperty(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		h := &history{cfg: managedSetup(stream.ManageConfig{MaxItems: 20, AskEvery: 4, AckEvery: 3, ResumeFor: 100 * time.Hour})}
		h.w = newWorld(t, h.cfg)
		h.attach()
		for range rapid.IntRange(1, 80).Draw(rt, "steps") {
			switch rapid.IntRange(0, 9).Draw(rt, "what") {
			case 0, 1, 2:
				h.send(0)
			case 3:
				h.send(1)
			case 4, 5:
				h.feed(rapid.IntRange(0, 1).Draw(rt, "side"), rapid.IntRange(1, 2_000).Draw(rt, "bytes"))
			case 6, 7:
				h.settle(rapid.IntRange(0, 100).Draw(rt, "receipt"))
			case 8:
				h.w.advance(time.Duration(rapid.IntRange(1, 3_000).Draw(rt, "ms")) * time.Millisecond)
			case 9:
				h.reconnect(rapid.IntRange(0, 3_000).Draw(rt, "bytes to b"), rapid.IntRange(0, 3_000).Draw(rt, "bytes to a"),
					rapid.IntRange(0, 9).Draw(rt, "forget") == 0)
			}
		}
		h.drain()
		h.check(rt)
	})
}

// attach keeps arrivals unsettled until settle.
func (h *history) attach() { h.w.a.keep, h.w.b.keep = true, true }

func (h *history) send(by int) {
	from, to, s := domA, domB, h.w.a
	if by == 1 {
		from, to, s = domB, domA, h.w.b
	}
	if s.closed == nil && s.send(from, to, h.next) == stream.SendNow {
		h.sent[by] = append(h.sent[by], h.next)
		h.next++
	}
	h.collect()
}

// feed moves some bytes to one side.
func (h *history) feed(to, n int) {
	s := h.w.b
	if to == 1 {
		s = h.w.a
	}
	if s.closed != nil {
		return
	}
	n = min(n, len(s.other.wire))
	_, _ = s.dec.Write(s.other.wire[:n])
	s.other.wire = slices.Delete(s.other.wire, 0, n)
	for s.closed == nil {
		ev, err := s.dec.Next()
		if err != nil {
			break
		}
		s.event(ev)
	}
	h.collect()
}

// collect takes over what the sides noted.
func (h *history) collect() {
	for i, s := range []*side{h.w.b, h.w.a} {
		for _, a := range s.got {
			h.got[i] = append(h.got[i], number(a.Stanza.ID()))
			h.open, h.owner = append(h.open, a), append(h.owner, i)
		}
		s.got = nil
	}
	for i, s := range []*side{h.w.a, h.w.b} {
		h.acked[i] = append(h.acked[i], s.acked...)
		h.unsure[i] = append(h.unsure[i], s.unsure...)
		s.acked, s.unsure = nil, nil
	}
}

func number(id string) uint64 {
	n := uint64(0)
	for _, c := range id {
		n = n*10 + uint64(c-'0')
	}
	return n
}

// settle gives one receipt, not always the oldest.
func (h *history) settle(which int) {
	if len(h.open) == 0 {
		return
	}
	i := which % len(h.open)
	a, owner := h.open[i], []*side{h.w.b, h.w.a}[h.owner[i]]
	h.open, h.owner = slices.Delete(h.open, i, i+1), slices.Delete(h.owner, i, i+1)
	if a.Session.Settled(a.Seq) && owner.closed == nil {
		owner.step(stream.AckDue{})
	}
	h.collect()
}

// reconnect loses the connection after some more bytes, and resumes.
func (h *history) reconnect(toB, toA int, forget bool) {
	h.feed(0, toB)
	h.feed(1, toA)
	h.w.lose()
	h.collect()
	old := h.w
	if forget {
		h.forget(old)
	}
	h.cfg.serial++
	s := h.cfg
	s.a.Resume, s.park, s.now = old.a.closed.Resume, old.park, old.now
	h.w = newWorld(old.t, s) // stops where a receipt is missing
	h.attach()
	h.collect()
	for h.w.a.ready == nil && len(h.open) > 0 {
		h.settle(0)
		h.w.run()
		h.collect()
	}
}

// forget: the responder lost its park, as after a restart.
func (h *history) forget(old *world) {
	for _, s := range old.park.Expired(old.now.Add(1000 * time.Hour)) {
		h.unsure[1] = append(h.unsure[1], tokens(s.TakeUnacked())...)
	}
	h.forgets = true
}

func (h *history) drain() {
	for range 50 {
		for len(h.open) > 0 {
			h.settle(0)
		}
		h.w.run()
		h.collect()
		h.w.advance(2 * time.Second)
		h.collect()
	}
}

func (h *history) check(t *rapid.T) {
	for i := range 2 {
		if !slices.IsSorted(h.got[i]) || len(slices.Compact(slices.Clone(h.got[i]))) != len(h.got[i]) {
			t.Fatalf("order or doubles: %v", h.got[i])
		}
		told := slices.Concat(h.acked[i], h.unsure[i])
		slices.Sort(told)
		if !slices.Equal(told, h.sent[i]) {
			t.Fatalf("sent %v, acknowledged %v, unconfirmed %v", h.sent[i], h.acked[i], h.unsure[i])
		}
		for _, n := range h.acked[i] {
			if !slices.Contains(h.got[i], n) {
				t.Fatalf("%d was acknowledged and never arrived", n)
			}
		}
		if !h.forgets && (len(h.unsure[i]) > 0 || !slices.Equal(h.got[i], h.sent[i])) {
			t.Fatalf("sent %v, arrived %v, unconfirmed %v", h.sent[i], h.got[i], h.unsure[i])
		}
	}
}

// The steady path allocates nothing: receive, settle, send, acknowledge.
func TestSteadyPathAllocates(t *testing.T) {
	w := managed(t, stream.ManageConfig{})
	e := message("x@a.example/r", "y@b.example/s", "id")
	if n := testing.AllocsPerRun(200, func() {
		a, ok := w.b.m.Receive(w.now, e, 200)
		if !ok {
			t.Fatal("not received")
		}
		a.Session.Settled(a.Seq)
		_ = w.b.m.ReadPaused()
	}); n > 0 {
		t.Errorf("%v allocations for a received stanza, budget 0", n)
	}
	item := stream.Item{Element: e, Bytes: 200, Pair: stream.Pair{Local: domA, Remote: domB}}
	s := w.a.m.Session()
	h := uint32(0)
	for range 64 {
		w.a.m.Send(w.now, item)
	}
	if n := testing.AllocsPerRun(200, func() {
		w.a.m.Send(w.now, item)
		_ = w.a.m.Deadline()
		h++
		if _, err := s.Acked(h); err != nil {
			t.Fatal(err)
		}
	}); n > 0 {
		t.Errorf("%v allocations for a sent stanza, budget 0", n)
	}
}

func BenchmarkReceive(b *testing.B) {
	m, e := steadyPair()
	b.ReportAllocs()
	for b.Loop() {
		a, _ := m.Receive(epoch, e, 200)
		a.Session.Settled(a.Seq)
	}
}

// steadyPair is a responder with one proven pair, and a message for it.
func steadyPair() (*stream.Machine, *xmlstream.Element) {
	m := stream.NewResponder(stream.Config{
		Local: domB, Rand: seeded(1), Secret: stream.NewSecret("s"), Hosted: hosts(domB),
		Policy: func(_, _ jid.JID) stream.Policy { return stream.Policy{Auth: stream.AllowCertificateDialback} },
	})
	m.Step(epoch, stream.Start{TLS: &stream.TLSFacts{Peer: names{domA}}})
	dec := xmlstream.NewDecoder(xmlstream.Options{ContentNS: xmlstream.NSServer})
	_, _ = dec.Write([]byte(helloFromA + `<db:result from='a.example' to='b.example'>k</db:result>`))
	for {
		ev, err := dec.Next()
		if err != nil {
			break
		}
		m.Step(epoch, stream.Received{Event: ev})
	}
	return m, message("x@a.example/r", "y@b.example/s", "id")
}
