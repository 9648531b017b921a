package gateway

import (
	"strings"
	"sync"

	"sallyport/gateway/audit"
	"sallyport/links/hf"
	"sallyport/links/s2s"
	"sallyport/links/x2x"
)

// What changes about a link of kind hf is a record of the audit log, whoever brought it about: peer-event, with the link's name, one of these words
// as its rule, and what happened in a sentence. Hostile or broken input is a security-event, as on every link.
const (
	radioWord     = "hf-"
	radioNode     = radioWord + "node-up"          // bound to the node
	radioNodeGone = radioWord + "node-lost"        // the time with it has ended, and why
	radioNoNode   = radioWord + "node-unreachable" // could not be bound; said once, until it can
	radioMute     = radioWord + hf.NoticeMute      // the node may not transmit, as it says
	radioVoice    = radioWord + hf.NoticeVoice     // it may again
	radioWatched  = radioWord + "watched"          // from here on, what the node tells of its links is recorded, under words of its own
	radioBlind    = radioWord + "not-watched"      // from here on it is not, and why
	radioEMCON    = radioWord + "emcon"            // silence of the link, by command
)

// radioRecord is a record of a change.
func (g *Gateway) radioRecord(link, word, what, by string) *audit.Record {
	rec := &audit.Record{
		Kind: audit.PeerEvent, Time: g.now(), Node: g.node, Link: link, From: by, Rule: word, Reason: what, Outcome: "noted",
	}
	if c := g.active().Link(link); c != nil {
		rec.FromPeer = c.Peer
	}
	return rec
}

// isRadioWord tells words of this page from those of other links.
func isRadioWord(kind string) bool { return strings.HasPrefix(kind, radioWord) }

// radioObserver is the gateway as its radio links see it. It is called with locks held and does not wait.
type radioObserver struct {
	*observer

	mu      sync.Mutex
	missing map[string]bool // links whose node cannot be reached, which was said
}

func newRadioObserver(o *observer) *radioObserver {
	return &radioObserver{observer: o, missing: make(map[string]bool)}
}

// Incident implements x2x.Observer.
func (o *radioObserver) Incident(i x2x.Incident) {
	word := i.Kind
	switch i.Kind {
	case x2x.IncidentUp:
		word = radioNode
		o.missed(i.Link, false)
	case x2x.IncidentDown:
		word = radioNodeGone
	case hf.NoticeMute, hf.NoticeVoice:
		word = radioWord + i.Kind
	case x2x.IncidentUnreachable:
		word = radioNoNode
		if o.missed(i.Link, true) {
			return
		}
	}
	o.Observe(s2s.Event{Kind: word, Link: i.Link, Side: i.Side, Peer: i.Peer, Reason: i.Reason, Detail: i.Detail, Bytes: i.Bytes})
}

// missed notes whether a link has no node, and says what was noted before.
func (o *radioObserver) missed(link string, now bool) (before bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	before = o.missing[link]
	if o.missing[link] = now; !now {
		delete(o.missing, link)
	}
	return before
}
