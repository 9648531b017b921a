// Package command runs commands that people find in their clients (ad-hoc commands, XEP-0050) of one or two stages: a form that is filled in
// where there is one, then the result.
//
// Inside: [Command], [New]. Not inside: any command.
//
// It must never show a command to who may not run it, never run one by a session of somebody else, and never keep more sessions than
// MaxSessions.
package command

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"sync"
	"time"

	"sallyport/internal/xmpp/form"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/tree"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/server"
	"sallyport/server/disco"
)

const (
	// Space is the namespace, and the node of the list of commands.
	Space  = "http://jabber.org/protocol/commands"
	nsInfo = "http://jabber.org/protocol/disco#info"

	// MaxSessions is how many forms wait to be filled in, of everybody.
	MaxSessions = 10_000
	maxOfOne    = 20
	lifetime    = 15 * time.Minute
)

// Command is one of a server.
type Command struct {
	Node, Name string
	// May reports whether somebody may run it at a domain of ours; nil: nobody may.
	May func(ctx context.Context, who, domain jid.JID) bool
	// Form is what has to be filled in first; nil: nothing.
	Form func(ctx context.Context, who, domain jid.JID) (form.Form, error)
	// Run does it. The form is of type submit, or the zero value where there is none. An error of ErrForm wraps what is wrong with
	// the form, in words for who filled it in.
	Run func(ctx context.Context, who, domain jid.JID, f form.Form) (Result, error)
	// Unlisted commands are not among the items. They are for what cannot be had, which Run says.
	Unlisted bool
	// Refused hears that somebody tried who may not; nil: nobody hears of it.
	Refused func(ctx context.Context, who, domain jid.JID)
}

// Result is what came of a command.
type Result struct {
	Form *form.Form // of type result; nil for none
	Note string
}

// Refusal is an error that says what who runs a command is told.
type Refusal struct {
	Condition stanza.Condition
	Text      string // words of ours
	Cause     error
}

// Error is for logs.
func (r *Refusal) Error() string { return r.Condition.String() + ": " + r.Text }

// Unwrap returns the cause.
func (r *Refusal) Unwrap() error { return r.Cause }

// ErrForm: what was filled in is not acceptable.
var ErrForm = errors.New("the form is not filled in well")

// Commands answers. It is safe for concurrent use.
type Commands struct {
	list []Command
	now  func() time.Time

	mu       sync.Mutex
	sessions map[string]session
}

type session struct {
	who     jid.JID // full
	node    string
	expires time.Time
}

// New makes it. Nodes must differ.
func New(now func() time.Time, list ...Command) *Commands {
	return &Commands{list: list, now: now, sessions: make(map[string]session)}
}

// Feature is what the server is given.
func (c *Commands) Feature() server.Feature {
	return server.Feature{
		Name: "commands", ServerFeatures: []string{Space},
		IQ: []server.IQRoute{{Space: Space, Local: "command", At: []server.Target{server.AtServer}, Handle: c.handle}},
	}
}

// Items are the commands that somebody may run, for disco#items of the node Space.
func (c *Commands) Items(ctx context.Context, who, domain jid.JID) []disco.Item {
	var list []disco.Item
	for i := range c.list {
		if one := &c.list[i]; !one.Unlisted && may(ctx, one, who, domain) {
			list = append(list, disco.Item{JID: domain, Node: one.Node, Name: one.Name})
		}
	}
	return list
}

// Info is the disco#info of the list or of a command; nil for what somebody may not run.
func (c *Commands) Info(ctx context.Context, who, domain jid.JID, node string) *xmlstream.Element {
	kind, name := "command-list", ""
	if node != Space {
		one := c.find(ctx, who, domain, node)
		if one == nil {
			return nil
		}
		kind, name = "command-node", one.Name
	}
	return tree.New(nsInfo, "query", tree.With(
		tree.New(nsInfo, "identity", tree.Attr("category", "automation"), tree.Attr("name", name), tree.Attr("type", kind)),
		tree.New(nsInfo, "feature", tree.Attr("var", Space)), tree.New(nsInfo, "feature", tree.Attr("var", form.Space)),
	))
}

func may(ctx context.Context, c *Command, who, domain jid.JID) bool {
	return c.May != nil && c.May(ctx, who, domain)
}

func (c *Commands) find(ctx context.Context, who, domain jid.JID, node string) *Command {
	i := slices.IndexFunc(c.list, func(one Command) bool { return one.Node == node })
	if i < 0 || !may(ctx, &c.list[i], who, domain) {
		return nil
	}
	return &c.list[i]
}

// refuse tells a command of somebody who may not run it.
func (c *Commands) refuse(ctx context.Context, who, domain jid.JID, node string) {
	for i := range c.list {
		if one := &c.list[i]; one.Node == node && one.Refused != nil {
			one.Refused(ctx, who, domain)
		}
	}
}

