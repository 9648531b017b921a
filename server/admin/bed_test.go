package admin_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"sallyport/internal/role"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/tree"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/server"
	"sallyport/server/account"
	"sallyport/server/admin"
	"sallyport/server/command"
	"sallyport/server/roster"
	"sallyport/server/servertest"
	"sallyport/server/store"
)

const (
	domain = "a.example"
	chief  = "chief@a.example/x"
	nurse  = "nurse@a.example/x" // may look
	romeo  = "romeo@a.example/x" // may nothing
	good   = "a long enough pass phrase"
)

// world is a server's administration without the server.
type world struct {
	*testing.T
	server.Feature
	store   *store.Store
	ops     *admin.Operations
	list    *command.Commands
	core    *servertest.Core
	now     time.Time
	present []server.Present
	ended   []string
	removed []string
	regroup int
	changed []string
	cards   []string
	listed  []string
	stopped time.Duration
	again   bool
	record  []string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, now: time.Unix(1e9, 0).UTC(), core: &servertest.Core{}, stopped: -1}
	w.store = servertest.Store(t, "chief@a.example", "nurse@a.example", "romeo@a.example", "other@b.example")
	now := func() time.Time { return w.now }
	roles := map[string]role.Role{"chief@a.example": role.Operate, "nurse@a.example": role.View}
	w.ops = admin.New(admin.Config{
		Accounts: &account.Directory{Store: w.store, Random: rand.Reader, Now: now, Policy: account.Policy{Iterations: 4096}},
		Store:    w.store, Core: w.core, Now: now,
		Sessions: func() admin.Sessions { return w },
		Serves:   func(d string) bool { return d == domain || d == "b.example" },
		Named:    func(bare jid.JID) role.Role { return roles[bare.String()] },
		NamedIn: func(jid.JID) []jid.JID {
			return []jid.JID{jid.MustParse("chief@a.example"), jid.MustParse("nurse@a.example")}
		},
		Labels:  func() (clearances, catalogues []string) { return []string{"staff"}, nil },
		Changed: func(bare jid.JID) { w.changed = append(w.changed, bare.String()) },
		Card: func(_ context.Context, owner jid.JID, card *xmlstream.Element) error {
			w.cards = append(w.cards, owner.String()+" "+servertest.Text(t, card))
			return nil
		},
		Listed: func(_ context.Context, domain string) error { w.listed = append(w.listed, domain); return nil },
		Stop: func(after time.Duration, again bool) error {
			w.stopped, w.again = after, again
			return nil
		},
	})
	w.list = command.New(now, admin.Commands(w, now)...)
	w.Feature = w.list.Feature()
	book := roster.Book{Store: w.store, Node: "n", Now: now}
	if _, err := book.Change(t.Context(), jid.MustParse("romeo@a.example"), jid.MustParse("juliet@b.example"), func(i *roster.Item) error {
		i.Name, i.Subscription, i.Groups = "Juliet", roster.Both, []string{"Friends"}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for _, who := range []string{chief, nurse, romeo, "romeo@a.example/y"} {
		w.present = append(w.present, server.Present{
			JID: jid.MustParse(who), Address: netip.MustParseAddr("192.0.2.1"), Bound: w.now, Available: true, Active: who == chief,
		})
	}
	return w
}

// Present, End and RemoveContact are admin.Sessions.
func (w *world) Present(of jid.JID) (list []server.Present) {
	for _, p := range w.present {
		if p.JID.Bare() == of.Bare() || p.JID.DomainJID() == of {
			list = append(list, p)
		}
	}
	return list
}

func (w *world) End(who jid.JID, _ stanza.StreamCondition, text string) int {
	w.ended = append(w.ended, who.String()+": "+text)
	return 1
}

func (w *world) RemoveContact(_ context.Context, owner, contact jid.JID) (bool, error) {
	w.removed = append(w.removed, owner.String()+" "+contact.String())
	return true, nil
}

func (w *world) Regroup() { w.regroup++ }

// May, Ask and Denied are admin.Desk.
func (w *world) May(ctx context.Context, who, domain jid.JID, verb string) bool {
	return w.least(verb) != role.None && w.ops.Role(ctx, who, domain, verb) >= w.least(verb)
}

func (w *world) least(verb string) role.Role {
	for _, op := range w.ops.List() {
		if op.Name == verb {
			return op.Role
		}
	}
	if verb == "peer.list" || verb == "link.status" {
		return role.View // the gateway's
	}
	return role.None
}

func (w *world) Ask(ctx context.Context, who, domain jid.JID, verb string, args, result any) error {
	if !w.May(ctx, who, domain, verb) {
		return fmt.Errorf("%w: %s", admin.ErrDenied, verb)
	}
	if verb == "peer.list" || verb == "link.status" {
		return json.Unmarshal([]byte(`[{"name":"partner","state":"up","streams":2}]`), result)
	}
	question, err := json.Marshal(args)
	if err != nil {
		return err
	}
	read := func(into any) error { return json.Unmarshal(question, into) }
	for _, op := range w.ops.List() {
		if op.Name == verb {
			if op.Recorded {
				w.record = append(w.record, who.String()+" "+verb+" "+op.Subject(read))
			}
			answer, err := op.Run(ctx, who, read)
			if err != nil {
				return err
			}
			b, err := json.Marshal(answer)
			if err != nil {
				return err
			}
			return json.Unmarshal(b, result)
		}
	}
	return fmt.Errorf("no operation %s", verb)
}

func (w *world) Denied(_ context.Context, who jid.JID, verb string) {
	w.record = append(w.record, who.String()+" "+verb+" denied")
}

// does runs one stage of a command; attrs are action and session.
func (w *world) does(who, node, attrs, in string) server.Answer {
	w.Helper()
	return servertest.Set(w.T, w.Feature, who, domain, "<command xmlns='http://jabber.org/protocol/commands' node='"+full(node)+"' "+attrs+">"+in+"</command>")
}

// session begins a command that has a form.
func (w *world) session(who, node string) (id, asked string) {
	w.Helper()
	a := w.does(who, node, "action='execute'", "")
	asked = servertest.Said(w.T, a)
	if a.Payload == nil || tree.Value(a.Payload, "status") != "executing" {
		w.Fatalf("%s: %s", node, asked)
	}
	return tree.Value(a.Payload, "sessionid"), asked
}

// fills begins a command and fills in its form.
func (w *world) fills(who, node, in string) string {
	w.Helper()
	id, _ := w.session(who, node)
	return servertest.Said(w.T, w.does(who, node, "action='complete' sessionid='"+id+"'", in))
}

func full(node string) string {
	if node[0] == '+' {
		return admin.Ours + "#" + node[1:]
	}
	return admin.Space + "#" + node
}

// x is a form that was filled in: pairs of a field and its value, more values behind it where they are lines.
func x(pairs ...string) string {
	in := field("FORM_TYPE", admin.Space)
	for i := 0; i+1 < len(pairs); i += 2 {
		in += field(pairs[i], pairs[i+1])
	}
	return "<x xmlns='jabber:x:data' type='submit'>" + in + "</x>"
}

func field(name string, values ...string) string {
	in := ""
	for _, v := range values {
		in += "<value>" + v + "</value>"
	}
	return "<field var='" + name + "'>" + in + "</field>"
}
