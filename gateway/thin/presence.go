package thin

import (
	"container/heap"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
)

// Out is what became of one stanza that was put in.
type Out struct {
	Token  uint64
	Fate   Fate
	Stanza stanza.Stanza // of Sent: what leaves; else what was put in
	Reason Reason        // of Dropped and Merged
	Bytes  int           // of Dropped and Merged: what did not go out
	Also   []Copy        // of Sent: the copies merged into it, each of which is an Out of its own before it
}

// Copy is one more recipient.
type Copy struct {
	Token uint64
	To    jid.JID
}

// Fate is how a stanza came out. The zero value says that nothing may leave.
type Fate uint8

// The fates.
const (
	Dropped Fate = iota
	Merged       // it leaves as a recipient of another one
	Sent
)

// String returns the word for records.
func (f Fate) String() string { return [...]string{"dropped", "merged", "sent"}[min(f, Sent)] }

// Presence paces presence. Owned by one goroutine.
type Presence struct {
	mode      Mode
	interval  time.Duration
	limit     int
	contacts  map[contactKey]*contact
	resources int
	due       slots
	turn      uint64
}

// contactKey is who is seen by whom; both are bare.
type contactKey struct{ from, to jid.JID }

// contact is one person as another one sees him.
type contact struct {
	key   contactKey
	next  time.Time // before that, nothing more
	at    int       // place in due; -1: not there
	known map[string]*sighting
}

// sighting is one resource of a contact.
type sighting struct {
	far     stanza.Stanza // what the far side has heard; zero: not known
	waiting stanza.Stanza // zero: nothing
	token   uint64
	since   uint64 // order in which changes began to wait
}

// NewPresence makes an empty one. Of the options only presence, interval and max-contacts count.
func NewPresence(o Options) *Presence {
	o = o.withDefaults()
	return &Presence{mode: o.Presence, interval: o.Interval, limit: o.MaxContacts, contacts: map[contactKey]*contact{}}
}

// Paced reports whether s is presence that may be dropped or made to wait: a broadcast to somebody's bare address.
func Paced(s stanza.Stanza) bool {
	switch s.Type() {
	case stanza.PresenceAvailable, stanza.PresenceUnavailable:
		return s.To().IsBare() && !inRoom(s)
	default:
		return false
	}
}

// inRoom recognizes joining a room, and what a room says of its occupants.
func inRoom(s stanza.Stanza) bool {
	for child := range s.Element().Children() {
		switch child.Space() {
		case nsMUC, nsMUCUser, nsFMUC, nsSession:
			return true
		}
	}
	return false
}

// Put takes one stanza, stripped before, and appends what came out: s itself, or one that it makes needless, or nothing while it
// waits. Stanzas that are not paced come out at once.
func (p *Presence) Put(dst []Out, now time.Time, token uint64, s stanza.Stanza) []Out {
	switch {
	case p.mode == Whole:
		return append(dst, sent(token, s))
	case p.mode == Off && s.Type() == stanza.PresenceProbe && s.To().IsBare():
		return append(dst, dropped(token, s, PresenceOff)) // its answer would not come
	case !Paced(s):
		return append(dst, sent(token, s))
	}
	c, seen := p.sighting(s)
	if seen == nil { // no room to remember
		if p.mode == Off && s.Type() == stanza.PresenceAvailable {
			return append(dst, dropped(token, s, PresenceOff))
		}
		return append(dst, sent(token, s))
	}
	if !seen.waiting.IsZero() {
		dst = append(dst, dropped(seen.token, seen.waiting, PresenceSuperseded))
		seen.waiting = stanza.Stanza{}
	}
	switch {
	case p.mode == Off && s.Type() == stanza.PresenceAvailable:
		dst = append(dst, dropped(token, s, PresenceOff))
	case same(seen.far, s):
		dst = append(dst, dropped(token, s, p.idle()))
	case p.mode == Coarse && now.Before(c.next):
		p.turn++
		seen.waiting, seen.token, seen.since = s, token, p.turn
	default:
		dst = append(dst, p.send(now, c, seen, token, s))
	}
	p.tidy(c)
	return dst
}