func refused(condition stanza.Condition, app string) server.Answer {
	a := server.Answer{Condition: condition}
	if app != "" {
		a.App = tree.New(Space, app)
	}
	return a
}

func (c *Commands) handle(ctx context.Context, q *server.Request) server.Answer {
	node, action, id := tree.Value(q.Payload, "node"), tree.Value(q.Payload, "action"), tree.Value(q.Payload, "sessionid")
	one := c.find(ctx, q.From, q.Domain, node)
	switch {
	case !q.Set:
		return refused(stanza.BadRequest, "")
	case one == nil:
		c.refuse(ctx, q.From, q.Domain, node)
		return refused(stanza.ItemNotFound, "") // who may not is not told that it is there
	case !slices.Contains([]string{"", "execute", "next", "complete", "cancel", "prev"}, action):
		return refused(stanza.BadRequest, "malformed-action")
	case action == "prev":
		return refused(stanza.BadRequest, "bad-action")
	}
	if id == "" {
		return c.begin(ctx, q, one, action)
	}
	if condition, app := c.end(id, q.From, node); condition != stanza.NoCondition {
		return refused(condition, app)
	}
	if action == "cancel" {
		return server.Answer{Payload: said(one, id, "canceled")}
	}
	f, err := form.Parse(q.Payload.Child(form.Space, "x"))
	if err != nil || f.Type != "submit" {
		return refused(stanza.BadRequest, "bad-payload")
	}
	return run(ctx, q, one, id, f)
}

// begin gives the form, or runs what needs none.
func (c *Commands) begin(ctx context.Context, q *server.Request, one *Command, action string) server.Answer {
	if action != "" && action != "execute" && (action != "complete" || one.Form != nil) {
		return refused(stanza.BadRequest, "bad-action")
	}
	if one.Form == nil {
		return run(ctx, q, one, rand.Text(), form.Form{})
	}
	f, err := one.Form(ctx, q.From, q.Domain)
	if err != nil {
		return failed(err)
	}
	id, ok := c.remember(session{q.From.Clone(), one.Node, c.now().Add(lifetime)})
	if !ok {
		return refused(stanza.ResourceConstraint, "")
	}
	actions := tree.New(Space, "actions", tree.Attr("execute", "complete"), tree.With(tree.New(Space, "complete")))
	return server.Answer{Payload: said(one, id, "executing", actions, f.Element())}
}

func run(ctx context.Context, q *server.Request, one *Command, id string, f form.Form) server.Answer {
	r, err := one.Run(ctx, q.From, q.Domain, f)
	if err != nil {
		return failed(err)
	}
	var in []*xmlstream.Element
	if r.Note != "" {
		in = append(in, tree.New(Space, "note", tree.Attr("type", "info"), tree.Text(r.Note)))
	}
	if r.Form != nil {
		in = append(in, r.Form.Element())
	}
	return server.Answer{Payload: said(one, id, "completed", in...)}
}

// failed says in an answer what a command has said in an error.
func failed(err error) server.Answer {
	a, why := refused(stanza.InternalServerError, ""), (*Refusal)(nil)
	switch {
	case errors.As(err, &why):
		a.Condition, a.Text = why.Condition, why.Text
	case errors.Is(err, ErrForm):
		a.Condition, a.Text = stanza.NotAcceptable, err.Error()
	}
	return a
}

func said(one *Command, id, status string, in ...*xmlstream.Element) *xmlstream.Element {
	return tree.New(Space, "command", tree.Attr("node", one.Node), tree.Attr("sessionid", id), tree.Attr("status", status), tree.With(in...))
}

// remember gives a new session its id; false where there are too many. Of one account the oldest makes room: a form whose window was closed, or
// whose client has gone, would keep its owner from everything until it expires.
func (c *Commands) remember(s session) (id string, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	of, oldest, now := 0, "", c.now()
	for id, old := range c.sessions {
		switch {
		case !now.Before(old.expires):
			delete(c.sessions, id)
		case old.who.Bare() == s.who.Bare():
			if of++; oldest == "" || old.expires.Before(c.sessions[oldest].expires) {
				oldest = id
			}
		}
	}
	if of >= maxOfOne {
		delete(c.sessions, oldest)
	}
	if len(c.sessions) >= MaxSessions {
		return "", false
	}
	id = rand.Text()
	c.sessions[id] = s
	return id, true
}

// end takes a session away from who it belongs to.
func (c *Commands) end(id string, who jid.JID, node string) (condition stanza.Condition, app string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, ok := c.sessions[id]
	if !ok || s.who != who || s.node != node {
		return stanza.BadRequest, "bad-sessionid"
	}
	delete(c.sessions, id)
	if !c.now().Before(s.expires) {
		return stanza.NotAllowed, "session-expired"
	}
	return stanza.NoCondition, ""
}
