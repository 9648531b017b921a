package peering

import (
	"strings"

	"sallyport/internal/xmpp/jid"
	"sallyport/labels"
)

// AddressPattern names who sends or receives: one bare address, or everybody of a domain or below one.
type AddressPattern struct {
	Local  string
	Domain Pattern
}

// ParseAddressPattern reads "u@a.example", "a.example" or "*.a.example".
func ParseAddressPattern(s string) (AddressPattern, bool) {
	if base, ok := strings.CutPrefix(s, "*."); ok {
		d, err := jid.ParseDomain(base)
		return AddressPattern{Domain: Pattern("*." + d.Domain())}, err == nil
	}
	j, err := jid.Parse(s)
	return AddressPattern{Local: j.Local(), Domain: Pattern(j.Domain())}, err == nil && !j.IsFull()
}

func (a AddressPattern) matches(j jid.JID) bool {
	return a.Domain.Matches(j.Domain()) && (a.Local == "" || a.Local == j.Local())
}

func anyMatches(list []AddressPattern, j jid.JID) bool {
	for _, a := range list {
		if a.matches(j) {
			return true
		}
	}
	return false
}

// DefaultLabel is a label for what comes without one, between some people or in some room. Exactly one of the four
// scopes is set: From and To together are one.
type DefaultLabel struct {
	ID       string
	Label    *labels.Label
	From, To []AddressPattern // sender and destination; an empty one is everybody
	Rooms    []AddressPattern // messages to the room, and from it
	Users    []AddressPattern // messages of the user
	Domains  []AddressPattern // messages of the domain or service
}

// LabelSource says where the label that was judged came from. The zero value is nowhere.
type LabelSource uint8

const (
	NoLabelSource LabelSource = iota
	OfLabel                   // the securitylabel of the message
	OfEquivalent              // an equivalent in it that the peer is trusted to assert
	OfFirstLine               // the marking in the first line of the text
	DefaultOfRule
	DefaultOfRoom
	DefaultOfUser
	DefaultOfPeer
	DefaultOfDomain
	DefaultOfSide
	DefaultOfPolicy
	numLabelSources
)

var labelSourceWords = [numLabelSources]string{
	"none", "its own label", "equivalent", "first line", "default of rule", "default of room", "default of user",
	"default of peer", "default of domain", "default of side", "default of policy",
}

func (s LabelSource) String() string {
	if s < numLabelSources {
		return labelSourceWords[s]
	}
	return "unknown"
}

// IsDefault reports a label that the message did not carry.
func (s LabelSource) IsDefault() bool { return s >= DefaultOfRule && s < numLabelSources }

// scope returns the addresses of a default label for a source, and the address they are held against.
func (d *DefaultLabel) covers(s LabelSource, from, to jid.JID) bool {
	switch s {
	case DefaultOfRule:
		return (d.From != nil || d.To != nil) && (d.From == nil || anyMatches(d.From, from)) && (d.To == nil || anyMatches(d.To, to))
	case DefaultOfRoom:
		return anyMatches(d.Rooms, to) || anyMatches(d.Rooms, from)
	case DefaultOfUser:
		return anyMatches(d.Users, from)
	case DefaultOfDomain:
		return anyMatches(d.Domains, from)
	case NoLabelSource, OfLabel, OfEquivalent, OfFirstLine, DefaultOfPeer, DefaultOfSide, DefaultOfPolicy, numLabelSources:
	}
	return false
}

// defaultFor finds the label for a message that has none, and who gave it. The order: a rule for this sender and
// destination, the room, the user, the peer, the domain, the side, the policy. Nothing stands behind them.
func (p *Policy) defaultFor(peer *Peer, from, to jid.JID) (*labels.Label, LabelSource, string) {
	for s := DefaultOfRule; s < numLabelSources; s++ {
		switch s {
		case DefaultOfPeer:
			if peer.DefaultLabel != nil {
				return peer.DefaultLabel, s, peer.Name
			}
			continue
		case DefaultOfSide:
			if l := p.def.Sides[peer.Side].DefaultLabel; l != nil {
				return l, s, peer.Side
			}
			continue
		case DefaultOfPolicy:
			if l := p.def.DefaultLabel; l != nil {
				return l, s, ""
			}
			continue
		case DefaultOfRule, DefaultOfRoom, DefaultOfUser, DefaultOfDomain, NoLabelSource, OfLabel, OfEquivalent, OfFirstLine, numLabelSources:
		}
		for i := range p.def.DefaultLabels {
			if d := &p.def.DefaultLabels[i]; d.covers(s, from, to) {
				return d.Label, s, d.ID
			}
		}
	}
	return nil, NoLabelSource, ""
}

// hasDefault reports whether an unlabelled message of the peer could ever find a label.
func (p *Policy) hasDefault(peer *Peer) bool {
	return peer.DefaultLabel != nil || p.def.Sides[peer.Side].DefaultLabel != nil || p.def.DefaultLabel != nil || len(p.def.DefaultLabels) > 0
}
