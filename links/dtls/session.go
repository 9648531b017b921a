package dtls

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"sallyport/links"
	"sallyport/links/x2x"
)

// errReplaced ends an association when the neighbour opened another.
var errReplaced = errors.New("dtls: a newer association of the same peer took its place")

// busyAgain is when a session that was not quiet at its time is looked at again.
const busyAgain = time.Second

// session is one association with a stream on each lane.
type session struct {
	link    *Link
	a       *Association
	strands []*strand
	until   time.Time // end of the window of time; zero: none
	wg      sync.WaitGroup
	last    atomic.Int64 // Unix nanoseconds of the last stanza, either way

	fed, said atomic.Uint64 // bytes of the streams, in and out
	noted     [2]uint64     // what was counted of overhead, in and out; under mu

	closing atomic.Bool // we end it in order
	mu      sync.Mutex
	ended   int        // strands
	why     error      // that we end it in order
	broken  *x2x.Event // the first strand's end that was not in order
}

func newSession(l *Link, a *Association, until time.Time) *session {
	s := &session{link: l, a: a, until: until}
	s.stanza(time.Now())
	p := l.profile
	p.KeepAlive, p.IdleClose = 0, 0 // the association's, and the session's
	marks := l.env.Custodian.Marks(l.cfg.Peer)
	for lane := range links.Lanes {
		cfg := x2x.StreamConfig{
			Mode: x2x.Custody, Opener: a.Opener(), Profile: p, Remote: l.cfg.Remote, Local: l.cfg.Local, Epoch: l.env.Custodian.Epoch(),
			Compression: l.cfg.Compression, Records: true, Usage: &l.usage,
			Marks: marks, // of all lanes: the neighbour takes a greeting for all that we hold
		}
		if i, ok := l.env.Custodian.(links.Issuer); ok {
			cfg.Issued = i.Issued
		}
		s.strands = append(s.strands, &strand{
			session: s, lane: lane, wakeup: make(chan struct{}, 1), roomy: make(chan struct{}, 1),
			stream: x2x.NewStream(cfg), flight: make(map[uint64]links.Consignment),
		})
	}
	return s
}

// run returns when the association has ended, with what was written and not confirmed, lane by lane in order.
func (s *session) run() (left []links.Consignment) {
	for _, st := range s.strands {
		st.mu.Lock()
		st.stream.Start(time.Now())
		st.mu.Unlock()
		s.wg.Go(st.write)
		s.wg.Go(st.read)
	}
	s.wg.Go(s.tend)
	s.wg.Wait()
	s.overhead(time.Now())
	for _, st := range s.strands {
		left = append(left, st.left...)
	}
	return left
}

// put gives a consignment to the strand of its lane. Caller holds Link.mu.
func (s *session) put(w waiting) {
	st := s.strands[w.Frame.Lane]
	st.qmu.Lock()
	st.queue = append(st.queue, w)
	st.qmu.Unlock()
	st.wake()
}

// unwritten takes what never left; its room is still taken. Caller holds Link.mu.
func (s *session) unwritten() (all []waiting) {
	for _, st := range s.strands {
		st.qmu.Lock()
		all = append(all, st.queue...)
		st.queue = nil
		st.qmu.Unlock()
	}
	return all
}

// stanza notes that there was one.
func (s *session) stanza(now time.Time) { s.last.Store(now.UnixNano()) }

// tend ends the session when its time is over, or for want of traffic: whoever opened does that.
func (s *session) tend() {
	window, stop := alarm(s.until)
	defer stop()
	idle := s.link.profile.IdleClose
	var look <-chan time.Time
	var timer *time.Timer
	if idle > 0 && s.a.Opener() {
		timer = time.NewTimer(idle)
		defer timer.Stop()
		look = timer.C
	}
	for {
		select {
		case <-s.a.ended:
			return
		case <-window:
			s.close(errWindow)
			return
		case now := <-look:
			last := time.Unix(0, s.last.Load())
			if now.Sub(last) >= idle && s.quiet() {
				s.close(errIdle)
				return
			}
			timer.Reset(max(last.Add(idle).Sub(now), busyAgain))
		}
	}
}

// overhead notes what the datagrams have beyond the streams: handshakes, headers, acknowledgements of SCTP, repetitions.
func (s *session) overhead(now time.Time) {
	in, out := s.a.Traffic()
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, all := range [2]uint64{in, out} {
		stream := [2]uint64{s.fed.Load(), s.said.Load()}[i]
		if all <= stream+s.noted[i] {
			continue
		}
		n := all - stream - s.noted[i]
		s.noted[i] += n
		s.link.usage.Add(now, links.Use{Inbound: i == 0, Lane: links.NoLane, Content: links.Overhead, Plain: n, Wire: n})
	}
}

// quiet reports that nothing waits for anything.
func (s *session) quiet() bool {
	for _, st := range s.strands {
		if !st.quiet() {
			return false
		}
	}
	return true
}

// close begins an end in order: every stream says its end, and the association follows when the peer has said its own.
func (s *session) close(why error) {
	s.mu.Lock()
	s.why = why
	s.mu.Unlock()
	s.closing.Store(true)
	if !errors.Is(why, errIdle) {
		s.link.tell(func() { s.link.turn = 0 })
	}
	for _, st := range s.strands {
		st.wake()
	}
}

// strandOver takes the end of a strand, whose last words are with SCTP. The last one ends the association, and so does one that broke.
func (s *session) strandOver(e *x2x.Event) {
	s.mu.Lock()
	s.ended++
	if !e.Clean && s.broken == nil {
		s.broken = e
	}
	all := s.ended == len(s.strands)
	s.mu.Unlock()
	ctx, stop := context.WithTimeout(s.link.ctx, lingerTime+2*s.link.profile.RoundTrip)
	defer stop()
	switch {
	case !e.Clean:
		_ = s.a.drain(ctx) // the peer is to know why
		s.a.stop(errors.New("dtls: stream of a lane ended: " + e.Detail))
	case all && s.closing.Load():
		_ = s.a.Close(ctx) // it is over either way
	case all:
		select { // whoever began ends it
		case <-s.a.ended:
		case <-ctx.Done():
			s.a.stop(errClean)
		}
	}
}

// outcome says whether the session ended in order, and why it ended. It is over.
func (s *session) outcome() (orderly bool, why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.broken != nil && s.broken.Detail != "":
		return false, s.broken.Detail
	case s.broken != nil || s.ended < len(s.strands):
		return false, s.a.Err().Error()
	case s.why != nil:
		return true, s.why.Error()
	}
	return true, errClean.Error()
}
