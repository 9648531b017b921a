// Package disco tells what the server and its accounts are and can do (service discovery, XEP-0030), and the hashes that stand for it
// (XEP-0115, XEP-0390).
//
// Inside: [New]; [Disco.Caps] for the features of a stream. Not inside: what each feature announces (server.Feature has it), nodes of
// PEP (they come by Config.Nodes), the caps of clients.
//
// It must never tell who does not see the presence of an account that it exists: he gets the answer for an address without account
// (XEP-0030 §8).
package disco

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"sallyport/internal/xmpp/caps"
	"sallyport/internal/xmpp/form"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/tree"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/server"
)

// Namespaces.
const (
	nsInfo  = "http://jabber.org/protocol/disco#info"
	nsItems = "http://jabber.org/protocol/disco#items"
	nsCaps  = "http://jabber.org/protocol/caps"
	nsCaps2 = "urn:xmpp:caps"
	nsHash  = "urn:xmpp:hashes:2"
)

// Identity is what something is (XEP-0030 §3.1).
type Identity struct{ Category, Type, Name string }

// Item is what belongs to something (XEP-0030 §4.1).
type Item struct {
	JID  jid.JID
	Node string
	Name string
}

// Config says what there is to tell.
type Config struct {
	Name     string           // of the server
	CapsNode string           // the URI of the software
	Features []server.Feature // all others
	// ServerFeatures and AccountFeatures are what the server does without a feature.
	ServerFeatures, AccountFeatures []string
	Identities                      []Identity  // of the server beside server/im
	Forms                           []form.Form // of the server (XEP-0128)
	// Items are those of a domain; nil: none.
	Items func(domain jid.JID) []Item
	// MaySee reports whether somebody is subscribed to the presence of an account; nil: nobody is.
	MaySee func(ctx context.Context, account, who jid.JID) bool
	// Nodes gives the nodes of an account that somebody may see, Node what one of them is, nil for none. Both nil: accounts have none.
	Nodes func(ctx context.Context, account, who jid.JID) []Item
	Node  func(ctx context.Context, account, who jid.JID, node string) *xmlstream.Element
	// ServerItems and ServerInfo are for nodes of a domain, as commands (XEP-0050); ok is false, and the element nil, for a node that
	// is not there. Nil: there are none.
	ServerItems func(ctx context.Context, who, domain jid.JID, node string) (items []Item, ok bool)
	ServerInfo  func(ctx context.Context, who, domain jid.JID, node string) *xmlstream.Element
}

// Disco answers. It is safe for concurrent use.
type Disco struct {
	config     Config
	identities []Identity // of the server
	features   []string
	account    *xmlstream.Element
	server     atomic.Pointer[told]
}

// told is what the server is, and the hashes that stand for it. It does not change.
type told struct {
	info *xmlstream.Element
	ver  string // sha-1 (XEP-0115)
	hash string // sha-256 (XEP-0390)
}

// New makes it of everything that is to be told.
func New(c Config) (*Disco, error) {
	d := &Disco{config: c}
	ours := []string{nsInfo, nsItems}
	serverVars := slices.Concat(ours, []string{nsCaps, nsCaps2}, c.ServerFeatures)
	accountVars := slices.Concat(ours, c.AccountFeatures)
	for _, f := range c.Features {
		serverVars = append(serverVars, f.ServerFeatures...)
		accountVars = append(accountVars, f.AccountFeatures...)
	}
	d.identities, d.features = append([]Identity{{"server", "im", c.Name}}, c.Identities...), serverVars
	own := []Identity{{"account", "registered", ""}}
	if c.Nodes != nil {
		own = append(own, Identity{"pubsub", "pep", ""})
	}
	d.account = info(own, accountVars, nil)
	use, err := d.Prepare(c.Forms)
	if err != nil {
		return nil, err
	}
	use()
	return d, nil
}

// Prepare makes ready to tell other forms of the server (XEP-0128); use has it do so. Caps are others then, and whoever has those of before
// is told item-not-found for their nodes.
func (d *Disco) Prepare(forms []form.Form) (use func(), err error) {
	next := &told{info: info(d.identities, slices.Clone(d.features), forms)}
	if next.ver, err = caps.Ver("sha-1", next.info); err != nil {
		return nil, fmt.Errorf("the caps of the server: %w", err)
	}
	if next.hash, err = caps.Hash(next.info); err != nil {
		return nil, fmt.Errorf("the caps of the server: %w", err)
	}
	return func() { d.server.Store(next) }, nil
}

// info sorts vars.
func info(identities []Identity, vars []string, forms []form.Form) *xmlstream.Element {
	var in []*xmlstream.Element
	for _, i := range identities {
		in = append(in, tree.New(nsInfo, "identity", tree.Attr("category", i.Category), tree.Attr("name", i.Name), tree.Attr("type", i.Type)))
	}
	slices.Sort(vars)
	for _, v := range slices.Compact(vars) {
		in = append(in, tree.New(nsInfo, "feature", tree.Attr("var", v)))
	}
	for _, f := range forms {
		in = append(in, f.Element())
	}
	return tree.New(nsInfo, "query", tree.With(in...))
}

