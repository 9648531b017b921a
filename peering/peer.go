package peering

import (
	"strings"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/labels/xep0258"
)

// Pattern names domains: one exactly ("a.example"), or all below one ("*.a.example").
type Pattern string

// Matches reports whether the canonical domain is named by p.
func (p Pattern) Matches(domain string) bool {
	if base, ok := strings.CutPrefix(string(p), "*."); ok {
		return len(domain) > len(base)+1 && strings.HasSuffix(domain, base) &&
			domain[len(domain)-len(base)-1] == '.'
	}
	return domain == string(p)
}

// below returns the domain whose subdomains are named.
func (p Pattern) below() (string, bool) { return strings.CutPrefix(string(p), "*.") }

// Kinds is the traffic a peer takes part in, either way. The zero value is none.
type Kinds struct {
	Message  bool
	Presence bool
	MUC      bool     // groupchat messages and presence that carries a MUC payload
	PubSub   bool     // PEP and pubsub notifications and requests
	IQ       []string // payload namespaces of requests; "*" is every one the profile allows
}

// Floor is the least a stream must have proved before its stanzas are judged further.
type Floor struct {
	Methods []Method // acceptable proofs; empty accepts none
	MinTLS  uint16   // crypto/tls version number
	Pinned  bool     // the key must be one of the pinned ones
}

func (f *Floor) allows(p Proof) bool {
	if p.TLS < f.MinTLS || f.Pinned && !p.Pinned {
		return false
	}
	for _, m := range f.Methods {
		if m != NoMethod && m == p.Method {
			return true
		}
	}
	return false
}

// DomainMapping gives a domain of a peer another name beyond this gateway.
type DomainMapping struct {
	Far  jid.JID // as the peer itself writes it
	Near jid.JID // as everybody else writes it
}

// Peer is a neighbour: a server, another gateway, or ourselves. It is a value in a
// compiled policy and never changes.
type Peer struct {
	Name      string
	Side      string
	Domains   []Pattern // domains it owns
	Default   bool      // it also holds every domain nobody else does
	SpeaksFor []Pattern // domains it does not own but may relay from
	Refuse    bool
	Floor     Floor
	Kinds     Kinds
	Links     []string // links that reach it, best first

	Labelling
	DomainMap []DomainMapping

	// Made by Compile.
	reader *xep0258.Reader
	in     map[string]*translator // of what it sends, by the side it goes to
	out    *translator            // of what it is sent
}

func (p *Peer) owns(domain string) bool {
	for _, d := range p.Domains {
		if d.Matches(domain) {
			return true
		}
	}
	return false
}

func (p *Peer) mayBe(domain string) bool {
	if p.owns(domain) || p.Default {
		return true
	}
	for _, d := range p.SpeaksFor {
		if d.Matches(domain) {
			return true
		}
	}
	return false
}

// allows says whether the peer takes part in traffic of this shape, and if not which
// word describes it.
func (k *Kinds) allows(s stanza.Stanza) (string, bool) {
	switch s.Kind() {
	case stanza.Message:
		return k.allowsMessage(s)
	case stanza.Presence:
		if isMUCPresence(s) {
			return "muc", k.MUC
		}
		return "presence", k.Presence
	case stanza.IQ:
		return k.allowsIQ(s)
	case stanza.NoKind:
	}
	return "unknown", false
}

func (k *Kinds) allowsMessage(s stanza.Stanza) (string, bool) {
	if s.Type() == stanza.MessageGroupchat || s.Element().Child(nsMUCUser, "x") != nil {
		return "muc", k.MUC
	}
	if s.Element().Child(nsPubSubEvent, "event") != nil {
		return "pubsub", k.PubSub
	}
	return "message", k.Message
}

func (k *Kinds) allowsIQ(s stanza.Stanza) (string, bool) {
	if s.IsResponse() { // held against the request it answers instead
		return "iq", true
	}
	payload := s.Payload()
	if payload == nil {
		return "iq", false
	}
	space := payload.Space()
	if space == nsPubSub && k.PubSub {
		return "pubsub", true
	}
	for _, ns := range k.IQ {
		if ns == space || ns == "*" {
			return "iq", true
		}
	}
	return "iq", false
}

const (
	nsMUC         = "http://jabber.org/protocol/muc"
	nsMUCUser     = "http://jabber.org/protocol/muc#user"
	nsPubSub      = "http://jabber.org/protocol/pubsub"
	nsPubSubEvent = "http://jabber.org/protocol/pubsub#event"
	nsDiscoItems  = "http://jabber.org/protocol/disco#items"
	nsLabel       = "urn:xmpp:sec-label:0"
)

func isMUCPresence(s stanza.Stanza) bool {
	e := s.Element()
	return e.Child(nsMUC, "x") != nil || e.Child(nsMUCUser, "x") != nil
}

// peerTable finds peers by name and by domain: exact before the longest suffix before
// the default.
type peerTable struct {
	byName  map[string]*Peer
	exact   map[string]*Peer
	suffix  map[string]*Peer
	byLocal *Peer
}

func (t *peerTable) holding(domain string) *Peer {
	if p := t.exact[domain]; p != nil {
		return p
	}
	if p, ok := nearestAbove(t.suffix, domain); ok {
		return p
	}
	return t.byLocal
}

// nearestAbove looks up the domains above one, the nearest first.
func nearestAbove[V any](table map[string]V, domain string) (v V, ok bool) {
	for rest := domain; ; {
		_, after, found := strings.Cut(rest, ".")
		if !found {
			return v, false
		}
		if v, ok = table[after]; ok {
			return v, true
		}
		rest = after
	}
}
