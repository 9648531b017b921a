package dtls

import (
	"sallyport/links"
)

// Status is the link as an operator sees it.
func (l *Link) Status() links.Status {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := links.Status{
		Name: l.cfg.Name, Kind: "dtls", Peer: l.cfg.Peer, Side: l.cfg.Side, State: l.state, Since: l.since, Profile: l.profile, Traffic: l.traffic,
		Story: l.story.Tell(),
	}
	if l.state == links.Waiting {
		s.Retry = l.retry
	}
	s.Backlog.Stanzas, s.Backlog.Bytes = l.count, l.bytes
	if l.session == nil {
		return s
	}
	a := l.session.a
	s.Carrier = "DTLS 1.2 by certificate, " + opened(a)
	if a.known.peer != nil && a.known.peer.Shared != nil {
		s.Carrier = "DTLS 1.2 by shared key, " + opened(a)
	}
	s.Quality = a.Quality()
	s.Traffic.BytesIn, s.Traffic.BytesOut = a.Traffic()
	s.Backlog.UnconfirmedBytes = a.Unconfirmed()
	return s
}

func opened(a *Association) string {
	if a.Opener() {
		return "opened by us"
	}
	return "opened by the peer"
}