// Feature is what answers.
func (d *Disco) Feature() server.Feature {
	at := []server.Target{server.AtAccount, server.AtOthers, server.AtServer}
	return server.Feature{
		Name: "service discovery",
		IQ: []server.IQRoute{
			{Space: nsInfo, Local: "query", At: at, Handle: d.info},
			{Space: nsItems, Local: "query", At: at, Handle: d.items},
		},
	}
}

// Caps are the elements that a stream's features have of the server now (XEP-0115 §6.3, XEP-0390 §5.3).
func (d *Disco) Caps() []*xmlstream.Element {
	now := d.server.Load()
	return []*xmlstream.Element{
		tree.New(nsCaps, "c", tree.Attr("hash", "sha-1"), tree.Attr("node", d.config.CapsNode), tree.Attr("ver", now.ver)),
		tree.New(nsCaps2, "c", tree.With(tree.New(nsHash, "hash", tree.Attr("algo", "sha-256"), tree.Text(now.hash)))),
	}
}

func (d *Disco) info(ctx context.Context, q *server.Request) server.Answer {
	node := tree.Value(q.Payload, "node") // an empty one is none, as others have it
	now := d.server.Load()
	switch {
	case q.Set:
		return server.Answer{Condition: stanza.BadRequest}
	case q.At != server.AtServer && !d.sees(ctx, q):
		return server.Answer{Condition: stanza.ServiceUnavailable}
	case q.At == server.AtServer && (node == "" || node == d.config.CapsNode+"#"+now.ver || node == nsCaps2+"#sha-256."+now.hash):
		return server.Answer{Payload: named(now.info, node)}
	case node == "":
		return server.Answer{Payload: d.account}
	}
	if e := d.node(ctx, q, node); e != nil {
		return server.Answer{Payload: named(e, node)}
	}
	return server.Answer{Condition: stanza.ItemNotFound}
}

// node is what a node of the server or of an account is to who asks; nil: there is none.
func (d *Disco) node(ctx context.Context, q *server.Request, node string) *xmlstream.Element {
	switch {
	case q.At == server.AtServer && d.config.ServerInfo != nil:
		return d.config.ServerInfo(ctx, q.From, q.Domain, node)
	case q.At != server.AtServer && d.config.Node != nil:
		return d.config.Node(ctx, q.Account, q.From, node)
	}
	return nil
}

// named says for which node an answer is.
func named(e *xmlstream.Element, node string) *xmlstream.Element {
	if node == "" {
		return e
	}
	return e.WithAttr(xmlstream.Name{Local: "node"}, node)
}

func (d *Disco) sees(ctx context.Context, q *server.Request) bool {
	return q.At == server.AtAccount || d.config.MaySee != nil && d.config.MaySee(ctx, q.Account, q.From.Bare())
}

func (d *Disco) items(ctx context.Context, q *server.Request) server.Answer {
	node := tree.Value(q.Payload, "node")
	var list []Item
	found := node == ""
	switch {
	case q.Set:
		return server.Answer{Condition: stanza.BadRequest}
	case q.At != server.AtServer && !d.sees(ctx, q):
		return server.Answer{Condition: stanza.ServiceUnavailable}
	case node != "" && q.At == server.AtServer && d.config.ServerItems != nil:
		list, found = d.config.ServerItems(ctx, q.From, q.Domain, node)
	case node != "": // items of a node of an account are asked for by pubsub
	case q.At == server.AtServer && d.config.Items != nil:
		list = d.config.Items(q.Domain)
	case q.At != server.AtServer && d.config.Nodes != nil:
		list = d.config.Nodes(ctx, q.Account, q.From)
	}
	if !found {
		if d.node(ctx, q, node) == nil {
			return server.Answer{Condition: stanza.ItemNotFound}
		}
		list = nil // what has no items says so (XEP-0030 §7)
	}
	in := make([]*xmlstream.Element, len(list))
	for i, one := range list {
		in[i] = tree.New(nsItems, "item", tree.Attr("jid", one.JID.String()), tree.Attr("name", one.Name), tree.Attr("node", one.Node))
	}
	return server.Answer{Payload: named(tree.New(nsItems, "query", tree.With(in...)), node)}
}

// Contacts is the form of addresses for service (XEP-0157): each kind, as "abuse" or "admin", with its addresses.
func Contacts(addresses map[string][]string) form.Form {
	var fields []form.Field
	for kind, list := range addresses {
		fields = append(fields, form.Field{Var: kind + "-addresses", Type: "list-multi", Values: list})
	}
	slices.SortFunc(fields, func(a, b form.Field) int { return strings.Compare(a.Var, b.Var) })
	return form.Typed("result", "http://jabber.org/network/serverinfo", fields...)
}
