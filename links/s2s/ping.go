package s2s

import (
	"time"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/stream"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/links"
)

const (
	nsPing       = "urn:xmpp:ping"        // XEP-0199
	pingEvery    = 200 * time.Millisecond // at most, unless the flight fills up; what a loss leaves in doubt is what came since
	pingPatience = 10 * time.Second       // after which another is sent, and twice as long for each that gets no answer,
	pingMost     = 60 * time.Second       // to this: answers get lost with the stream that they would have taken
	letGoAfter   = 30 * time.Second       // ConfirmNone: a stream that lives on has delivered
	never        = time.Hour              // for timers with nothing to wait for
)

// ping is the question under way on a stream whose peer has no stream management. Its answer, result or error, from that peer on any
// proven stream says that the peer has read everything before it.
type ping struct {
	id   string
	upTo uint64 // token of the last stanza before it
	at   time.Time
	wait time.Duration // for its answer
	pair stream.Pair
}

// pingOrLetGo sees to the confirmation of what stream management does not track. It returns when to look again. Caller holds mu.
func (s *serverStream) pingOrLetGo(now time.Time) time.Time {
	since, any := s.flight.oldest()
	if !any {
		return now.Add(never)
	}
	f := s.flight
	last := f.lastUntracked()
	if p := s.link.table().peer(last.q.key.remote); p != nil && p.Confirm == ConfirmNone {
		n := f.confirm(f.next(), now.Add(-letGoAfter), links.ErrUnconfirmed)
		if s.filling() { // by number instead of age
			n += f.confirm(f.first+uint64(len(f.ring)-f.head)/2, time.Time{}, links.ErrUnconfirmed) //nolint:gosec // a length
		}
		if n > 0 {
			s.link.counters.Delivered.Add(uint64(n)) //nolint:gosec // a count
			s.unstick()
			return now
		}
		return since.Add(letGoAfter)
	}
	wait := pingEvery
	switch {
	case s.ping.id != "":
		wait = s.ping.wait
	case s.filling():
		wait = 0
	}
	if due := s.ping.at.Add(wait); now.Before(due) {
		return due
	}
	if !s.sendPing(now, last.q.key.pair()) {
		return now.Add(pingEvery)
	}
	return now.Add(s.ping.wait)
}

// lastUntracked returns the newest entry that a ping would confirm; there is one.
func (f *flight) lastUntracked() *sent {
	for t := f.next() - 1; t >= f.first; t-- {
		if e := f.find(t); e != nil && !e.tracked {
			return e
		}
	}
	return nil
}

func (s *serverStream) sendPing(now time.Time, pair stream.Pair) bool {
	id, err := s.link.newPingID()
	if err != nil {
		return false
	}
	attr := func(name, value string) xmlstream.Attr {
		return xmlstream.Attr{Name: xmlstream.Name{Local: name}, Value: value}
	}
	el := xmlstream.NewElement(xmlstream.Name{Space: xmlstream.NSServer, Local: "iq"},
		[]xmlstream.Attr{attr("from", pair.Local.String()), attr("id", id), attr("to", pair.Remote.String()), attr("type", "get")},
		xmlstream.ElementNode(xmlstream.NewElement(xmlstream.Name{Space: nsPing, Local: "ping"}, nil)))
	start := len(s.out)
	out, err := xmlstream.AppendElement(s.out, el, xmlstream.NSServer)
	if err != nil {
		return false
	}
	r := s.m.Send(now, stream.Item{Element: el, Bytes: len(out) - start, Pair: pair})
	if r.Verdict != stream.SendNow {
		return false
	}
	s.out = out
	wait := pingPatience
	if s.ping.id != "" {
		wait = min(2*s.ping.wait, pingMost)
	}
	s.link.expectPong(s.ping.id, id, s)
	s.ping = ping{id: id, upTo: s.flight.next() - 1, at: now, wait: wait, pair: pair}
	s.link.counters.Pings.Add(1)
	return true
}

// pong takes an answer to a ping, whichever stream it came in on.
func (l *Link) pong(st stanza.Stanza) {
	l.mu.RLock()
	s := l.pings[st.ID()]
	l.mu.RUnlock()
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ping.id != st.ID() || st.From() != s.ping.pair.Remote || st.To() != s.ping.pair.Local {
		return
	}
	upTo := s.ping.upTo
	l.expectPong(s.ping.id, "", nil)
	s.ping.id = ""
	l.counters.Delivered.Add(uint64(s.flight.confirm(upTo, time.Time{}, nil))) //nolint:gosec // a count
	s.unstick()
	if s.flight.untracked > 0 {
		s.wake()
	}
}

// expectPong replaces one awaited id by another; empty is none.
func (l *Link) expectPong(old, id string, s *serverStream) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if old != "" {
		delete(l.pings, old)
	}
	if id != "" {
		l.pings[id] = s
	}
}
