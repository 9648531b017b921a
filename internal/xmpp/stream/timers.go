package stream

import (
	"time"

	"sallyport/internal/xmpp/stanza"
)

// timers holds the moments that matter; a zero time is off.
type timers struct {
	negotiate  time.Time // a pair must be proven by then
	handshake  time.Time // the TLS handshake must be done by then
	ending     time.Time // our close tag is said by then, settled or not
	closing    time.Time // the peer's close tag must be there by then
	managing   time.Time // the answer to enable or resume must be there by then
	lastIn     time.Time // something came from the peer
	lastOut    time.Time // something was written
	lastStanza time.Time // either way
	unasked    time.Time // oldest item sent after the last <r/>
	asked      time.Time // <r/> without answer
	sinceAsk   int       // items sent after the last <r/>
	flood      flood
}

func (t *timers) start(now time.Time, c Timing) {
	t.negotiate = now.Add(c.Negotiation)
	t.lastIn, t.lastOut, t.lastStanza = now, now, now
}

// flood counts <r/> per second: more than 1,000 in each of 10 seconds in a row is too much (D19).
type flood struct {
	second  time.Time
	count   int
	seconds int
}

const (
	floodRate    = 1_000
	floodSeconds = 10
)

// hit counts one request; true when the limit is passed.
func (f *flood) hit(now time.Time) bool {
	switch age := now.Sub(f.second); {
	case f.second.IsZero() || age >= 2*time.Second:
		*f = flood{second: now}
	case age >= time.Second:
		if f.count > floodRate {
			f.seconds++
		} else {
			f.seconds = 0
		}
		f.second, f.count = f.second.Add(time.Second), 0
	}
	f.count++
	return f.seconds >= floodSeconds-1 && f.count > floodRate
}

// Deadline is when the machine wants a Tick; zero: never.
func (m *Machine) Deadline() time.Time {
	if m.phase == phaseNew || m.phase == phaseClosed {
		return time.Time{}
	}
	t := &m.timers
	if m.phase == phaseClosing {
		return t.closing
	}
	var next time.Time
	earlier := func(at time.Time) {
		if !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	earlier(t.negotiate)
	earlier(t.handshake)
	earlier(t.managing)
	earlier(m.in.deadline())
	earlier(m.out.deadline())
	for i := range m.verifies {
		earlier(m.verifies[i].deadline)
	}
	if !m.ready {
		return next
	}
	earlier(m.askAt())
	earlier(m.deadAt())
	earlier(m.keepaliveAt(m.peer.idle))
	earlier(m.idleAt())
	return next
}

// idleAt is when the stream has carried nothing for so long that it is closed.
func (m *Machine) idleAt() time.Time {
	if n, _ := m.session.Unacked(); n > 0 || len(m.verifies) > 0 || m.out.asked() > 0 || m.in.asked() > 0 {
		return time.Time{}
	}
	return m.timers.lastStanza.Add(m.cfg.Timing.Idle)
}

// tick does all that is due.
func (m *Machine) tick() {
	due := func(at time.Time) bool { return !at.IsZero() && !m.now.Before(at) }
	t := &m.timers
	switch {
	case due(t.handshake):
		m.lost(TLSFailed, "handshake took too long")
		return
	case due(t.negotiate):
		m.streamError(stanza.StreamConnectionTimeout, "nothing proven in time", nil)
		return
	case due(t.managing):
		m.managingTimedOut()
		return
	}
	m.expireDialback()
	if !m.ready || m.phase == phaseClosing || m.phase == phaseClosed {
		return
	}
	switch {
	case due(m.deadAt()):
		m.lost(ConnLost, "no acknowledgement in time")
	case due(m.idleAt()):
		m.closeStream(Closed{Cause: Finished, Detail: "idle"})
	case due(m.askAt()):
		m.askAck()
	case due(m.keepaliveAt(m.peer.idle)):
		m.keepalive()
	}
}
