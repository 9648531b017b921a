package gateway

import (
	"context"
	"sync/atomic"

	"sallyport/gateway/config"
	"sallyport/internal/xmpp/form"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/server"
	"sallyport/server/account"
	"sallyport/server/avatar"
	"sallyport/server/blocking"
	"sallyport/server/bookmarks"
	"sallyport/server/disco"
	"sallyport/server/entity"
	"sallyport/server/mam"
	"sallyport/server/pep"
	"sallyport/server/private"
	"sallyport/server/profile"
	"sallyport/server/push"
	"sallyport/server/roster"
	"sallyport/server/search"
	"sallyport/server/store"
	"sallyport/server/vcard"
)

// software is what the server says that it is (XEP-0092).
const (
	software    = "Sallyport"
	softwareURI = "https://sallyport.invalid/"
)

// core is the server for its features, which are made before it. Nothing is asked of it until it is there.
type core struct{ is atomic.Pointer[server.Server] }

var _ server.Core = (*core)(nil)

// Tell implements server.Core.
func (c *core) Tell(ctx context.Context, s stanza.Stanza) error { return c.is.Load().Tell(ctx, s) }

// Submit implements server.Core.
func (c *core) Submit(ctx context.Context, s stanza.Stanza) { c.is.Load().Submit(ctx, s) }

// Ask implements server.Core.
func (c *core) Ask(ctx context.Context, request stanza.Stanza) (stanza.Stanza, error) {
	return c.is.Load().Ask(ctx, request)
}

// Resources implements server.Core.
func (c *core) Resources(account jid.JID) []server.Resource { return c.is.Load().Resources(account) }

// Connected implements server.Core.
func (c *core) Connected(account jid.JID) []server.Resource { return c.is.Load().Connected(account) }

// Show implements server.Core.
func (c *core) Show(ctx context.Context, account, contact jid.JID, shown bool) {
	c.is.Load().Show(ctx, account, contact, shown)
}

// SeenBy implements server.Core.
func (c *core) SeenBy(ctx context.Context, account jid.JID) []jid.JID {
	return c.is.Load().SeenBy(ctx, account)
}

// features are what people's clients expect, in the order in which each sees what passes.
func (c *clients) features(cfg *config.Server, of *core, directory *account.Directory) (list []server.Feature, err error) {
	g, s := c.g, c.store
	known := &contacts{s}
	pictures, people, marks := avatar.New(s), search.New(s), bookmarks.New(s)
	block := blocking.New(blocking.Config{Store: s, Core: of})
	events := pep.New(pep.Config{
		Store: s, Core: of, Node: g.node, Now: g.now, MaySee: known.see, Knows: known.has, Groups: known.groups, Blocks: block.Blocks,
		MayRead: c.gate.MayRead, MayAnswer: c.gate.mayAnswer, Changed: func(ctx context.Context, owner jid.JID, node, id string, payload *xmlstream.Element) {
			pictures.Published(ctx, owner, node, id, payload)
			marks.Published(ctx, owner, node, id, payload)
		}, Taken: marks.Taken,
	})
	c.events, pictures.Events, marks.Events = events, events, events
	book := c.invitations(of)
	c.registrar = &registrar{book: book, makes: func() bool { return g.active().Server.Invitations.MakeAccounts() }}
	c.registrar.service.Store(c.registration(cfg, of, directory, book))
	c.register = func(next *config.Server) {
		directory.SetPolicy(passwordPolicy(next))
		now := &g.active().Server
		if next.Registration != now.Registration || next.Invitations.MakeAccounts() != now.Invitations.MakeAccounts() { // a new one forgets who has made accounts lately
			c.registrar.service.Store(c.registration(next, of, directory, book))
		}
	}
	list = []server.Feature{
		block, // goes before those that keep or change what passes
		mam.New(mam.Config{Archive: s, Prefs: s, Gate: c.gate, Core: of, Node: g.node, Now: g.now, InRoster: known.has, MaySend: c.gate.MaySend, Tombstones: true}),
		book.Feature(), private.New(s, marks.Stored),
		vcard.New(vcard.Config{Store: s, MayRead: known.near, Changed: func(ctx context.Context, owner jid.JID, card *xmlstream.Element) {
			pictures.Carded(ctx, owner, card)
			people.Carded(ctx, owner, card)
		}}),
		pictures.Feature(), people.Feature(), marks.Feature(),
		events.Feature(), profile.New(events),
		c.registrar.feature(),
		entity.Ping(), entity.Time(g.now), entity.Version(software, g.version, ""),
		entity.Last(entity.LastConfig{Store: s, Core: of, MaySee: known.see, Now: g.now}),
		c.pushes(of),
		c.catalogues(),
	}
	c.admin = c.administer(of, directory, people)
	list = append(list, c.admin.ops.Feature())
	if len(cfg.Services) > 0 {
		services, err := c.services(cfg)
		if err != nil {
			return nil, err
		}
		c.beyond.Store(&services)
		list = append(list, c.servicesNow())
	}
	ofServer, ofAccount := server.Announced()
	told := disco.Config{
		Name: software, CapsNode: softwareURI, MaySee: known.see, ServerFeatures: ofServer, AccountFeatures: ofAccount,
		Items: c.components.items,
		Node:  events.Info,
		Nodes: events.Items,
	}
	if c.files != nil {
		list = append(list, c.files.Feature())
		told.Identities = []disco.Identity{{Category: "store", Type: "file", Name: "Files"}}
	}
	list = append(list, c.commands(book, &told))
	told.Features, told.Forms = list, c.forms(cfg)
	if c.disco, err = disco.New(told); err != nil {
		return nil, err
	}
	return append(list, c.disco.Feature()), nil
}

// forms are what is told of the server beside its features: what it takes of files, and who answers for it.
func (c *clients) forms(cfg *config.Server) (list []form.Form) {
	if c.files != nil {
		list = append(list, c.files.Form())
	}
	if addresses := cfg.Contacts.ByKind(); len(addresses) > 0 {
		list = append(list, disco.Contacts(addresses))
	}
	return list
}

// pushes notifies the services that people's clients have named (XEP-0357).
func (c *clients) pushes(of server.Core) server.Feature {
	c.push = push.New(push.Config{Store: c.store, Core: of})
	return c.push.Feature()
}

// contacts looks into rosters for features.
type contacts struct{ store *store.Store }

// item is who in the roster of owner; false for nobody, and where the store does not say.
func (c *contacts) item(ctx context.Context, owner, who jid.JID) (roster.Item, bool) {
	found, ok, err := c.store.Contact(ctx, owner.Bare(), who.Bare())
	return found, err == nil && ok && !found.Hidden
}

// see reports whether somebody sees the presence of an account.
func (c *contacts) see(ctx context.Context, account, who jid.JID) bool {
	if account.Bare() == who.Bare() {
		return true
	}
	i, ok := c.item(ctx, account, who)
	return ok && (i.Subscription == roster.From || i.Subscription == roster.Both)
}

// near reports whether somebody is of the same domain as an account, or in its roster.
func (c *contacts) near(ctx context.Context, account, who jid.JID) bool {
	return account.Domain() == who.Domain() || c.has(ctx, account, who)
}

func (c *contacts) has(ctx context.Context, account, who jid.JID) bool {
	_, ok := c.item(ctx, account, who)
	return ok
}

func (c *contacts) groups(ctx context.Context, account, who jid.JID) []string {
	i, _ := c.item(ctx, account, who)
	return i.Groups
}
