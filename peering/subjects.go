package peering

import (
	"strings"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/labels"
)

// SubjectClearance is what somebody is cleared for, where no directory says it. Whoever is listed without a clearance is
// cleared for nothing.
type SubjectClearance struct {
	Users, Rooms []jid.JID // bare
	Domains      []Pattern // everybody there who is not listed himself
	Clearances   labels.ClearanceSet
}

// subjectTable finds what is known of an address: of the address itself, of the room, of the domain, of the nearest
// domain above it that has an entry for those below.
type subjectTable struct {
	users, rooms map[jid.JID]ClearanceFact
	exact, below map[string]ClearanceFact
}

// The words that sources of this table begin with. A directory names its own otherwise.
const (
	ofUser   = "user "
	ofRoom   = "room "
	ofDomain = "domain "
)

// compileSubjects fills the table. Of two entries for one address the first counts.
func (p *Policy) compileSubjects(bad complain) {
	t := subjectTable{map[jid.JID]ClearanceFact{}, map[jid.JID]ClearanceFact{}, map[string]ClearanceFact{}, map[string]ClearanceFact{}}
	for i := range p.def.Subjects {
		s := &p.def.Subjects[i]
		for _, list := range []struct {
			what string
			of   []jid.JID
			into map[jid.JID]ClearanceFact
		}{{ofUser, s.Users, t.users}, {ofRoom, s.Rooms, t.rooms}} {
			for _, j := range list.of {
				if j.Local() == "" || j.IsFull() {
					bad("clearance of "+list.what+j.String(), "is not for an address like name@domain")
				}
				if _, taken := list.into[j]; !taken {
					list.into[j] = ClearanceFact{Clearances: s.Clearances, Source: list.what + j.String()}
				}
			}
		}
		for _, d := range s.Domains {
			into, key := t.exact, string(d)
			if base, ok := d.below(); ok {
				into, key = t.below, base
			}
			if _, taken := into[key]; !taken {
				into[key] = ClearanceFact{Clearances: s.Clearances, Source: ofDomain + string(d)}
			}
		}
	}
	p.subjects = t
}

func (t *subjectTable) isEmpty() bool {
	return len(t.users)+len(t.rooms)+len(t.exact)+len(t.below) == 0
}

// ClearanceOf is what the policy says that somebody is cleared for: the entry of the address itself, else of the room,
// else of the domain. The zero value is that it says nothing. The address is the one that everybody else writes.
func (p *Policy) ClearanceOf(who jid.JID) ClearanceFact {
	t := &p.subjects
	if t.isEmpty() {
		return ClearanceFact{}
	}
	if f, ok := t.users[who.Bare()]; ok {
		return f
	}
	if f, ok := t.rooms[who.Bare()]; ok {
		return f
	}
	if f, ok := t.exact[who.Domain()]; ok {
		return f
	}
	f, _ := nearestAbove(t.below, who.Domain())
	return f
}

// FillClearances puts what the policy says of the sender and the recipient into the facts of something that can have a
// label. What is known already, from a directory, stays.
func (p *Policy) FillClearances(a *Arrival) {
	s := a.Stanza
	if p.subjects.isEmpty() || s.IsZero() || s.Kind() != stanza.Message && !holdsItems(s) {
		return
	}
	if !a.Facts.Sender.known() {
		from := s.From()
		if peer := p.peers.byName[a.Peer]; peer != nil {
			from, _ = mapDomain(peer.DomainMap, from, farToNear)
		}
		a.Facts.Sender = p.ClearanceOf(from)
	}
	if !a.Facts.Recipient.known() {
		a.Facts.Recipient = p.ClearanceOf(s.To())
	}
}

// renewClearances puts what this policy says in the place of what the policy of then said, for something that was stored.
func (p *Policy) renewClearances(a *Arrival) {
	for _, f := range [...]*ClearanceFact{&a.Facts.Sender, &a.Facts.Recipient} {
		for _, of := range [...]string{ofUser, ofRoom, ofDomain} {
			if strings.HasPrefix(f.Source, of) {
				*f = ClearanceFact{}
			}
		}
	}
	p.FillClearances(a)
}
