package config

import (
	"fmt"

	"sallyport/internal/xmpp/jid"
)

// clearances looks at the entries for users, rooms and domains: at their form, and for those that can never match.
func (c *checker) clearances() {
	s := subjects{checker: c, users: map[jid.JID]string{}, rooms: map[jid.JID]string{}, domains: map[Pattern]string{}}
	for i := range c.cfg.Clearances { // all of them first: a user stands before a room wherever he is listed
		key := entryKey("clearance", i+1)
		for n, text := range c.cfg.Clearances[i].Users {
			s.address(entryKey(key+".users", n+1), text, s.users)
		}
	}
	for i := range c.cfg.Clearances {
		cl, key := &c.cfg.Clearances[i], entryKey("clearance", i+1)
		for n, text := range cl.Rooms {
			s.address(entryKey(key+".rooms", n+1), text, s.rooms)
		}
		for n, d := range cl.Domains {
			s.domain(entryKey(key+".domains", n+1), d)
		}
		switch {
		case len(cl.Users)+len(cl.Rooms)+len(cl.Domains) == 0 && !c.errorAt(key+".users") && !c.errorAt(key+".rooms") && !c.errorAt(key+".domains"):
			c.bad(key, "is for nobody", "write users, rooms or domains")
		case len(cl.Clearance) == 0 && !c.errorAt(key+".clearance"):
			c.risk(key+".clearance", "is missing; whoever is listed here is cleared for nothing that has a label", "name a file with the clearance, if that is not meant")
		case len(c.cfg.Policy.SPIF) == 0 && !c.errorAt("policy.spif") && !c.errorAt(key+".clearance"):
			c.bad(key+".clearance", "means nothing without a security policy", "name one in policy.spif")
		}
	}
}

// subjects remembers where each address was listed first.
type subjects struct {
	*checker
	users, rooms map[jid.JID]string
	domains      map[Pattern]string
}

func (s *subjects) address(key, text string, into map[jid.JID]string) {
	if s.errorAt(key) {
		return
	}
	j, ok := ParseAddress(text)
	if !ok {
		s.bad(key, shown(text)+" is not an address", "write name@domain; a whole domain goes into domains")
		return
	}
	before, twice := into[j]
	if user, both := s.users[j]; both && !twice {
		before, twice = user, true
	}
	switch {
	case twice:
		s.never(key, text, before)
	case !s.reachable(Pattern(j.Domain())):
		s.nobody(key, text)
	}
	if !twice {
		into[j] = key
	}
}

func (s *subjects) domain(key string, d Pattern) {
	before, twice := s.domains[d]
	switch {
	case d == "": // refused by the decoder
		return
	case twice:
		s.never(key, string(d), before)
		return
	case !s.reachable(d):
		s.nobody(key, string(d))
	}
	s.domains[d] = key
}

func (s *subjects) never(key, what, before string) {
	s.risk(key, fmt.Sprintf("can never match: %s is listed in line %d already, and that entry counts", what, s.index.lineOf(before)), "remove one")
}

func (s *subjects) nobody(key, what string) {
	s.risk(key, "can never match: nothing of "+what+" crosses, no peer that is not refused owns such a domain or speaks for it", "correct it, or remove it")
}

// reachable reports whether any peer sends or gets stanzas of such a domain.
func (s *subjects) reachable(d Pattern) bool {
	for i := range s.cfg.Peers {
		p := &s.cfg.Peers[i]
		if p.Refuse {
			continue
		}
		all := append(append([]Pattern{}, p.Domains...), p.SpeaksFor...)
		for _, m := range p.DomainMap {
			all = append(all, Pattern(m.Near))
		}
		for _, own := range all {
			if own.covers(d) || d.covers(own) {
				return true
			}
		}
		if p.Default {
			return true
		}
	}
	return false
}
