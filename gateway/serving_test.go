package gateway_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"go.uber.org/zap"

	"sallyport/gateway"
	"sallyport/gateway/audit"
	"sallyport/internal/tlsid/tlsidtest"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/links"
	"sallyport/peering"
	"sallyport/server"
	"sallyport/server/account"
	"sallyport/server/account/accounttest"
)

const homeTable = `
[server]
domains = ["home.example"]
side = "in"
listen = ["127.0.0.1:3"]

[server.labels]
clearance = "policy/inside.clearance.xml"
unlabelled = "default"
default-label = "policy/unclassified.label.xml"

[server.clearance.low]
file = "policy/outside.clearance.xml"
`

const homePairs = memPairs + `
[[pair]]
between = ["local", "b"]
`

var homeLeaf = sync.OnceValue(func() *tlsidtest.Leaf { return issue("a.example", "b.example", "c.example", "home.example") })

// house is a server without features: what was released to it stands in a list.
type house struct {
	gate   server.Gate
	people accounttest.Memory

	mu     sync.Mutex
	fate   func(id string) error // nil: delivered
	keep   bool                  // nothing is reported before settle
	got    []peering.Released
	kept   []func()
	closed bool
}

// Deliver takes what was released.
func (h *house) Deliver(r peering.Released, done server.Delivered) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := r.Stanza()
	var err error
	if h.fate != nil {
		err = h.fate(s.ID())
	}
	h.got = append(h.got, r)
	if h.keep {
		h.kept = append(h.kept, func() { done(err) })
		return
	}
	go done(err)
}

// Census counts nobody.
func (h *house) Census() server.Census { return server.Census{Sessions: 2, Users: 1} }

// Close ends it.
func (h *house) Close() {
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
}

func (h *house) settle() {
	h.mu.Lock()
	kept := h.kept
	h.kept, h.keep = nil, false
	h.mu.Unlock()
	for _, do := range kept {
		do()
	}
}

func (h *house) ids() (out []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range h.got {
		s := h.got[i].Stanza()
		out = append(out, s.ID())
	}
	return out
}

// errorTo is the condition and text of the error that an address was sent, "" if none.
func (h *house) errorTo(to string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range h.got {
		if s := h.got[i].Stanza(); s.IsError() && s.To().String() == to {
			c, _ := s.Error()
			return c.String() + " " + s.Element().Child(xmlstream.NSServer, "error").Child(xmlstream.NSStanzas, "text").Text()
		}
	}
	return ""
}

// atHome runs a test in virtual time on a node with a server.
func atHome(t *testing.T, edit func(*site), test func(t *testing.T, n *node, h *house)) {
	t.Helper()
	s := newSite(t, homeLeaf())
	s.more, s.pairs = homeTable, homePairs
	if edit != nil {
		edit(s)
	}
	synctest.Test(t, func(t *testing.T) {
		n := &node{t: t, site: s, disk: newSlowDisk(), receipts: &receipts{told: map[uint64]int{}}, reloads: make(chan struct{}), done: make(chan error, 1)}
		h := &house{}
		link := func(sink links.Sink) gateway.WatchedLink {
			n.link = newMemLink(sink)
			return n.link
		}
		g, err := gateway.NewServing(s.load(t), gateway.Options{Log: zap.NewNop(), Version: "test"}, n.disk, link,
			func(gate server.Gate) (gateway.Serves, account.Accounts) {
				h.gate = gate
				return h, &h.people
			})
		if err != nil {
			t.Fatal(err)
		}
		n.Gateway = g
		ctx, cancel := context.WithCancel(context.Background())
		n.cancel = cancel
		go func() { n.done <- g.Run(ctx, n.reloads) }()
		synctest.Wait()
		defer func() {
			if !n.stopped {
				n.end()
			}
			if !h.closed {
				t.Error("the server was never closed")
			}
		}()
		test(t, n, h)
	})
}

