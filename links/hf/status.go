package hf

import (
	"fmt"

	"sallyport/links"
)

// Status is the link as an operator sees it. It takes the lock for a moment.
func (l *Link) Status() links.Status {
	now := l.clock()
	l.mu.Lock()
	s := links.Status{
		Name: l.cfg.Name, Kind: "hf", Peer: l.cfg.Peer, Side: l.cfg.Side, State: l.state, Since: l.since, Profile: l.cfg.Profile, Traffic: l.traffic,
		Quality: l.quality, Backlog: l.line.backlog(), Story: l.story.Tell(), Fingerprint: l.cfg.Fingerprint(), Warnings: l.cfg.Warnings(),
	}
	switch l.state {
	case links.Waiting:
		s.Retry = l.retry
	case links.Up:
		s.Carrier = fmt.Sprintf("%v over SAP %v to %v, U_PDUs of %d bytes", l.cfg.Mode, l.cfg.SAP, l.cfg.Address, l.mtu)
		for _, x := range []struct {
			is   bool
			what string
		}{{l.silent, "silent by order"}, {l.mute, "the node may not transmit"}, {l.held, "the node takes no data"}} {
			if x.is {
				s.Carrier += "; " + x.what
			}
		}
	case links.Down, links.Connecting, links.Listening, links.Idle:
	}
	l.mu.Unlock()
	s.Usage = l.usage.Tell(now)
	return s
}
