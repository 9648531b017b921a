package gateway

import (
	"strings"

	"go.uber.org/zap"

	"sallyport/gateway/audit"
	"sallyport/links/s2s"
	"sallyport/server/c2s"
)

// maxEvents is how many events of links may wait to be written down; beyond, they are
// counted and dropped, since a link must never wait for them.
const maxEvents = 1024

// observer is the gateway as its links see it.
type observer Gateway

var _ s2s.Observer = (*observer)(nil)

// Observe takes an event. It is called with locks of the link held and does not block.
func (o *observer) Observe(e s2s.Event) {
	select {
	case o.events <- e:
	default:
		o.counters.EventsLost.Add(1)
	}
}

// eventLoop writes events into the audit log, hostile ones at most once a minute for each
// source. It ends with the node, after the links.
func (g *Gateway) eventLoop() {
	for {
		select {
		case e := <-g.events:
			g.recordLinkEvent(&e)
		case <-g.ctx.Done(): // the links are closed: what they said last is there
			for {
				select {
				case e := <-g.events:
					g.recordLinkEvent(&e)
				default:
					return
				}
			}
		}
	}
}

// clientTrouble are the words of c2s for what somebody should look at; those for who comes and goes are records and no more.
var clientTrouble = map[string]bool{
	c2s.LoginFailed.String(): true, c2s.Downgraded.String(): true, c2s.Throttled.String(): true, c2s.TooManyPending.String(): true,
	c2s.Hostile.String(): true, c2s.BadCertificate.String(): true, c2s.TLSFailed.String(): true,
}

func (g *Gateway) recordLinkEvent(e *s2s.Event) {
	rec := audit.Record{
		Kind: audit.SecurityEvent, Time: g.now(), Node: g.node, Link: e.Link, FromPeer: e.Peer, From: e.Remote.String(), To: e.Local.String(),
		Rule: e.Kind, Reason: e.Reason, Outcome: "noted", Size: uint64(max(e.Bytes, 0)),
	}
	if rec.Reason == "" {
		rec.Reason = e.Detail
	} else if e.Detail != "" {
		rec.Reason += ": " + e.Detail
	}
	switch {
	case e.Kind == s2s.EventReload: // recorded with what brought it about
		return
	case e.Kind == s2s.EventUp, e.Kind == s2s.EventDown && !e.Remote.IsZero():
		rec.Kind = audit.PeerEvent
	case isRadioWord(e.Kind):
		rec.Kind = audit.PeerEvent
		g.log.Info("a radio link changed", zap.String("kind", e.Kind), zap.String("link", e.Link), zap.String("peer", e.Peer), zap.String("reason", rec.Reason))
	case strings.HasPrefix(e.Kind, clientKind) && !clientTrouble[strings.TrimPrefix(e.Kind, clientKind)]:
		rec.Kind = audit.PeerEvent
	default: // also the end of a stream on which nobody was known: a stranger can make those without end
		count, ok := g.throttle.Allow(rec.Time, e.Kind+" "+e.Address.Addr().String()+" "+e.Remote.String())
		if !ok {
			return
		}
		rec.Count = count
		address := zap.Skip()
		if e.Address.IsValid() {
			address = zap.Stringer("address", e.Address)
		}
		g.log.Warn("a link noted something", zap.String("kind", e.Kind), zap.String("peer", e.Peer), zap.String("side", e.Side),
			zap.String("remote", e.Remote.ShowDomain()), zap.String("reason", rec.Reason), address, zap.Uint32("times", count))
	}
	if e.Address.IsValid() {
		rec.StanzaID = e.Address.String()
	}
	if err := g.append(&rec); err != nil {
		g.log.Error("an event of a link could not be recorded", zap.String("kind", e.Kind), zap.Error(err))
	}
}
