package stream_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stream"
	"sallyport/internal/xmpp/xmlstream"
)

// The cast: a.example and a2.example are on the initiating side, b.example and b2.example on the responding one.
var (
	domA  = jid.MustParse("a.example")
	domA2 = jid.MustParse("a2.example")
	domB  = jid.MustParse("b.example")
	domB2 = jid.MustParse("b2.example")
	evil  = jid.MustParse("evil.example")
	epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
)

// names is a certificate that proves the domains in it.
type names []jid.JID

func (n names) Proves(d jid.JID) bool { return slices.Contains(n, d) }

// world is two machines, the wires between them and a clock that moves only when told.
type world struct {
	t    *testing.T
	now  time.Time
	a, b *side
	park *stream.Park
	// authority answers VerifyKey; nil asks the secret of the side that made the key.
	authority func(stream.VerifyKey) stream.Outcome
}

// side is the edge around one machine.
type side struct {
	w     *world
	name  string
	m     *stream.Machine
	dec   *xmlstream.Decoder
	other *side

	wire    []byte // written, not yet delivered to the other side
	sent    string // everything ever written
	facts   *stream.TLSFacts
	wantTLS bool
	noTLS   bool // the handshake fails
	keep    bool // arrivals are not settled by themselves
	cut     bool // nothing moves any more

	got     []stream.Arrival
	auth    []stream.Authorised
	reject  []stream.Rejected
	notes   []stream.Fact
	answers []stream.KeyAnswer
	acked   []uint64
	unsure  []uint64
	resumed int
	ready   *stream.Ready
	closed  *stream.Closed
}

func hosts(domains ...jid.JID) func(jid.JID) bool {
	return func(d jid.JID) bool { return slices.Contains(domains, d) }
}

func policyOf(p stream.Policy) func(_, _ jid.JID) stream.Policy {
	return func(_, _ jid.JID) stream.Policy { return p }
}

func seeded(n uint64) *rand.ChaCha8 {
	var seed [32]byte
	seed[0], seed[1] = byte(n), byte(n>>8)
	return rand.NewChaCha8(seed)
}

// setup describes both machines; zero parts are filled with sensible ones.
type setup struct {
	a, b       stream.Config
	certA      stream.Certificate // what b sees
	certB      stream.Certificate // what a sees
	direct     bool
	park       *stream.Park
	serial     uint64
	policyBoth stream.Policy
	now        time.Time
	swap       bool // b.example is the initiator
	authority  func(stream.VerifyKey) stream.Outcome
}

func newWorld(t *testing.T, s setup) *world {
	t.Helper()
	w := &world{t: t, now: epoch, park: s.park, authority: s.authority}
	if !s.now.IsZero() {
		w.now = s.now
	}
	if w.park == nil {
		w.park = stream.NewPark(100)
	}
	fill := func(c *stream.Config, local, remote jid.JID, hosted []jid.JID) {
		c.Local = local
		c.Remote = remote
		c.Rand = seeded(s.serial*2 + uint64(len(local.Domain())))
		if c.Secret.IsZero() {
			c.Secret = stream.NewSecret("secret of " + local.String())
		}
		if c.Hosted == nil {
			c.Hosted = hosts(hosted...)
		}
		if c.Policy == nil {
			c.Policy = policyOf(s.policyBoth)
		}
	}
	if s.swap {
		fill(&s.a, domB, domA, []jid.JID{domB, domB2})
		fill(&s.b, domA, jid.JID{}, []jid.JID{domA, domA2})
	} else {
		fill(&s.a, domA, domB, []jid.JID{domA, domA2})
		fill(&s.b, domB, jid.JID{}, []jid.JID{domB, domB2})
	}
	w.a = &side{w: w, name: "a", m: stream.NewInitiator(s.a), facts: &stream.TLSFacts{Version: 0x0304, Peer: s.certB}}
	w.b = &side{w: w, name: "b", m: stream.NewResponder(s.b), facts: &stream.TLSFacts{Version: 0x0304, Peer: s.certA}}
	w.a.other, w.b.other = w.b, w.a
	for _, x := range []*side{w.a, w.b} {
		x.dec = xmlstream.NewDecoder(xmlstream.Options{Limits: xmlstream.PreAuthLimits(), ContentNS: xmlstream.NSServer})
	}
	start := stream.Start{}
	if s.direct {
		start.TLS = w.b.facts
	}
	w.b.step(start)
	if s.direct {
		start.TLS = w.a.facts
	}
	w.a.step(start)
	w.run()
	return w
}

// step feeds one input and carries out the outputs.
func (s *side) step(in stream.Input) { s.do(s.m.Step(s.w.now, in)) }

func (s *side) do(outs []stream.Output) {
	for _, o := range outs {
		switch o := o.(type) {
		case stream.Write:
			s.write(o.Data)
		case stream.StartTLS:
			s.wantTLS = true
			s.secure()
		case stream.RestartDecoder:
			s.dec.Restart(o.Limits)
		case stream.SetLimits:
			s.dec.SetLimits(o.Limits)
		case stream.VerifyKey:
			s.verify(o)
		case stream.ResumeWanted:
			s.findSession(o.ID)
		case stream.Deliver:
			s.arrived(o.Arrival)
		default:
			s.note(o)
		}
	}
}

