package x2x

import "time"

// timers are the stream's memory of when.
type timers struct {
	lastIn     time.Time
	lastOut    time.Time
	lastStanza time.Time // either way
	ackDue     time.Time // an acknowledgement waits for company until then
	told       uint32    // of XEP-0198
	askDue     time.Time // the peer is asked for an acknowledgement then
	asked      time.Time // something that must be answered is on its way since
	held       time.Time // our own side holds the reading since
	probe      uint64    // number of the last one
	probed     time.Time // when that was, while its echo is awaited
	sinceAsk   int
	closeBy    time.Time
	idle       bool
}

// heldBeat is how often a word is said to the peer while our own side keeps us from reading.
const heldBeat = 10 * time.Second

// expectAnswer notes that something was written which the peer answers.
func (s *Stream) expectAnswer(now time.Time) {
	t := &s.timers
	switch s.cfg.Mode {
	case Plain:
		return
	case Managed:
		t.sinceAsk++
		if t.sinceAsk >= askEvery && t.asked.IsZero() {
			s.ask(now)
		} else if t.askDue.IsZero() {
			t.askDue = now.Add(max(s.cfg.Profile.Gather(), time.Millisecond))
		}
	case Custody:
		if t.asked.IsZero() {
			t.asked = now
		}
	}
}

// ask asks for an acknowledgement (XEP-0198).
func (s *Stream) ask(now time.Time) {
	s.manageWith(now, "r", 0)
	s.timers.asked, s.timers.askDue, s.timers.sinceAsk = now, time.Time{}, 0
}

// answered notes that the peer is there. What is answered at once measures the round trip: an echo, an acknowledgement that was asked
// for. Others wait for the peer's disk, and for company.
func (s *Stream) answered(now, since time.Time) {
	t := &s.timers
	if !since.IsZero() {
		s.quality.Observe(now.Sub(since))
	}
	t.asked = time.Time{}
	if n, _ := s.Unconfirmed(); n > 0 {
		switch s.cfg.Mode {
		case Plain:
		case Managed:
			switch {
			case !t.askDue.IsZero():
			case t.sinceAsk > 0:
				t.askDue = now.Add(max(s.cfg.Profile.Gather(), time.Millisecond))
			default: // it did not have everything, and need not say so by itself when it has (XEP-0198 §4)
				t.askDue = now.Add(s.cfg.Profile.AnswerTimeout(0))
			}
		case Custody:
			t.asked = now
		}
	}
}

// Busy says that our own side keeps us from reading since then: the peer's silence is ours. The zero time ends it.
func (s *Stream) Busy(since time.Time) { s.timers.held = since }

// Deadline is when Tick is wanted; zero is never.
func (s *Stream) Deadline() time.Time {
	if s.phase == closing {
		return s.timers.closeBy
	}
	if s.phase != running {
		return time.Time{}
	}
	var first time.Time
	for _, t := range []time.Time{s.timers.ackDue, s.timers.askDue, s.silentAt(), s.keepAliveAt(), s.idleAt(), s.oldAt()} {
		if !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	return first
}

// silentAt is when a peer that was asked and says nothing at all is given up.
func (s *Stream) silentAt() time.Time {
	t := &s.timers
	if t.asked.IsZero() || !t.held.IsZero() {
		return time.Time{}
	}
	_, bytes := s.Unconfirmed()
	since := t.asked
	if t.lastIn.After(since) {
		since = t.lastIn
	}
	return since.Add(s.cfg.Profile.AnswerTimeout(bytes))
}

func (s *Stream) keepAliveAt() time.Time {
	switch {
	case !s.timers.held.IsZero():
		return s.timers.lastOut.Add(heldBeat)
	case s.cfg.Profile.KeepAlive > 0 && s.timers.asked.IsZero():
		return s.timers.lastOut.Add(s.cfg.Profile.KeepAlive)
	}
	return time.Time{}
}

func (s *Stream) idleAt() time.Time {
	if !s.cfg.Opener || s.cfg.Profile.IdleClose <= 0 || s.Unsettled() > 0 {
		return time.Time{}
	}
	if n, _ := s.Unconfirmed(); n > 0 {
		return time.Time{}
	}
	return s.timers.lastStanza.Add(s.cfg.Profile.IdleClose)
}

func (s *Stream) oldAt() time.Time {
	if s.cfg.Mode != Plain || len(s.flight) == 0 {
		return time.Time{}
	}
	return s.flight[0].at.Add(s.cfg.Profile.AnswerTimeout(s.cfg.Window.Bytes))
}

// Tick does what is due.
func (s *Stream) Tick(now time.Time) {
	due := func(t time.Time) bool { return !t.IsZero() && !now.Before(t) }
	switch {
	case s.phase == closing && due(s.timers.closeBy):
		s.end(Event{Detail: "the peer does not end its side", Idle: s.timers.idle})
	case s.phase != running:
	case due(s.silentAt()):
		s.end(Event{Detail: "the peer is silent: no answer within " + now.Sub(s.timers.asked).Round(time.Second).String()})
	default:
		if due(s.timers.ackDue) {
			s.acknowledge(now)
		}
		if due(s.timers.askDue) {
			if n, _ := s.Unconfirmed(); n > 0 && s.timers.asked.IsZero() {
				s.ask(now)
			}
			s.timers.askDue = time.Time{}
		}
		s.confirmOld(now)
		switch {
		case due(s.idleAt()):
			s.close(now, true)
		case due(s.keepAliveAt()):
			s.keepAlive(now)
		}
	}
}

// keepAlive says something: where the peer answers, a question; else a blank (RFC 6120 §4.6.1).
func (s *Stream) keepAlive(now time.Time) {
	switch {
	case s.cfg.Mode == Custody && s.timers.held.IsZero():
		s.timers.probe++
		s.timers.asked, s.timers.probed = now, now
		s.xml(now, appendProbe(nil, "p", s.timers.probe))
	case s.cfg.Mode == Managed && s.timers.held.IsZero():
		s.ask(now)
	default:
		s.xml(now, []byte(" "))
	}
}

// flood counts requests in a minute.
type flood struct {
	begun time.Time
	n     int
}

func (f *flood) hit(now time.Time) bool {
	if now.Sub(f.begun) > time.Minute {
		f.begun, f.n = now, 0
	}
	f.n++
	return f.n > probeFlood
}
