package server_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/labels"
	"sallyport/labels/labelfile"
	"sallyport/labels/spif"
	"sallyport/peering"
	"sallyport/rules"
	"sallyport/server"
)

// gate judges with the real engine and records nothing: im.example is ours, far.example a neighbour.
type gate struct {
	t      *testing.T
	engine *peering.Engine
	server *server.Server

	mu     sync.Mutex
	far    []stanza.Stanza // what went to the neighbour
	hidden func(stanza.Stanza) bool
	// bounced are the ids of messages whose senders were told that they did not arrive.
	bounced map[string]bool
}

func newEngine(t testing.TB) *peering.Engine {
	t.Helper()
	lp, problems := spif.Load("../peering/testdata/policy/example.spif.xml")
	if lp == nil {
		t.Fatal(problems)
	}
	reg, err := labels.NewRegistry(lp)
	if err != nil {
		t.Fatal(err)
	}
	def, err := labelfile.LoadLabel("../peering/testdata/policy/unclassified.label.xml", reg, labelfile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	profile, wrong := rules.CompileProfile(rules.DefaultProfile("federation"))
	set, bad := rules.CompileRules(nil)
	if profile == nil || set == nil {
		t.Fatal(wrong, bad)
	}
	clear, err := labelfile.LoadClearance("../peering/testdata/policy/inside.clearance.xml", reg, labelfile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	cleared, err := labels.NewClearanceSet(clear)
	if err != nil {
		t.Fatal(err)
	}
	labelling := peering.Labelling{Clearances: cleared, DefaultLabel: def, Unlabelled: peering.UnlabelledDefault}
	kinds := peering.Kinds{Message: true, Presence: true, MUC: true, PubSub: true, IQ: []string{"*"}}
	policy, defects := peering.Compile(peering.Definition{
		Labels: reg, Profile: profile, Rules: set,
		Peers: []peering.Peer{
			{
				Name: "local", Side: "inside", Domains: []peering.Pattern{"im.example"}, Kinds: kinds, Links: []string{"local"},
				Floor: peering.Floor{Methods: []peering.Method{peering.Local}}, Labelling: labelling,
			},
			{
				Name: "far", Side: "outside", Domains: []peering.Pattern{"far.example"}, Kinds: kinds, Links: []string{"s2s"},
				Floor: peering.Floor{Methods: []peering.Method{peering.External}}, Labelling: labelling,
			},
		},
		Pairs: []peering.Pair{{From: "local", To: "local", SameSide: true, Open: true}, {From: "local", To: "far", Both: true}},
	})
	if len(defects) > 0 {
		t.Fatal(defects)
	}
	return peering.NewEngine(policy)
}

func (g *gate) judge(s stanza.Stanza) (peering.Released, error) {
	v := g.verdict(s)
	r, ok := v.Released()
	if !ok {
		return r, errors.New(v.Refusal.Detail)
	}
	return r, nil
}

func (g *gate) verdict(s stanza.Stanza) peering.Verdict {
	a := peering.Arrival{
		Stanza: s, Link: "local", Peer: "local", Domain: s.From().DomainJID(), LocalDomain: s.To().DomainJID(), Time: time.Now(),
		Proof: peering.Proof{Method: peering.Local}, Node: "n", Facts: peering.Facts{Awaited: peering.AwaitedIQ{Found: true}, Asked: true},
	}
	if s.From().Domain() == "far.example" {
		a.Link, a.Peer, a.Proof.Method = "s2s", "far", peering.External
	}
	return g.engine.Judge(&a)
}

// Refusal is server.Gate.
func (g *gate) Refusal(s stanza.Stanza, c stanza.Condition) (peering.Released, bool) {
	v := g.verdict(s)
	return g.engine.ReplyDeclined(&v, c)
}

// Submit is server.Gate.
func (g *gate) Submit(_ context.Context, s stanza.Stanza, _ int, done func()) {
	if s.Type() == stanza.MessageError {
		g.mu.Lock()
		if g.bounced == nil {
			g.bounced = make(map[string]bool)
		}
		g.bounced[s.ID()] = true
		g.mu.Unlock()
	}
	r, err := g.judge(s)
	if err != nil {
		g.refuse(s, stanza.PolicyViolation)
		done()
		return
	}
	if r.Link() == "s2s" {
		g.mu.Lock()
		g.far = append(g.far, r.Stanza())
		g.mu.Unlock()
		done()
		return
	}
	g.server.Deliver(r, func(err error) {
		var b *server.Bounce
		switch {
		case errors.As(err, &b):
			g.refuse(s, b.Condition)
		case err != nil:
			g.refuse(s, stanza.InternalServerError)
		}
		done()
	})
}

// refuse tells the sender.
func (g *gate) refuse(s stanza.Stanza, c stanza.Condition) {
	if reply, ok := stanza.ErrorReply(s, c, stanza.ErrorOptions{}); ok {
		g.Submit(context.Background(), reply, 0, func() {})
	}
}

// Release is server.Gate.
func (g *gate) Release(s stanza.Stanza) (peering.Released, error) { return g.judge(s) }

// MaySend is server.Gate.
func (g *gate) MaySend(s stanza.Stanza) bool {
	_, err := g.judge(s)
	return err == nil
}

// MayRead is server.Gate.
func (g *gate) MayRead(m stanza.Stanza, _ jid.JID) bool { return g.hidden == nil || !g.hidden(m) }