func (s *side) note(o stream.Output) {
	switch o := o.(type) {
	case stream.Ready:
		if s.ready != nil {
			s.w.t.Errorf("%s: Ready twice", s.name)
		}
		s.ready = &o
	case stream.Authorised:
		s.auth = append(s.auth, o)
	case stream.Rejected:
		s.reject = append(s.reject, o)
	case stream.Fact:
		s.notes = append(s.notes, o)
	case stream.KeyAnswer:
		s.answers = append(s.answers, o)
	case stream.Acked:
		s.acked = append(s.acked, tokens(o.Items)...)
	case stream.Unconfirmed:
		s.unsure = append(s.unsure, tokens(o.Items)...)
	case stream.Resumed:
		s.resumed++
	case stream.SessionReturned:
		s.w.park.Put(s.w.now, o.Session)
	case stream.Closed:
		if s.closed != nil {
			s.w.t.Errorf("%s: Closed twice", s.name)
		}
		s.closed = &o
		s.unsure = append(s.unsure, tokens(o.Unconfirmed)...)
		if o.Resume != nil && s.name == "b" {
			s.w.park.Put(s.w.now, o.Resume)
		}
	default:
		s.w.t.Errorf("%s: unknown output %T", s.name, o)
	}
}

func tokens(items []stream.Item) []uint64 {
	var list []uint64
	for _, it := range items {
		list = append(list, it.Token)
	}
	return list
}

func (s *side) write(data []byte) {
	s.sent += string(data)
	if !s.cut {
		s.wire = append(s.wire, data...)
	}
}

// secure ends the handshake when both sides came to it. Clear bytes on the wire are flushed first, as on a socket.
func (s *side) secure() {
	if !s.wantTLS || !s.other.wantTLS {
		return
	}
	for _, x := range []*side{s.w.b, s.w.a} {
		x.wantTLS = false
		if x.noTLS || x.other.noTLS {
			x.step(stream.SecureFailed{Cause: "handshake failed"})
			continue
		}
		x.step(stream.Secured{TLS: *x.facts})
	}
}

func (s *side) verify(o stream.VerifyKey) {
	outcome := stream.KeyInvalid
	switch {
	case s.w.authority != nil:
		outcome = s.w.authority(o)
	case stream.NewSecret("secret of "+s.other.home().String()).Check(o.Key, o.Local, o.Remote, o.ID):
		outcome = stream.KeyValid
	}
	if outcome != neverAnswer {
		s.step(stream.Verified{Local: o.Local, Remote: o.Remote, ID: o.ID, Outcome: outcome})
	}
}

const neverAnswer = stream.Outcome(99)

func (s *side) home() jid.JID {
	if s.name == "a" {
		return domA
	}
	return domB
}

func (s *side) findSession(id string) {
	found := s.w.park.Find(s.w.now, id)
	if s.m.MayResume(found) {
		s.w.park.Take(s.w.now, id)
	} else {
		found = nil
	}
	s.step(stream.SessionFound{ID: id, Session: found})
}

func (s *side) arrived(a stream.Arrival) {
	s.got = append(s.got, a)
	if !s.keep && a.Session.Settled(a.Seq) {
		s.step(stream.AckDue{})
	}
}

// run moves bytes until nothing moves any more.
func (w *world) run() {
	w.t.Helper()
	for range 10_000 {
		if !w.a.move() && !w.b.move() {
			return
		}
	}
	w.t.Fatal("the machines never come to rest")
}

// move takes what the other side wrote and reads one event.
func (s *side) move() bool {
	if s.m == nil || s.closed != nil || s.cut {
		return false
	}
	moved := len(s.other.wire) > 0
	_, _ = s.dec.Write(s.other.wire)
	s.other.wire = s.other.wire[:0]
	ev, err := s.dec.Next()
	var bad *xmlstream.Error
	switch {
	case err == nil:
		s.event(ev)
		return true
	case errors.As(err, &bad):
		s.step(stream.Malformed{Err: bad})
		return true
	}
	return moved
}

func (s *side) event(ev xmlstream.Event) {
	if ev.Kind == xmlstream.ElementEvent {
		if a, ok := s.m.Receive(s.w.now, ev.Element, ev.Bytes); ok {
			s.arrived(a)
			return
		}
	}
	s.step(stream.Received{Event: ev, Buffered: s.dec.Buffered()})
}

// advance lets time pass, with every tick that the machines ask for on the way.
func (w *world) advance(d time.Duration) {
	w.t.Helper()
	end := w.now.Add(d)
	for range 100_000 {
		var due *side
		at := end
		for _, s := range []*side{w.a, w.b} {
			if s.m == nil || s.closed != nil {
				continue
			}
			if dl := s.m.Deadline(); !dl.IsZero() && !dl.After(at) {
				due, at = s, dl
			}
		}
		if due == nil {
			w.now = end
			return
		}
		if at.After(w.now) {
			w.now = at
		}
		due.step(stream.Tick{})
		w.run()
	}
	w.t.Fatal("ticks without end")
}

// lose cuts the connection: bytes under way are gone.
func (w *world) lose() {
	for _, s := range []*side{w.a, w.b} {
		s.cut, s.wire = true, nil
	}
	for _, s := range []*side{w.a, w.b} {
		if s.m != nil && s.closed == nil {
			s.step(stream.Lost{Cause: "connection reset"})
		}
	}
}

// inject puts raw bytes on the wire as if s had written them.
func (s *side) inject(raw string) {
	s.wire = append(s.wire, raw...)
	s.w.run()
}
