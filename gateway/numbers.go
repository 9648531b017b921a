package gateway

import (
	"sync"

	"sallyport/gateway/prom"
	"sallyport/internal/xmpp/stream"
	"sallyport/peering"
)

// refusals counts by stage and reason. Both come from closed lists, so it stays small.
type refusals struct {
	mu     sync.Mutex
	counts map[refusalKey]int64
}

type refusalKey struct{ stage, reason string }

func (r *refusals) add(v *peering.Refusal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.counts == nil {
		r.counts = make(map[refusalKey]int64)
	}
	r.counts[refusalKey{v.Stage.String(), string(v.Reason)}]++
}

// numbers is the gateway as monitoring sees it.
type numbers Gateway

var _ prom.Source = (*numbers)(nil)

// Alive is nil as long as the process answers.
func (n *numbers) Alive() error { return nil }

// Ready is nil while the node takes and releases stanzas.
func (n *numbers) Ready() error { return (*Gateway)(n).Ready() }

// Numbers reads every counter.
func (n *numbers) Numbers(emit prom.Emit) {
	g := (*Gateway)(n)
	emit(prom.Info, 1, g.node, g.version, g.engine.Policy().Version().String())
	emit(prom.StartTime, float64(g.started.Unix()))
	c := g.counters
	emit(prom.StanzasAccepted, float64(c.Accepted.Load()))
	for _, o := range []struct {
		name  string
		value int64
	}{
		{"delivered", c.Delivered.Load()},
		{"refused", c.Refused.Load()},
		{"dropped", c.Dropped.Load()},
		{"held", c.Held.Load()},
		{"bounced", c.Bounced.Load()},
		{"expired", c.Expired.Load()},
		{"in-doubt", c.InDoubt.Load()},
		{"superseded", c.Superseded.Load()},
		{"damaged", c.Damaged.Load()},
	} {
		emit(prom.Stanzas, float64(o.value), o.name)
	}
	emit(prom.StanzasInside, float64(c.Deciding.Load()), "deciding")
	emit(prom.StanzasInside, float64(c.Queued.Load()), "queued")
	emit(prom.StanzasBalance, float64(c.Balance()))
	emit(prom.Replies, float64(c.Replies.Load()), "delivered")
	emit(prom.Replies, float64(c.RepliesLost.Load()), "lost")
	emit(prom.Reloads, float64(c.Reloads.Load()), "done")
	emit(prom.Reloads, float64(c.ReloadsBad.Load()), "failed")
	n.refusals.mu.Lock()
	for key, count := range n.refusals.counts {
		emit(prom.Refusals, float64(count), key.stage, key.reason)
	}
	n.refusals.mu.Unlock()
	n.links(emit)
	n.expiries(emit)
	if n.clients != nil {
		here := n.clients.server.Census()
		emit(prom.Clients, float64(here.Sessions), "connected")
		emit(prom.Clients, float64(here.Available), "available")
	}
	n.spool(emit)
	n.auditLog(emit)
}

func (n *numbers) links(emit prom.Emit) {
	st := n.link.Status()
	type inOut struct{ in, out int }
	streams, queued, bytes := map[string]*inOut{}, map[string]int{}, map[string]int{}
	pending := map[string]int{}
	for name, c := range *n.peers.Load() {
		streams[name] = &inOut{}
		emit(prom.PeerStanzas, float64(c.In.Load()), name, "in")
		emit(prom.PeerStanzas, float64(c.Out.Load()), name, "out")
		if s := n.home.stock(name); s != nil {
			emit(prom.AnswersHome, float64(c.Answered.Load()), name)
			emit(prom.AnswersSaved, float64(c.Saved.Load()), name)
			emit(prom.AnswersKept, float64(s.cache.Stats().Entries), name)
		}
	}
	emit(prom.Unanswered, float64(n.counters.Unanswered.Load()))
	emit(prom.Folded, float64(n.counters.Folded.Load()))
	for _, s := range st.Streams {
		if !s.Ready {
			pending[s.Side]++
		}
		for _, p := range s.Pairs {
			if c := streams[p.Peer]; c != nil && p.Direction == stream.Outbound.String() {
				c.out++
			} else if c != nil {
				c.in++
			}
		}
	}
	for _, q := range st.Queues {
		queued[q.Peer] += q.Stanzas
		bytes[q.Peer] += q.Bytes
	}
	for name, c := range streams {
		emit(prom.PeerStreams, float64(c.in), name, "in")
		emit(prom.PeerStreams, float64(c.out), name, "out")
		emit(prom.PeerQueueStanzas, float64(queued[name]), name)
		emit(prom.PeerQueueBytes, float64(bytes[name]), name)
	}
	for side, count := range pending {
		emit(prom.ConnectionsPending, float64(count), side)
	}
	lc := n.link.Counters()
	emit(prom.ConnectionsRefused, float64(lc.RefusedSource.Load()), "", "per-address")
	emit(prom.LimitHits, float64(lc.Oversize.Load()), "stanza-bytes")
}

// spool is what waits, and the links that it waits for.
func (n *numbers) spool(emit prom.Emit) {
	for _, l := range n.carriers.all() {
		st, up := l.Status(), 0.0
		if st.State.Takes() {
			up = 1
		}
		emit(prom.LinkUp, up, st.Name, st.Peer)
		emit(prom.LinkBytes, float64(st.Traffic.BytesIn), st.Name, "in")
		emit(prom.LinkBytes, float64(st.Traffic.BytesOut), st.Name, "out")
		st.Folded = n.depot.sparedOn(st.Name, st.Peer)
		emitUsage(emit, &st)
	}
	s := n.depot.store()
	if s == nil {
		return
	}
	st, failed := s.Stats(), 0.0
	if st.Err != nil || st.DiskFull {
		failed = 1
	}
	emit(prom.SpoolFailed, failed)
	emit(prom.SpoolBalance, float64(st.Totals.Balance()))
	emit(prom.Repetitions, float64(n.counters.Repetitions.Load()))
	for _, b := range s.Backlog() {
		emit(prom.SpoolEntries, float64(b.Entries), b.Peer, b.Class.String())
		emit(prom.SpoolBytes, float64(b.Bytes), b.Peer, b.Class.String())
		emit(prom.SpoolOldest, float64(b.Oldest.Unix()), b.Peer, b.Class.String())
	}
}

func (n *numbers) auditLog(emit prom.Emit) {
	st := n.audit.Stats()
	emit(prom.AuditRecords, float64(st.Records))
	emit(prom.AuditBytes, float64(st.TotalBytes))
	emit(prom.AuditUnsynced, float64(st.Appended-st.Durable))
	failed := 0.0
	if st.Err != nil {
		failed = 1
	}
	emit(prom.AuditFailed, failed)
}
