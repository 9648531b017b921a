package answers

import (
	"container/list"
	"sync"
	"time"

	"sallyport/internal/xmpp/caps"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/peering"
)

// Options bound a cache. The zero value of each field is its default.
type Options struct {
	MaxEntries int // 8,192
	MaxBytes   int // of all entries; 16 MiB
	MaxEntry   int // of one; 128 KiB
	MaxAsked   int // questions that wait for their answer; 4,096

	Disco    time.Duration // lifetime of disco#info and version; 24 hours
	Items    time.Duration // of disco#items; 1 hour
	Cards    time.Duration // of vCards; 24 hours
	Hashed   time.Duration // of disco#info with a verified hash; 30 days
	Refused  time.Duration // of errors that last; 5 minutes
	Patience time.Duration // how long an answer may take; 1 hour
}

func (o Options) withDefaults() Options {
	orInt := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	or := func(v *time.Duration, d time.Duration) {
		if *v <= 0 {
			*v = d
		}
	}
	orInt(&o.MaxEntries, 8192)
	orInt(&o.MaxBytes, 16<<20)
	orInt(&o.MaxEntry, 128<<10)
	orInt(&o.MaxAsked, 4096)
	or(&o.Disco, 24*time.Hour)
	or(&o.Items, time.Hour)
	or(&o.Cards, 24*time.Hour)
	or(&o.Hashed, 30*24*time.Hour)
	or(&o.Refused, 5*time.Minute)
	or(&o.Patience, time.Hour)
	return o
}

// Stats count what a cache did.
type Stats struct {
	Hits, Misses                uint64
	Stored, Shared              uint64 // Shared: of Stored, those for everybody
	Unverified                  uint64 // disco#info with a hash that did not fit, or that has several readings
	Expired, Evicted, Forgotten uint64
	SavedBytes                  uint64 // of answers that did not cross
	Entries, Bytes, Waiting     int
}

// Answer is what is given in place of a peer.
type Answer struct {
	// Arrival is what came then, addressed to the requester of now. Its Node and Serial are the owner's to fill in, and its Facts: it is
	// to be judged like an answer from the peer.
	Arrival  peering.Arrival
	Age      time.Duration
	Verified bool // it is known by its hash, and may have been said by another client
}

// key is whose answer to which question. The zero requester is everybody of the local domain.
type key struct {
	peer, local string
	remote      jid.JID // of a verified hash: the domain
	question    Question
	requester   jid.JID // bare
	verified    bool
}

type entry struct {
	key     key
	arrival peering.Arrival
	since   time.Time
	until   time.Time
	bytes   int
	at      *list.Element
}

// owner is whom entries are about.
type owner struct {
	peer string
	bare jid.JID
}

type askedKey struct {
	peer     string
	from, to jid.JID // of the request
	id       string
}

type asked struct {
	question Question
	until    time.Time
}

// Cache is safe for use by several goroutines.
type Cache struct {
	mu      sync.Mutex
	o       Options
	entries map[key]*entry
	owners  map[owner]map[*entry]struct{}
	recent  *list.List // of *entry, the latest used first
	asked   map[askedKey]asked
	seen    map[sighting]string
	stats   Stats
}

// New makes an empty cache.
func New(o Options) *Cache {
	return &Cache{
		o: o.withDefaults(), entries: map[key]*entry{}, owners: map[owner]map[*entry]struct{}{}, recent: list.New(),
		asked: map[askedKey]asked{}, seen: map[sighting]string{},
	}
}

// Stats returns the counters.
func (c *Cache) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.stats
	s.Entries, s.Waiting = len(c.entries), len(c.asked)
	return s
}

// Asked takes a request that was released to a peer and is sent there, so that its answer can be known for one.
func (c *Cache) Asked(now time.Time, peer string, s stanza.Stanza) {
	q, ok := Of(s)
	if !ok {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.asked) >= c.o.MaxAsked {
		for k, a := range c.asked {
			if now.After(a.until) {
				delete(c.asked, k)
			}
		}
		if len(c.asked) >= c.o.MaxAsked {
			return
		}
	}
	c.asked[askedKey{peer, s.From().Clone(), s.To().Clone(), cloned(s.ID())}] = asked{
		Question{q.Kind, cloned(q.Node)}, now.Add(c.o.Patience),
	}
}

func cloned(s string) string { return string([]byte(s)) }

