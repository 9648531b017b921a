package gateway

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync/atomic"

	"sallyport/gateway/config"
	"sallyport/internal/role"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/stream"
	"sallyport/internal/xmpp/tree"
	"sallyport/server"
	"sallyport/server/account"
	"sallyport/server/admin"
	"sallyport/server/c2s"
	"sallyport/server/command"
	"sallyport/server/disco"
	"sallyport/server/invite"
	"sallyport/server/register"
	"sallyport/server/roster"
)

// invitations are those that users make (XEP-0379, XEP-0401).
func (c *clients) invitations(of *core) *invite.Book {
	now := func() *config.ServerInvitations { return &c.g.active().Server.Invitations }
	may := func(context.Context, jid.JID) bool { return now().Contacts }
	create := func(_ context.Context, who jid.JID) bool { return slices.Contains(now().Creators, who.String()) }
	return invite.New(invite.Config{
		Store: c.store, Now: c.g.now, MayInvite: may, MayCreate: create,
		Terms: func() invite.Terms {
			i := now()
			return invite.Terms{Keep: i.Keep, Page: i.Page, Accounts: i.Accounts}
		},
		Approve: of.welcome,
	})
}

// welcome grants a contact what he is about to ask for, and asks in turn: who is never shown the request cannot (XEP-0379 §3.5).
func (c *core) welcome(ctx context.Context, owner, contact jid.JID) error {
	asks := false
	_, err := c.is.Load().ChangeContact(ctx, owner, contact, func(i *roster.Item) error {
		asks = !i.Ask && i.Subscription != roster.To && i.Subscription != roster.Both
		i.Approved, i.Hidden, i.Ask = true, false, i.Ask || asks
		return nil
	})
	if err != nil || !asks {
		return err
	}
	p, err := tree.Presence(stanza.PresenceSubscribe, owner.Bare(), contact.Bare())
	if err == nil {
		c.Submit(ctx, p)
	}
	return err
}

// registration is how accounts are made, and passwords changed, by those whose they are.
func (c *clients) registration(cfg *config.Server, of *core, directory *account.Directory, book *invite.Book) *register.Service {
	r := &cfg.Registration
	options := register.Config{
		Directory: directory, Now: c.g.now, Passwords: r.ChangePassword, Removal: r.Remove, Open: r.Open, PerHour: r.PerHour,
		Removed: func(who jid.JID) { of.is.Load().End(who, stanza.StreamNotAuthorized, "the account is removed") },
		Befriend: func(ctx context.Context, a, b jid.JID) error {
			both := func(i *roster.Item) error {
				i.Subscription, i.Ask, i.Hidden = roster.Both, false, false
				return nil
			}
			_, one := of.is.Load().ChangeContact(ctx, a, b, both)
			_, other := of.is.Load().ChangeContact(ctx, b, a, both)
			return errors.Join(one, other)
		},
		Reserved: func(who jid.JID) bool {
			now := &c.g.active().Server
			return named(&now.Admins, who) != role.None || slices.Contains(now.Invitations.Creators, who.String())
		},
	}
	if cfg.Invitations.MakeAccounts() {
		options.Invites = book
	}
	return register.New(options)
}

// offeredRegistration is what clients without an account are told that they may do.
func offeredRegistration(cfg *config.Server) stream.Registration {
	switch {
	case cfg.Registration.Open:
		return stream.OpenRegistration
	case cfg.Invitations.MakeAccounts():
		return stream.ByInvitation
	}
	return stream.NoRegistration
}

// registrar answers who has no account yet, and who wants to do something with his own. What it allows changes with the configuration.
type registrar struct {
	service atomic.Pointer[register.Service]
	book    *invite.Book
	makes   func() bool // accounts, by invitation
}

// feature asks the service of the moment. Whether there is registration at all is announced, and does not change while a node runs.
func (r *registrar) feature() server.Feature {
	f := r.service.Load().Feature()
	for i := range f.IQ {
		f.IQ[i].Handle = func(ctx context.Context, q *server.Request) server.Answer {
			if now := r.service.Load().Feature(); i < len(now.IQ) {
				return now.IQ[i].Handle(ctx, q)
			}
			return server.Answer{Condition: stanza.ServiceUnavailable}
		}
	}
	return f
}

var _ c2s.Registrar = (*registrar)(nil)

// Register implements c2s.Registrar.
func (r *registrar) Register(ctx context.Context, from netip.Addr, want stream.RegisterWanted) (stream.Registered, jid.JID) {
	service := r.service.Load()
	switch {
	case want.Query == nil:
		return r.shown(ctx, want), jid.JID{}
	case !service.Open && want.Token == "": // not even what would have to be filled in
		return stream.Registered{Condition: stanza.Forbidden, Text: "An invitation is needed."}, jid.JID{}
	case !want.Set:
		return stream.Registered{Payload: service.Fields()}, jid.JID{}
	}
	made, a := service.Create(ctx, register.Applicant{Domain: want.Domain, Address: from.String(), Token: want.Token, Shown: want.Shown}, want.Query)
	if a.Condition != stanza.NoCondition {
		made = jid.JID{}
	}
	return stream.Registered{Payload: a.Payload, Condition: a.Condition, Text: a.Text}, made
}

// shown says whether an invitation is good for an account (XEP-0401).
func (r *registrar) shown(ctx context.Context, want stream.RegisterWanted) stream.Registered {
	if !r.makes() {
		return stream.Registered{Condition: stanza.ItemNotFound}
	}
	switch _, err := r.book.Look(ctx, want.Domain.Domain(), want.Token, invite.Account); {
	case err == nil:
		return stream.Registered{}
	case errors.Is(err, invite.ErrToken):
		return stream.Registered{Condition: stanza.ItemNotFound}
	}
	return stream.Registered{Condition: stanza.InternalServerError}
}

// commands are those that users find in their clients: of administrators, and to invite.
func (c *clients) commands(book *invite.Book, told *disco.Config) server.Feature {
	list := append(admin.Commands(c.admin, c.g.now), book.Commands()...)
	all := command.New(c.g.now, list...)
	told.ServerItems = func(ctx context.Context, who, domain jid.JID, node string) ([]disco.Item, bool) {
		return all.Items(ctx, who, domain), node == command.Space
	}
	told.ServerInfo = all.Info
	return all.Feature()
}
