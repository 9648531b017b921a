package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"sallyport/gateway/config"
	"sallyport/gateway/control"
	"sallyport/internal/role"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/server/account"
	"sallyport/server/admin"
	"sallyport/server/search"
	"sallyport/server/store"
	"sallyport/server/vcard"
)

// administration is the way of administrators who are logged in as clients to the desk that the control socket asks, too.
type administration struct {
	g   *Gateway
	ops *admin.Operations
}

var _ admin.Desk = (*administration)(nil)

// administer makes the operations of the server.
func (c *clients) administer(of *core, directory *account.Directory, people *search.Directory) *administration {
	g := c.g
	options := operating(func() *config.Server { return &g.active().Server }, c.store)
	options.Accounts, options.Core, options.Now, options.Stop, options.Changed = directory, of, g.now, g.stopAfter, g.people.forget
	options.Listed = g.outsiders.changed
	options.Sessions = func() admin.Sessions { return of.is.Load() }
	options.Card = carding(c.store, people)
	return &administration{g: g, ops: admin.New(options)}
}

// operating is what operations have of a configuration, whether a node runs or not.
func operating(cfg func() *config.Server, s *store.Store) admin.Config {
	return admin.Config{
		Store:   s,
		Serves:  func(domain string) bool { return cfg().Serves(domain) },
		Named:   func(bare jid.JID) role.Role { return named(&cfg().Admins, bare) },
		NamedIn: func(domain jid.JID) []jid.JID { return namedIn(&cfg().Admins, domain) },
		Labels: func() (clearances, catalogues []string) {
			for _, c := range cfg().Clearances {
				clearances = append(clearances, c.Name)
			}
			for _, c := range cfg().Catalogues {
				catalogues = append(catalogues, c.Name)
			}
			return clearances, catalogues
		},
	}
}

// carding keeps the vCard of a new account, and lets it be found.
func carding(s *store.Store, people *search.Directory) func(context.Context, jid.JID, *xmlstream.Element) error {
	return func(ctx context.Context, owner jid.JID, card *xmlstream.Element) error {
		err := vcard.Write(ctx, s, owner, card)
		if err == nil {
			people.Carded(ctx, owner, card)
		}
		return err
	}
}

// named is the role that a configuration gives to an account.
func named(a *config.ServerAdmins, bare jid.JID) role.Role {
	has := role.None
	for _, l := range []struct {
		has role.Role
		who []string
	}{{role.View, a.View}, {role.Operate, a.Operate}} {
		for _, text := range l.who {
			if j, ok := config.ParseAddress(text); ok && j == bare {
				has = max(has, l.has)
			}
		}
	}
	return has
}

func namedIn(a *config.ServerAdmins, domain jid.JID) (list []jid.JID) {
	seen := map[jid.JID]bool{}
	for _, who := range [][]string{a.View, a.Operate} {
		for _, text := range who {
			if j, ok := config.ParseAddress(text); ok && j.DomainJID() == domain && !seen[j] {
				seen[j] = true
				list = append(list, j)
			}
		}
	}
	return list
}

// verbsOf are the operations as the socket has them.
func verbsOf(ops *admin.Operations) []control.Verb {
	var list []control.Verb
	for _, op := range ops.List() {
		list = append(list, control.Verb{
			Name: op.Name, Role: op.Role, Changes: op.Recorded,
			Handle: func(ctx context.Context, args json.RawMessage, by control.Caller) (any, error) {
				var who jid.JID
				if by.Address != "" {
					var err error
					if who, err = jid.Parse(by.Address); err != nil {
						return nil, fmt.Errorf("who asks: %w", err)
					}
				}
				return op.Run(ctx, who, func(into any) error { return control.Decode(args, into) })
			},
			Subject: func(args json.RawMessage) string {
				return op.Subject(func(into any) error { return control.Decode(args, into) })
			},
		})
	}
	return list
}

// May is admin.Desk.
func (a *administration) May(ctx context.Context, who, domain jid.JID, verb string) bool {
	return a.g.desk.May(a.ops.Role(ctx, who, domain, verb), verb)
}

// Ask is admin.Desk.
func (a *administration) Ask(ctx context.Context, who, domain jid.JID, verb string, args, result any) error {
	question, err := json.Marshal(args)
	if err != nil {
		return err
	}
	by := control.Caller{User: who.Bare().String(), Address: who.String(), Role: a.ops.Role(ctx, who, domain, verb)}
	answer, err := a.g.desk.Ask(ctx, by, verb, question)
	if ce := (*control.CallError)(nil); errors.As(err, &ce) && ce.Code == control.Denied {
		return errors.Join(admin.ErrDenied, err)
	}
	if err != nil {
		return err
	}
	return json.Unmarshal(answer, result)
}

// Denied is admin.Desk. What the audit log does not take is in the other log: nobody is answered with it.
func (a *administration) Denied(ctx context.Context, who jid.JID, verb string) {
	e := control.Event{By: control.Caller{User: who.Bare().String(), Address: who.String()}, Verb: verb}
	err := a.g.desk.Deny(ctx, e, "")
	if ce := (*control.CallError)(nil); !errors.As(err, &ce) || ce.Code != control.Denied {
		a.g.log.Error("a command that was refused is not in the record", zap.Stringer("who", who), zap.String("command", verb), zap.Error(err))
	}
}

// openDesk makes the one place where commands are permitted and recorded.
func (g *Gateway) openDesk() (err error) {
	verbs := control.Verbs(g)
	if g.clients != nil && g.clients.admin != nil {
		verbs = append(append(verbs, verbsOf(g.clients.admin.ops)...), control.StoreVerbs(g)...)
	}
	g.desk, err = control.NewDesk(g, verbs)
	return err
}

// leastDelay is how long a node goes on that was told to end, so that who told it hears that it will.
const leastDelay = time.Second

// stopAfter ends the node in order, as SIGTERM does, after a delay. Of several calls the one that is due first counts, and says whether it
// starts again, which one with an erroneous configuration would not.
func (g *Gateway) stopAfter(delay time.Duration, again bool) error {
	if again {
		if _, problems := config.Load(g.active().Source.Path); problems.Failed() {
			return fmt.Errorf("%w: it would not start, the configuration has errors; sallyport check shows them", admin.ErrQuestion)
		}
	}
	g.log.Info("an administrator ends the node", zap.Duration("in", delay), zap.Bool("restart", again))
	time.AfterFunc(max(delay, leastDelay), func() {
		select {
		case g.ended <- again:
		default: // it is ending
		}
	})
	return nil
}
