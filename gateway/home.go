package gateway

import (
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"sallyport/gateway/answers"
	"sallyport/gateway/config"
	"sallyport/internal/xmpp/stanza"
	"sallyport/links"
	"sallyport/peering"
)

// home answers requests in place of the peers they were released to, from what these answered before.
//
// The request has been judged, recorded with the outcome "answered", and counts as delivered; the answer is an arrival from that
// peer, and takes the whole way: it counts as accepted, is judged for who asks now, recorded, and delivered or refused. A requester who may not
// have it hears what he would hear if the peer had sent it.
//
// Nothing of it survives a restart, or a reload that changes the policy: who a peer is, and over which links it is known, may be
// another matter then.
type home struct {
	g      *Gateway
	stocks atomic.Pointer[stocks]
}

// stocks are the answers of each peer, as gathered under one policy.
type stocks struct {
	version peering.Version
	of      map[string]*stock
}

// stock is what is kept of one peer.
type stock struct {
	cache     *answers.Cache
	questions []config.Question
}

// use makes the stocks of a configuration, whose policy is active. Those there are go on where nothing changed.
func (h *home) use(cfg *config.Config) {
	next := &stocks{version: h.g.engine.Policy().Version(), of: map[string]*stock{}}
	if now := h.stocks.Load(); now != nil && now.version == next.version {
		return
	}
	for i := range cfg.Peers {
		p := &cfg.Peers[i]
		if p.Refuse || len(p.Answers.Questions) == 0 {
			continue
		}
		a := &p.Answers
		next.of[p.Name] = &stock{questions: a.Questions, cache: answers.New(answers.Options{
			MaxEntries: a.MaxAnswers, MaxBytes: int(a.MaxBytes), Disco: a.Keep, Items: a.KeepItems, Cards: a.Keep, Hashed: a.KeepCaps,
		})}
	}
	h.stocks.Store(next)
}

// stock is that of a peer, nil if nothing is kept of it.
func (h *home) stock(peer string) *stock {
	s := h.stocks.Load()
	if s == nil || len(s.of) == 0 {
		return nil
	}
	return s.of[peer]
}

// answers reports whether a request is one that may be answered here.
func (s *stock) answers(request stanza.Stanza) bool {
	q, ok := answers.Of(request)
	if !ok {
		return false
	}
	var asked config.Question
	switch q.Kind {
	case answers.DiscoInfo:
		asked = config.AskDiscoInfo
		if strings.Contains(q.Node, "#") {
			asked = config.AskCaps
		}
	case answers.DiscoItems:
		asked = config.AskDiscoItems
	case answers.VCard, answers.VCard4:
		asked = config.AskVCard
	case answers.Version:
		asked = config.AskVersion
	default:
		return false
	}
	return slices.Contains(s.questions, asked)
}

// ask looks for the answer to what was just released, and leaves it with the flight.
func (h *home) ask(f *flight) {
	r, ok := f.verdict.Released()
	if !ok || !f.verdict.Effects.Await {
		return
	}
	s := h.stock(r.Peer())
	if s == nil || !s.answers(r.Stanza()) {
		return
	}
	if a, ok := s.cache.Ask(h.g.now(), r.Peer(), r.Stanza()); ok {
		f.home = &a
	}
}

// heard takes what came from a peer, judged or not: to forget is always safe.
func (h *home) heard(in *links.Inbound) {
	if s := h.stock(in.Peer); s != nil {
		s.cache.Heard(in.Peer, in.Stanza)
	}
}

// crossed takes a request that is sent to a peer, or an answer that came from one and was released.
func (h *home) crossed(f *flight, r *peering.Released) {
	switch e := &f.verdict.Effects; {
	case e.Await:
		if s := h.stock(r.Peer()); s != nil && s.answers(r.Stanza()) {
			s.cache.Asked(f.in.Time, r.Peer(), r.Stanza())
		}
	case e.Answered && f.of == nil:
		if s := h.stock(f.in.Peer); s != nil {
			in := &f.in
			s.cache.Answered(in.Time, &peering.Arrival{
				Stanza: in.Stanza, Link: in.Link, Peer: in.Peer, Proof: in.Proof, Domain: in.Domain, LocalDomain: in.LocalDomain,
				Time: in.Time, Bytes: in.Bytes,
			})
		}
	}
}

// homeAnswer is an answer of ours on its way into the pipeline.
type homeAnswer struct {
	g       *Gateway
	answer  *answers.Answer
	peer    string
	request stanza.Stanza // as it would have left
	landed  func()        // ends the flight of the request
}

// answer gives the answer to a request whose record is durable. What came in under custody is noted as taken at once, since its place
// among what came with it cannot wait; everything else is acknowledged when its answer has landed.
func (h *home) answer(f *flight) {
	r, _ := f.verdict.Released()
	a := &homeAnswer{g: h.g, answer: f.home, peer: r.Peer(), request: r.Stanza(), landed: f.land}
	h.g.counters.Queued.Add(1)
	h.g.counters.setOff.Add(1)
	domain := f.in.Domain
	if f.mark != nil {
		a.landed = func() {}
		h.g.depot.refused(f)
	}
	h.g.replies.add(domain, a.arrive)
}

// arrive ends the request as delivered, and lets the answer in.
func (a *homeAnswer) arrive() {
	g := a.g
	defer g.counters.landed.Add(1)
	c := g.peer(a.peer)
	g.counters.Queued.Add(-1)
	g.counters.Delivered.Add(1)
	g.counters.Answered.Add(1)
	c.Answered.Add(1)
	g.requested(a.request, links.Profile{})

	was := &a.answer.Arrival
	f := g.flights.get(g, &links.Inbound{
		Stanza: was.Stanza, Bytes: was.Bytes, Link: was.Link, Peer: was.Peer, Domain: was.Domain, LocalDomain: was.LocalDomain,
		Proof: was.Proof, Time: g.now(),
	})
	f.of = a
	c.Saved.Add(int64(was.Bytes))
	g.counters.Accepted.Add(1)
	g.counters.Deciding.Add(1)
	var arrival peering.Arrival
	g.arrival(&f.in, &arrival)
	g.decide(f, &arrival)
	g.reserve(g.ctx, f, &arrival)
	g.record(f, &arrival)
}

// remembered says in the record what an answer was made from.
func remembered(a *answers.Answer) string {
	return "from memory, " + a.Age.Round(time.Second).String() + " old"
}
