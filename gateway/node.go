package gateway

import (
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"sallyport/gateway/audit"
	"sallyport/gateway/config"
	"sallyport/gateway/control"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/peering"
)

var (
	_ control.Node     = (*Gateway)(nil)
	_ control.Recorder = (*Gateway)(nil)
)

// Status is the node at a glance.
func (g *Gateway) Status(context.Context) (control.Status, error) {
	g.mu.Lock()
	cfg, reloaded, lastErr := g.cfg, g.reloaded, g.lastReload
	g.mu.Unlock()
	s := control.Status{
		Node: g.node, Version: g.version, PID: os.Getpid(), Started: g.started,
		Config: cfg.Source.Path, Digest: cfg.Source.Digest, Policy: g.engine.Policy().Version().String(),
		Reloaded: reloaded, LastReloadError: lastErr,
		Stanzas: g.stanzas(), Audit: g.auditStatus(), Ready: g.Ready() == nil, Problems: g.problems(),
	}
	for i := range cfg.Sides {
		s.Sides = append(s.Sides, g.sideStatus(&cfg.Sides[i]))
	}
	if g.clients != nil {
		s.Server = g.clients.status(&cfg.Server)
	}
	return s, nil
}

func (g *Gateway) stanzas() control.Stanzas {
	c := g.counters
	return control.Stanzas{
		Accepted: c.Accepted.Load(), Deciding: c.Deciding.Load(), Queued: c.Queued.Load(), Delivered: c.Delivered.Load(),
		Refused: c.Refused.Load(), Dropped: c.Dropped.Load(), Held: c.Held.Load(), Bounced: c.Bounced.Load(),
		Expired: c.Expired.Load(), InDoubt: c.InDoubt.Load(), Superseded: c.Superseded.Load(), Damaged: c.Damaged.Load(),
		Folded: c.Folded.Load(), Answered: c.Answered.Load(), Unanswered: c.Unanswered.Load(), Repetitions: c.Repetitions.Load(),
	}
}

// Ready is nil while the node takes and releases stanzas, else why it does not.
func (g *Gateway) Ready() error {
	if why := g.unwritten.Load(); why != nil {
		return errors.New("audit log has failed: " + *why)
	}
	if !g.listening.Load() {
		return errors.New("not listening")
	}
	if g.clients != nil && g.clients.store != nil {
		if err := g.clients.store.Failed(); err != nil {
			return fmt.Errorf("%w: look at its disk, then restart the node", err)
		}
	}
	return nil
}

// hinderedLately is how long an operator is told what hindered the store.
const hinderedLately = time.Minute

// problems says in words what an operator should look at.
func (g *Gateway) problems() []string {
	var out []string
	if err := g.Ready(); err != nil {
		out = append(out, err.Error())
	}
	if st := g.audit.Stats(); st.LastSinkError != "" {
		out = append(out, "the head of the audit log did not reach its second place: "+st.LastSinkError)
	}
	if s := g.depot.store(); s != nil {
		st := s.Stats()
		if st.Err != nil {
			out = append(out, "the spool has stopped: "+st.Err.Error())
		}
		if st.DiskFull {
			out = append(out, "the disk of the spool is full: nothing new is taken for peers that wait, what is there is kept")
		}
		if n := st.Totals.Balance(); n != 0 {
			out = append(out, fmt.Sprintf("the sums of the spool do not add up: %d unaccounted for", n))
		}
	}
	if g.clients != nil && g.clients.store != nil {
		if err := g.clients.store.Hindered(hinderedLately); err != nil {
			out = append(out, "the store of the server takes nothing, or did not lately: "+err.Error())
		}
	}
	out = append(out, g.expiring()...)
	if n := g.counters.Balance(); n != 0 {
		if again := g.counters.Balance(); again == n && g.counters.Deciding.Load() == 0 {
			out = append(out, fmt.Sprintf("stanza counters do not add up: %d unaccounted for", n))
		}
	}
	return out
}

// Explain says what would become of a stanza under the active policy. Nothing is sent,
// recorded or remembered.
func (g *Gateway) Explain(_ context.Context, q control.ExplainQuestion) (json.RawMessage, error) {
	x, err := explain(g.engine.Policy(), q, g.now(), g.people.fill)
	if err != nil {
		return nil, err
	}
	return json.Marshal(x)
}

