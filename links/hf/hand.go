package hf

import (
	"time"

	"sallyport/internal/xmpp/stanza"
	"sallyport/links"
	"sallyport/links/x2x"
	"sallyport/peering"
)

// hand gives what came in to the sink and the observers, in order. It may be held back there; the node's client stops reading then.
func (l *Link) hand() {
	for {
		l.mu.Lock()
		list := l.inbox
		l.inbox = nil
		close(l.taken)
		l.taken = make(chan struct{})
		l.mu.Unlock()
		for i := range list {
			if l.ctx.Err() != nil {
				return
			}
			l.handOne(&list[i])
		}
		if len(list) > 0 {
			continue
		}
		select {
		case <-l.arrivals:
		case <-l.ctx.Done():
			return
		}
	}
}

func (l *Link) handOne(e *event) {
	switch e.kind {
	case arrived:
		l.arrive(e)
	case greeted:
		l.env.Custodian.Greeted(l.cfg.Name, l.cfg.Peer, e.epoch, e.marks)
	case noticed:
		l.tell(func() {
			if e.word == NoticeRepeated {
				l.traffic.Repetitions++
			} else if e.word != NoticeSource {
				l.traffic.Refused++
			}
		})
		l.incident(x2x.Incident{Kind: e.word, Detail: e.detail, Bytes: e.bytes})
	case reported, failing: // go another way
	}
}

func (l *Link) arrive(e *event) {
	in := links.Inbound{
		Stanza: e.stanza, Malformed: e.malformed, Bytes: e.bytes, Link: l.cfg.Name, Side: l.cfg.Side, Peer: l.cfg.Peer,
		Proof: peering.Proof{Method: peering.SourceAddress}, Time: l.clock(), Receipt: l, Seq: e.seq, Also: e.also, Frame: e.frame,
		Domain: l.cfg.PeerDomain, LocalDomain: l.cfg.LocalDomain,
	}
	switch {
	case e.malformed == nil:
		in.Domain, in.LocalDomain = e.stanza.From().DomainJID(), e.stanza.To().DomainJID()
	case !e.malformed.From.IsZero():
		in.Domain = e.malformed.From.DomainJID()
		if !e.malformed.To.IsZero() && l.cfg.Local(e.malformed.To.DomainJID()) {
			in.LocalDomain = e.malformed.To.DomainJID()
		}
	}
	now := in.Time
	l.tell(func() { l.traffic.StanzasIn++ })
	l.usage.Add(now, links.Use{Inbound: true, Lane: l.laneOf(e.frame), Content: contentOf(e.stanza), Stanzas: 1})
	l.sink.Accept(l.ctx, in)
}

func (l *Link) laneOf(f links.Frame) int {
	if !f.Valid() {
		return links.NoLane
	}
	return int(f.Lane)
}

func contentOf(s stanza.Stanza) links.Content {
	if s.IsZero() {
		return links.Messages
	}
	return links.ContentOf(s.Element().Local(), s.Type().String())
}

// used notes a stanza that is to leave. Caller holds mu.
func (l *Link) used(now time.Time, c *links.Consignment, size int) {
	l.usage.Add(now, links.Use{
		Lane: l.laneOf(c.Frame), Content: contentOf(c.Released.Stanza()), Stanzas: 1, Plain: uint64(size), Wire: uint64(size), //nolint:gosec // a length
	})
}
