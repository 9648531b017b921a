package gateway

import (
	"sync"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/peering"
)

// Bounds of one domain pair's entries. Beyond, the oldest are forgotten: an answer to a
// forgotten request is refused as unsolicited, which is the safe way to be wrong.
const (
	maxAwaited  = 10_000
	maxAsked    = 10_000
	askDeadline = 30 * 24 * time.Hour
	// unsentDeadline is for requests that wait for their link: longer than anything may. What becomes of them is reported before,
	// and then the time for the answer begins.
	unsentDeadline = 32 * 24 * time.Hour
	maxPairs       = 100_000
	sweepEvery     = time.Minute
	sweepAbove     = 10_000          // pairs; with more, sweep whenever asked
	overdueEvery   = 5 * time.Second // how late a requester may be told that no answer came
)

// pairKey is one (local, remote) domain pair, in one direction: who was sent to whom.
type pairKey struct{ from, to string }

// conversations holds, for each domain pair, what crossed and is to be answered. One
// mutex owns it all: messages do not come here, and what does is short. Lookup, judgement
// and effects of one stanza may interleave with those of another, but a request is claimed
// by at most one answer.
type conversations struct {
	// rosters says which domains are those of the accounts of this node: their rosters remember who has asked, and let out no approval
	// that nobody waits for. Nil: none. It is set before anything crosses.
	rosters func(domain string) bool

	mu    sync.Mutex
	pairs map[pairKey]*conversation
	dirty bool // the subscriptions changed since they were saved
	swept time.Time
	due   time.Time // no request has to be answered before; zero: there is none
	asked time.Time // when overdue looked last
}

// conversation is the state of one domain pair in one direction.
type conversation struct {
	awaited map[awaitKey]*awaited
	asked   map[askKey]*awaited
}

type awaitKey struct {
	from, to jid.JID // of the request, as sent out
	id       string
}

// awaited is a request that waits for its answer.
type awaited struct {
	originalID string // of an iq
	deadline   time.Time
	claimed    bool
	tell       *peering.Unanswered // of an iq: who is told that no answer came
	seq        uint64              // audit record of the decision that let it cross
}

type askKey struct{ from, to jid.JID } // bare

func newConversations() *conversations {
	return &conversations{pairs: make(map[pairKey]*conversation)}
}

// known returns the conversation of a pair, nil if nothing has crossed that way: looking
// something up must not cost memory. The caller holds mu.
func (t *conversations) known(from, to jid.JID) *conversation {
	return t.pairs[pairKey{from.Domain(), to.Domain()}]
}

// pair returns the conversation of a pair and makes it if needed. Of more pairs than the
// table holds nothing is remembered, so that answers within them are refused: the safe way
// to be wrong. The caller holds mu.
func (t *conversations) pair(from, to jid.JID) *conversation {
	key := pairKey{from.Domain(), to.Domain()}
	c := t.pairs[key]
	if c == nil {
		c = &conversation{awaited: make(map[awaitKey]*awaited), asked: make(map[askKey]*awaited)}
		if len(t.pairs) < maxPairs {
			t.pairs[key] = c
		}
	}
	return c
}

// claim is a request taken by one answer until its verdict is carried out.
type claim struct {
	t   *conversations
	c   *conversation
	a   *awaited
	key awaitKey // of a subscription: without id
}

// lookup fills the facts that the table has on a stanza. An answer claims the request it
// belongs to; give the claim back with settle.
func (t *conversations) lookup(s stanza.Stanza, now time.Time, f *peering.Facts) claim {
	switch s.Type() {
	case stanza.IQResult, stanza.IQError:
		// The answer goes from the responder to the requester: the request went the other way.
		cl := t.claim(awaitKey{s.To(), s.From(), s.ID()}, now)
		if cl.a != nil {
			f.Awaited.Found, f.Awaited.OriginalID = true, cl.a.originalID
		}
		return cl
	case stanza.PresenceSubscribed, stanza.PresenceUnsubscribed:
		cl := t.claim(awaitKey{from: s.To().Bare(), to: s.From().Bare()}, now)
		f.Asked = cl.a != nil || t.rosters != nil && t.rosters(s.From().Domain())
		return cl
	default: // nothing is kept about other types
	}
	return claim{}
}

func (t *conversations) claim(key awaitKey, now time.Time) claim {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.known(key.from, key.to)
	if c == nil {
		return claim{}
	}
	a := c.find(key)
	if a == nil || a.claimed || now.After(a.deadline) {
		return claim{}
	}
	a.claimed = true
	return claim{t, c, a, key}
}