// Explain judges one stanza under a policy as if a peer had sent it over a stream that
// meets the peer's floor, with every answer awaited.
func Explain(p *peering.Policy, q control.ExplainQuestion, now time.Time) (peering.Explanation, error) {
	return explain(p, q, now, func(*peering.Arrival) {})
}

// explain is Explain with what accounts are cleared for, which only a running node knows.
func explain(p *peering.Policy, q control.ExplainQuestion, now time.Time, fill func(*peering.Arrival)) (peering.Explanation, error) {
	peer := p.Peer(q.From)
	if peer == nil {
		return peering.Explanation{}, fmt.Errorf("no peer %q in this configuration", q.From)
	}
	limits := xmlstream.ServerLimits()
	e, err := xmlstream.ParseDocument([]byte(q.Stanza), xmlstream.Options{Limits: limits, ContentNS: xmlstream.NSServer})
	if err != nil {
		return peering.Explanation{}, fmt.Errorf("read the stanza: %w; a stream that sent this would be closed", err)
	}
	s, err := stanza.From(e)
	if err != nil {
		return peering.Explanation{}, fmt.Errorf("read the stanza: %w", err)
	}
	a := peering.Arrival{
		Stanza: s, Link: linkS2S, Peer: peer.Name, Domain: s.From().DomainJID(), LocalDomain: s.To().DomainJID(), Time: now,
		Node: "explain", Serial: 1, Bytes: len(q.Stanza),
		Facts: peering.Facts{Awaited: peering.AwaitedIQ{Found: s.IsResponse()}, Asked: true, FreshID: "explain"},
	}
	if q.Domain != "" {
		if a.Domain, err = jid.ParseDomain(q.Domain); err != nil {
			return peering.Explanation{}, fmt.Errorf("domain: %w", err)
		}
	}
	if a.Proof = bestProof(peer); peer.Name == peerLocal {
		a.Link = peer.Links[0]
	}
	for _, b := range p.Buckets() {
		a.Facts.Levels = append(a.Facts.Levels, uint32(max(b.Burst, 0)))
	}
	fill(&a)
	p.FillClearances(&a)
	v := p.Judge(&a)
	return peering.Explain(&v), nil
}

// bestProof is a stream that meets the peer's floor, if any can.
func bestProof(p *peering.Peer) peering.Proof {
	proof := peering.Proof{TLS: p.Floor.MinTLS, Pinned: p.Floor.Pinned}
	for _, m := range p.Floor.Methods {
		proof.Method = max(proof.Method, m)
	}
	return proof
}

// Record writes an operator's command into the audit log and waits until it is there.
func (g *Gateway) Record(_ context.Context, e control.Event) error {
	rec := commandRecord(e)
	rec.Time, rec.Node = g.now(), g.node
	return g.append(&rec)
}

// commandRecord says who wanted what, about whom, and what came of it.
func commandRecord(e control.Event) audit.Record {
	return audit.Record{Kind: audit.ControlCommand, From: e.By.String(), To: e.Subject, Rule: e.Verb, Outcome: e.Outcome.String(), Reason: cmp.Or(e.Error, e.Note)}
}

// Reload reads the configuration file again, on behalf of a caller on the control socket.
func (g *Gateway) Reload(_ context.Context, by control.Caller, q control.ReloadQuestion) (control.Reloaded, error) {
	if q.AllowRollback {
		return g.reload(by.String(), AllowRollbacks)
	}
	return g.reload(by.String(), RefuseRollbacks)
}

func (g *Gateway) auditStatus() control.AuditStatus {
	st := g.audit.Stats()
	head := g.audit.Head()
	out := control.AuditStatus{Seq: head.Seq, Hash: hex.EncodeToString(head.Hash[:]), Bytes: st.TotalBytes, Segments: int(st.Segment), Signed: head.Time}
	if why := g.unwritten.Load(); why != nil {
		out.Error = *why
	}
	return out
}

// active is the configuration that is in force.
func (g *Gateway) active() *config.Config {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.cfg
}