// Answered takes an answer that came from a peer and was released, as it came.
func (c *Cache) Answered(now time.Time, a *peering.Arrival) {
	s := a.Stanza
	if !s.IsResponse() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	k := askedKey{a.Peer, s.To(), s.From(), s.ID()}
	q, ok := c.asked[k]
	if !ok {
		return
	}
	delete(c.asked, k)
	if now.After(q.until) || a.Domain != s.From().DomainJID() {
		return
	}
	e := entry{key: key{
		peer: a.Peer, local: s.To().Domain(), remote: s.From(), question: q.question, requester: s.To().Bare(),
	}, since: now}
	switch {
	case s.IsError():
		if !lasting(s) {
			return
		}
		e.until = now.Add(c.o.Refused)
	case !q.question.answers(s):
		return
	default:
		e.until = now.Add(c.lifetime(q.question.Kind))
		c.share(now, &e, s)
	}
	c.store(&e, a)
}

func (c *Cache) lifetime(k Kind) time.Duration {
	switch k {
	case DiscoItems:
		return c.o.Items
	case VCard, VCard4:
		return c.o.Cards
	case DiscoInfo, Version, NoKind, numKinds:
	}
	return c.o.Disco
}

// share makes an entry one for everybody, where it may be.
func (c *Cache) share(now time.Time, e *entry, s stanza.Stanza) {
	q := e.key.question
	switch {
	case e.key.remote.IsDomain() && q.Node == "" && (q.Kind == DiscoInfo || q.Kind == Version):
		e.key.requester = jid.JID{}
	case q.Kind == DiscoInfo && q.Node != "":
		if !caps.Verify(s.Payload(), q.Node) {
			c.stats.Unverified++
			return
		}
		e.key.requester, e.key.remote, e.key.verified = jid.JID{}, e.key.remote.DomainJID(), true
		e.until = now.Add(c.o.Hashed)
	}
}

// store keeps an entry in memory of its own.
func (c *Cache) store(e *entry, a *peering.Arrival) {
	tree := a.Stanza.Element().Clone()
	b, err := xmlstream.AppendElement(nil, tree, xmlstream.NSServer)
	if err != nil || len(b) > c.o.MaxEntry || len(b) > c.o.MaxBytes {
		return
	}
	s, err := stanza.From(tree)
	if err != nil {
		return
	}
	e.arrival = *a
	e.arrival.Stanza, e.arrival.Facts = s, peering.Facts{}
	e.arrival.Node, e.arrival.Serial = "", 0
	e.key.remote, e.key.requester = e.key.remote.Clone(), e.key.requester.Clone()
	e.key.local = s.To().Domain()
	e.bytes = len(b)
	if old := c.entries[e.key]; old != nil {
		c.remove(old)
	}
	for len(c.entries) > 0 && (len(c.entries) >= c.o.MaxEntries || c.stats.Bytes+e.bytes > c.o.MaxBytes) {
		c.remove(c.recent.Back().Value.(*entry))
		c.stats.Evicted++
	}
	e.at = c.recent.PushFront(e)
	c.entries[e.key] = e
	o := owner{e.key.peer, e.key.remote.Bare()}
	if c.owners[o] == nil {
		c.owners[o] = map[*entry]struct{}{}
	}
	c.owners[o][e] = struct{}{}
	c.stats.Bytes += e.bytes
	c.stats.Stored++
	if e.key.requester.IsZero() {
		c.stats.Shared++
	}
}

func (c *Cache) remove(e *entry) {
	delete(c.entries, e.key)
	c.recent.Remove(e.at)
	o := owner{e.key.peer, e.key.remote.Bare()}
	delete(c.owners[o], e)
	if len(c.owners[o]) == 0 {
		delete(c.owners, o)
	}
	c.stats.Bytes -= e.bytes
}

// Ask looks for an answer to a request that was released to a peer. ok is false where the peer has to be asked.
func (c *Cache) Ask(now time.Time, peer string, s stanza.Stanza) (a Answer, ok bool) {
	q, ok := Of(s)
	if !ok {
		return Answer{}, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	k := key{peer: peer, local: s.From().Domain(), remote: s.To(), question: q, requester: s.From().Bare()}
	e := c.fresh(now, k)
	if e == nil {
		k.requester = jid.JID{}
		e = c.fresh(now, k)
	}
	if e == nil && q.Kind == DiscoInfo && q.Node != "" {
		k.remote, k.verified = s.To().DomainJID(), true
		e = c.fresh(now, k)
	}
	if e == nil {
		c.stats.Misses++
		return Answer{}, false
	}
	c.recent.MoveToFront(e.at)
	c.stats.Hits++
	c.stats.SavedBytes += uint64(e.bytes)
	a = Answer{Arrival: e.arrival, Age: now.Sub(e.since), Verified: e.key.verified}
	a.Arrival.Stanza = e.arrival.Stanza.WithAddresses(s.To(), s.From()).WithID(s.ID())
	a.Arrival.Time = now
	return a, true
}

func (c *Cache) fresh(now time.Time, k key) *entry {
	e := c.entries[k]
	if e == nil {
		return nil
	}
	if now.After(e.until) || now.Before(e.since) {
		c.remove(e)
		c.stats.Expired++
		return nil
	}
	return e
}