func (c *conversation) find(key awaitKey) *awaited {
	if key.id == "" {
		return c.asked[askKey{key.from, key.to}]
	}
	return c.awaited[key]
}

// settle ends a claim: the request is answered, or waits again. Another one under the same
// key, made meanwhile, is left alone.
func (cl claim) settle(answered bool) {
	if cl.t == nil {
		return
	}
	cl.t.mu.Lock()
	defer cl.t.mu.Unlock()
	switch {
	case !answered:
		cl.a.claimed = false
	case cl.c.find(cl.key) != cl.a:
	case cl.key.id == "":
		delete(cl.c.asked, askKey{cl.key.from, cl.key.to})
		cl.t.dirty = true
	default:
		delete(cl.c.awaited, cl.key)
	}
}

// apply carries out the effects of a verdict whose record, number seq, is durable, before what
// it released leaves, so that no answer can be faster than the memory of its request.
func (t *conversations) apply(v *peering.Verdict, released stanza.Stanza, now time.Time, seq uint64) {
	e := &v.Effects
	if !e.Await && !e.Ask {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case e.Await:
		c := t.pair(e.From, e.To)
		if len(c.awaited) >= maxAwaited {
			evict(c.awaited, now)
		}
		tell := v.Unanswered()
		c.awaited[awaitKey{e.From, e.To, released.ID()}] = &awaited{
			originalID: e.OriginalID, deadline: now.Add(unsentDeadline), tell: &tell, seq: seq,
		}
	case e.Ask:
		c := t.pair(e.From, e.To)
		if len(c.asked) >= maxAsked {
			evict(c.asked, now)
		}
		c.asked[askKey{e.From.Bare(), e.To.Bare()}] = &awaited{deadline: now.Add(askDeadline)}
		t.dirty = true
	}
}

// restore remembers a request that an earlier life of the node has let cross and that has not left yet, unless it is known.
func (t *conversations) restore(v *peering.Verdict, released stanza.Stanza, now time.Time) {
	if !v.Effects.Await {
		return
	}
	t.mu.Lock()
	c := t.known(v.Effects.From, v.Effects.To)
	known := c != nil && c.awaited[awaitKey{v.Effects.From, v.Effects.To, released.ID()}] != nil
	t.mu.Unlock()
	if !known {
		t.apply(v, released, now, 0)
	}
}

// sent begins the time in which an awaited request is to be answered: it has been delivered.
func (t *conversations) sent(request stanza.Stanza, until time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.known(request.From(), request.To())
	if c == nil {
		return
	}
	a := c.awaited[awaitKey{request.From(), request.To(), request.ID()}]
	if a == nil {
		return
	}
	a.deadline = until
	if t.due.IsZero() || until.Before(t.due) {
		t.due = until
	}
}

// overdue takes out the requests whose answer did not come in time, so that an answer from now on is unsolicited. It looks no more
// often than makes sense.
func (t *conversations) overdue(now time.Time) (late []*awaited) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.due.IsZero() || !now.After(t.due) || now.Sub(t.asked) < overdueEvery {
		return nil
	}
	t.asked, t.due = now, time.Time{}
	for _, c := range t.pairs {
		for k, a := range c.awaited {
			switch {
			case now.After(a.deadline) && !a.claimed:
				delete(c.awaited, k)
				late = append(late, a)
			case t.due.IsZero() || a.deadline.Before(t.due):
				t.due = a.deadline
			}
		}
	}
	return late
}

// forget drops an awaited request whose delivery failed: its sender has been told.
func (t *conversations) forget(e *peering.Effects, released stanza.Stanza) {
	if !e.Await {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if c := t.known(e.From, e.To); c != nil {
		delete(c.awaited, awaitKey{e.From, e.To, released.ID()})
	}
}

// sweep forgets subscriptions that are past their deadline, and pairs that hold nothing.
func (t *conversations) sweep(now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.pairs) < sweepAbove && now.Sub(t.swept) < sweepEvery {
		return
	}
	t.swept = now
	for key, c := range t.pairs {
		for k, a := range c.asked {
			if now.After(a.deadline) && !a.claimed {
				delete(c.asked, k)
			}
		}
		if len(c.awaited) == 0 && len(c.asked) == 0 {
			delete(t.pairs, key)
		}
	}
}

// evict removes what is past its deadline, and the oldest entry if nothing is.
func evict[K comparable](m map[K]*awaited, now time.Time) {
	var oldest K
	var at time.Time
	removed := false
	for k, a := range m {
		d := a.deadline
		if now.After(d) {
			delete(m, k)
			removed = true
		} else if at.IsZero() || d.Before(at) {
			oldest, at = k, d
		}
	}
	if !removed {
		delete(m, oldest)
	}
}