func (p *Presence) idle() Reason {
	if p.mode == Off {
		return PresenceOff
	}
	return PresenceUnchanged
}

func (p *Presence) send(now time.Time, c *contact, seen *sighting, token uint64, s stanza.Stanza) Out {
	seen.far = s
	if p.mode == Coarse {
		c.next = now.Add(p.interval)
		if c.at < 0 {
			heap.Push(&p.due, c)
		} else {
			heap.Fix(&p.due, c.at)
		}
	}
	return sent(token, s)
}

// Due appends what has waited long enough.
func (p *Presence) Due(dst []Out, now time.Time) []Out {
	for len(p.due) > 0 && !now.Before(p.due[0].next) {
		c := heap.Pop(&p.due).(*contact)
		if seen := c.first(); seen != nil {
			token, s := seen.token, seen.waiting
			seen.waiting = stanza.Stanza{}
			dst = append(dst, p.send(now, c, seen, token, s))
		}
		p.tidy(c)
	}
	return dst
}

// Next is when Due has something to do; the zero time is never.
func (p *Presence) Next() time.Time {
	if len(p.due) == 0 {
		return time.Time{}
	}
	return p.due[0].next
}

// first is the change that goes next: somebody is gone before all others, then the oldest.
func (c *contact) first() (best *sighting) {
	for _, seen := range c.known {
		if seen.waiting.IsZero() {
			continue
		}
		gone := seen.waiting.Type() == stanza.PresenceUnavailable
		switch {
		case best == nil:
			best = seen
		case gone != (best.waiting.Type() == stanza.PresenceUnavailable):
			if gone {
				best = seen
			}
		case seen.since < best.since:
			best = seen
		}
	}
	return best
}

// Heard takes a stanza that came from the far side: a probe, or a step of a subscription, means that its sender has forgotten what he
// heard, or never heard it; what he is told next is news.
func (p *Presence) Heard(s stanza.Stanza) {
	switch s.Type() {
	case stanza.PresenceProbe, stanza.PresenceSubscribe, stanza.PresenceSubscribed, stanza.PresenceUnsubscribe,
		stanza.PresenceUnsubscribed, stanza.PresenceUnavailable, stanza.PresenceError:
		p.forget(contactKey{s.To().Bare(), s.From().Bare()})
	default: // says nothing of what is known there
	}
}

// Lost takes a stanza that was sent and did not arrive: what the far side has heard is not known any more.
func (p *Presence) Lost(s stanza.Stanza) {
	if s.Kind() == stanza.Presence {
		p.forget(contactKey{s.From().Bare(), s.To().Bare()})
	}
}

// Forget takes it that nothing is known of what the far side has heard. What waits goes on waiting.
func (p *Presence) Forget() {
	for key := range p.contacts {
		p.forget(key)
	}
}

func (p *Presence) forget(key contactKey) {
	c := p.contacts[key]
	if c == nil {
		return
	}
	for _, seen := range c.known {
		seen.far = stanza.Stanza{}
	}
	p.tidy(c)
}

// Waiting is how many changes wait.
func (p *Presence) Waiting() (n int) {
	for _, c := range p.contacts {
		for _, seen := range c.known {
			if !seen.waiting.IsZero() {
				n++
			}
		}
	}
	return n
}

// Flush appends everything that waits, at once: presence is whole again, or the owner stops.
func (p *Presence) Flush(dst []Out, now time.Time) []Out {
	for _, c := range p.contacts {
		for seen := c.first(); seen != nil; seen = c.first() {
			token, s := seen.token, seen.waiting
			seen.waiting = stanza.Stanza{}
			dst = append(dst, p.send(now, c, seen, token, s))
		}
	}
	return dst
}

