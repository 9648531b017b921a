package gateway

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/links"
	"sallyport/peering"
	"sallyport/server"
)

// gate is the policy core as the server of this node sees it. See doc.go for what is recorded and what is not.
type gate struct {
	g    *Gateway
	side string
}

var _ server.Gate = (*gate)(nil)

var (
	errNotReleased = errors.New("the policy does not release it")
	errKeptByOther = errors.New("no peer holds the domain that it is from")
)

// settled is what the server wants to hear once responsibility for a stanza has passed on.
type settled func()

// Settled implements links.Receipt.
func (s settled) Settled(uint64) { s() }

// Submit implements server.Gate: it is the way of every stanza that comes in on a link.
func (x *gate) Submit(ctx context.Context, s stanza.Stanza, bytes int, done func()) {
	if !x.g.entrance.enter() { // the server has ended before, so that nobody is told that this was taken
		done()
		return
	}
	defer x.g.entrance.leave()
	if bytes == 0 {
		bytes = sizeOf(s.Element())
	}
	x.g.Accept(ctx, links.Inbound{
		Stanza: s, Bytes: bytes, Link: linkLocal, Side: x.side, Peer: peerLocal,
		Domain: s.From().DomainJID(), LocalDomain: s.To().DomainJID(), Proof: ourselves(), Time: x.g.now(), Receipt: settled(done),
	})
}

// ourselves is what the server of this node proves: that it is this process.
func ourselves() peering.Proof { return peering.Proof{Method: peering.Local} }

// question is something that is judged beside the way that stanzas go, and looked at once. It is large, and presence asks one for each
// contact, so that its memory is used again.
type question struct {
	arrival peering.Arrival
	verdict peering.Verdict
}

var questions = sync.Pool{New: func() any { return new(question) }}

// ask gives an empty one.
func ask() *question { return questions.Get().(*question) }

func (q *question) free() {
	q.arrival = peering.Arrival{}
	q.verdict.Clear()
	questions.Put(q)
}

// Release implements server.Gate. What is kept of a neighbour's user is judged as if it came from there again.
func (x *gate) Release(s stanza.Stanza) (peering.Released, error) {
	policy := x.g.engine.Policy()
	q := ask()
	defer q.free()
	a, v := &q.arrival, &q.verdict
	x.kept(a, policy, s)
	if !ofServer(policy, s.From()) {
		holder := policy.Holding(s.From())
		if holder == nil || holder.Refuse || len(holder.Links) == 0 {
			return peering.Released{}, errKeptByOther
		}
		a.Peer, a.Link = holder.Name, holder.Links[0]
		a.Proof = proofAt(policy, holder, a.Link)
	}
	a.Facts.Awaited.Found, a.Facts.Asked = s.IsResponse(), true // it is the server that knows who has asked
	a.Facts.OwnWords = true
	x.fill(policy, a)
	policy.JudgeInto(a, v)
	r, ok := v.Released()
	if !ok {
		return r, fmt.Errorf("%w: %s %s (%s)", errNotReleased, v.Refusal.Stage, v.Refusal.Reason, v.Refusal.Detail)
	}
	if r.Link() != linkLocal {
		return peering.Released{}, fmt.Errorf("%w: it is for another domain", errNotReleased)
	}
	return r, nil
}

// Refusal implements server.Gate. Nothing is written down, so it has no reference.
func (x *gate) Refusal(s stanza.Stanza, c stanza.Condition) (peering.Released, bool) {
	policy := x.g.engine.Policy()
	q := ask()
	defer q.free()
	x.said(&q.arrival, s)
	q.arrival.Node = ""
	x.fill(policy, &q.arrival)
	policy.JudgeInto(&q.arrival, &q.verdict)
	q.verdict.Refusal = peering.Refusal{} // it is not why
	return x.g.engine.ReplyDeclined(&q.verdict, c)
}