// say submits what a client says and returns how often it was told that this was taken.
func (h *house) say(t *testing.T, text string) *int {
	t.Helper()
	told := new(int)
	h.gate.Submit(t.Context(), parseStanza(t, text), 0, func() { *told++ })
	return told
}

// account adds somebody with a clearance.
func (h *house) account(t *testing.T, address, clearance string) {
	t.Helper()
	j := jid.MustParse(address)
	if _, err := h.people.EnsureDomain(t.Context(), account.Domain{Name: j.Domain()}); err != nil {
		t.Fatal(err)
	}
	if err := h.people.CreateAccount(t.Context(), account.Account{JID: j, State: account.Enabled, Clearance: clearance}); err != nil {
		t.Fatal(err)
	}
}

const unknownShape = `<x xmlns='urn:nobody:knows'/>`

func said(id, from, to, more string) string {
	return "<message id='" + id + "' from='" + from + "' to='" + to + "' type='chat'><body>hello</body>" + more + "</message>"
}

// Users of one server may say anything to each other, and it is recorded before it is delivered.
func TestAmongUsers(t *testing.T) {
	t.Parallel()
	atHome(t, nil, func(t *testing.T, n *node, h *house) {
		told := h.say(t, said("m1", "a@home.example/r", "b@home.example", unknownShape))
		n.rest()
		if got := h.ids(); !slices.Equal(got, []string{"m1"}) || *told != 1 {
			t.Fatalf("delivered %v, told %d times", got, *told)
		}
		r := h.got[0]
		s := r.Stanza()
		if s.Element().Child("urn:nobody:knows", "x") == nil || r.Link() != "local" {
			t.Errorf("released %v over %s", s.Element(), r.Link())
		}
		rec := n.record(audit.Filter{Address: "b@home.example"})
		if rec.FromPeer != "local" || rec.ToPeer != "local" || rec.Outcome != "released" {
			t.Errorf("recorded %+v", rec.Record)
		}
	})
}

// To the outside the boundary is what it is to everybody; who is refused reads why, with a reference.
func TestUsersAndOthers(t *testing.T) {
	t.Parallel()
	atHome(t, nil, func(t *testing.T, n *node, h *house) {
		crossed := h.say(t, said("m1", "a@home.example/r", "v@b.example", ""))
		nobody := h.say(t, said("m2", "a@home.example/r", "v@a.example", "")) // no pair
		shape := h.say(t, "<iq id='m3' type='get' from='a@home.example/q' to='v@b.example'><x xmlns='urn:nobody:knows'/></iq>")
		n.rest()
		n.wantIDs("b.example", "m1")
		if *crossed != 1 || *nobody != 1 || *shape != 1 {
			t.Errorf("told %d, %d and %d times", *crossed, *nobody, *shape)
		}
		ref := n.record(audit.Filter{Address: "v@a.example"}).Ref
		if got := h.errorTo("a@home.example/r"); got != "not-allowed reference "+ref {
			t.Errorf("the sender reads %q, reference %s", got, ref)
		}
		if got := h.errorTo("a@home.example/q"); !strings.HasPrefix(got, "service-unavailable ") {
			t.Errorf("the sender reads %q", got)
		}
	})
}

// A question among users finds its answer, and an answer to nothing goes nowhere.
func TestQuestionsAmongUsers(t *testing.T) {
	t.Parallel()
	atHome(t, nil, func(t *testing.T, n *node, h *house) {
		h.say(t, "<iq id='q1' type='get' from='a@home.example/r' to='b@home.example/r'><x xmlns='urn:nobody:knows'/></iq>")
		n.rest()
		h.say(t, "<iq id='q1' type='result' from='b@home.example/r' to='a@home.example/r'/>")
		h.say(t, "<iq id='q2' type='result' from='b@home.example/r' to='a@home.example/r'/>")
		n.rest()
		if got := h.ids(); !slices.Equal(got, []string{"q1", "q1"}) {
			t.Errorf("delivered %v", got)
		}
	})
}