// sighting finds what is known of the sender of s, nil where there is no room for more.
func (p *Presence) sighting(s stanza.Stanza) (*contact, *sighting) {
	key := contactKey{s.From().Bare(), s.To()}
	c := p.contacts[key]
	if c != nil {
		if seen := c.known[s.From().Resource()]; seen != nil {
			return c, seen
		}
	}
	if max(p.resources, len(p.contacts)) >= p.limit && !p.makeRoom() {
		return nil, nil
	}
	if c = p.contacts[key]; c == nil { // it may have gone to make room
		c = &contact{key: contactKey{key.from.Clone(), key.to.Clone()}, at: -1, known: map[string]*sighting{}}
		p.contacts[c.key] = c
	}
	seen := &sighting{}
	c.known[s.From().Clone().Resource()] = seen
	p.resources++
	return c, seen
}

// looked bounds the search for something to forget.
const looked = 16

// makeRoom forgets somebody of whom nothing waits. What he says next is sent although it may be no news, which costs only bytes.
func (p *Presence) makeRoom() bool {
	n := 0
	for _, c := range p.contacts {
		if n++; n > looked {
			return false
		}
		if p.spare(c) {
			return true
		}
	}
	return false
}

// spare forgets one resource of a contact, or the contact.
func (p *Presence) spare(c *contact) bool {
	for resource, seen := range c.known {
		if seen.waiting.IsZero() {
			delete(c.known, resource)
			p.resources--
			break
		}
	}
	if len(c.known) > 0 {
		return p.resources < p.limit && len(p.contacts) < p.limit
	}
	if c.at >= 0 {
		heap.Remove(&p.due, c.at)
	}
	delete(p.contacts, c.key)
	return true
}

// tidy forgets what is of no use: a resource that is gone, and of which the far side knows it; a contact without any.
func (p *Presence) tidy(c *contact) {
	for resource, seen := range c.known {
		// While a slot is taken, and where presence is off, who is gone stays known: another leave-taking is no news.
		gone := seen.far.Type() == stanza.PresenceUnavailable && p.mode != Off && c.at < 0
		if seen.waiting.IsZero() && (gone || seen.far.IsZero() && p.mode != Off) {
			delete(c.known, resource)
			p.resources--
		}
	}
	if len(c.known) == 0 && c.at < 0 {
		delete(p.contacts, c.key)
	}
}

// same reports that both say the same of somebody; id and language are no part of it.
func same(a, b stanza.Stanza) bool {
	if a.IsZero() || b.IsZero() || a.Type() != b.Type() {
		return false
	}
	ea, eb := a.Element(), b.Element()
	if ea.NumNodes() != eb.NumNodes() {
		return false
	}
	for i := range ea.NumNodes() {
		na, nb := ea.NodeAt(i), eb.NodeAt(i)
		if na.Text != nb.Text || !na.Element.Equal(nb.Element) {
			return false
		}
	}
	return true
}

func sent(token uint64, s stanza.Stanza) Out { return Out{Token: token, Fate: Sent, Stanza: s} }

func dropped(token uint64, s stanza.Stanza, r Reason) Out {
	return Out{Token: token, Stanza: s, Reason: r, Bytes: size(s.Element(), s.ContentNS())}
}

// slots is a heap of contacts by the time when they may change again.
type slots []*contact

func (s slots) Len() int           { return len(s) }
func (s slots) Less(i, j int) bool { return s[i].next.Before(s[j].next) }
func (s slots) Swap(i, j int) {
	s[i], s[j] = s[j], s[i]
	s[i].at, s[j].at = i, j
}

// Push is for package heap.
func (s *slots) Push(x any) {
	c := x.(*contact)
	c.at = len(*s)
	*s = append(*s, c)
}

// Pop is for package heap.
func (s *slots) Pop() any {
	old := *s
	c := old[len(old)-1]
	old[len(old)-1] = nil
	c.at = -1
	*s = old[:len(old)-1]
	return c
}