// MaySend implements server.Gate.
func (x *gate) MaySend(s stanza.Stanza) bool {
	policy := x.g.engine.Policy()
	q := ask()
	defer q.free()
	x.said(&q.arrival, s)
	x.fill(policy, &q.arrival)
	x.g.rates.ask(policy, &q.arrival, &q.verdict)
	return q.verdict.Outcome == peering.Release
}

// mayAnswer reports whether an answer of the server to a request would be released to whom it is for. Nothing is counted or written down.
func (x *gate) mayAnswer(answer stanza.Stanza) bool {
	policy := x.g.engine.Policy()
	if ofServer(policy, answer.To()) {
		return true // MayRead has looked
	}
	q := ask()
	defer q.free()
	a := &q.arrival
	x.kept(a, policy, answer)
	a.Facts.Awaited.Found, a.Facts.Asked, a.Facts.OwnWords = true, true, true
	x.fill(policy, a)
	policy.JudgeInto(a, &q.verdict)
	return q.verdict.Outcome == peering.Release
}

// MayRead implements server.Gate.
func (x *gate) MayRead(message stanza.Stanza, reader jid.JID) bool {
	policy := x.g.engine.Policy()
	q := ask()
	defer q.free()
	a := &q.arrival
	x.kept(a, policy, message.WithAddresses(message.From(), reader))
	a.Facts.Recipient = x.g.people.clearance(reader, a.Time)
	if a.Facts.Recipient.Source == "" {
		a.Facts.Recipient = policy.ClearanceOf(reader)
	}
	policy.MayReadInto(a, &q.verdict)
	return q.verdict.Outcome == peering.Release
}

// said fills an empty arrival with what the server or one of its users says.
func (x *gate) said(a *peering.Arrival, s stanza.Stanza) {
	a.Stanza, a.Link, a.Peer, a.Proof = s, linkLocal, peerLocal, ourselves()
	a.Domain, a.LocalDomain, a.Time, a.Node = s.From().DomainJID(), s.To().DomainJID(), x.g.now(), x.g.node
}

// kept fills an empty arrival with what comes from the server, and all that no client has to ask for.
func (x *gate) kept(a *peering.Arrival, policy *peering.Policy, s stanza.Stanza) {
	x.said(a, s)
	if policy.ReissuesIDs() && s.IsRequest() {
		a.Facts.FreshID = s.ID() // the server has made it, and waits for it
	}
	for range policy.Buckets() { // nobody has asked for more than one answer
		a.Facts.Levels = append(a.Facts.Levels, math.MaxUint16)
	}
}

func (x *gate) fill(policy *peering.Policy, a *peering.Arrival) {
	x.g.people.fill(a)
	x.g.outsiders.fill(policy, a)
	policy.FillClearances(a)
}

// ofServer reports an address of the server of this node, as opposed to one of a neighbour.
func ofServer(policy *peering.Policy, who jid.JID) bool {
	holder := policy.Holding(who.DomainJID())
	return holder != nil && holder.Name == peerLocal
}

// proofAt is the least that a peer must prove on a link.
func proofAt(policy *peering.Policy, peer *peering.Peer, link string) peering.Proof {
	floor := policy.FloorAt(peer, link)
	proof := peering.Proof{TLS: floor.MinTLS, Pinned: floor.Pinned}
	for _, m := range floor.Methods {
		proof.Method = max(proof.Method, m)
	}
	return proof
}

// markup is about what the tags of an element take on the wire beside its names and values.
const markup = 5

// sizeOf is about how many bytes an element takes on the wire, without writing it.
func sizeOf(e *xmlstream.Element) int {
	if e == nil {
		return 0
	}
	n := 2*len(e.Local()) + markup
	for i := range e.NumAttrs() {
		a := e.AttrAt(i)
		n += len(a.Name.Local) + len(a.Value) + markup
	}
	for i := range e.NumNodes() {
		node := e.NodeAt(i)
		if node.Element != nil {
			n += sizeOf(node.Element)
		} else {
			n += len(node.Text)
		}
	}
	return n
}
