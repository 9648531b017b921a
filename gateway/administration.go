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
	"sallyport/internal/xmpp/jid"
	"sallyport/server/account"
	"sallyport/server/admin"
)

// administration is the way of administrators who are logged in as clients to the desk that the control socket asks, too.
type administration struct {
	g   *Gateway
	ops *admin.Operations
}

var _ admin.Desk = (*administration)(nil)

// administer makes the operations of the server.
func (c *clients) administer(of *core, directory *account.Directory) *administration {
	g := c.g
	return &administration{g: g, ops: admin.New(admin.Config{
		Accounts: directory, Store: c.store, Core: of, Now: g.now,
		Sessions: func() admin.Sessions { return of.is.Load() },
		Serves:   func(domain string) bool { return g.active().Server.Serves(domain) },
		Named:    func(bare jid.JID) admin.Role { return named(&g.active().Server.Admins, bare) },
		NamedIn:  func(domain jid.JID) []jid.JID { return namedIn(&g.active().Server.Admins, domain) },
		Stop:     g.stopAfter,
	})}
}

// named is the role that a configuration gives to an account.
func named(a *config.ServerAdmins, bare jid.JID) admin.Role {
	role := admin.NoRole
	for _, l := range []struct {
		role admin.Role
		who  []string
	}{{admin.View, a.View}, {admin.Operate, a.Operate}} {
		for _, text := range l.who {
			if j, ok := config.ParseAddress(text); ok && j == bare {
				role = max(role, l.role)
			}
		}
	}
	return role
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

// verbs are the operations as the socket has them.
func (a *administration) verbs() []control.Verb {
	var list []control.Verb
	for _, op := range a.ops.List() {
		list = append(list, control.Verb{
			Name: op.Name, Role: controlRole(op.Role), Changes: op.Recorded,
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

func controlRole(r admin.Role) control.Role {
	switch r {
	case admin.NoRole:
		return control.NoRole
	case admin.View:
		return control.View
	case admin.Operate:
		return control.Operate
	}
	return control.NoRole
}

// May is admin.Desk.
func (a *administration) May(ctx context.Context, who, domain jid.JID, verb string) bool {
	return a.g.desk.May(controlRole(a.ops.Role(ctx, who, domain, verb)), verb)
}

// Ask is admin.Desk.
func (a *administration) Ask(ctx context.Context, who, domain jid.JID, verb string, args, result any) error {
	question, err := json.Marshal(args)
	if err != nil {
		return err
	}
	by := control.Caller{User: who.Bare().String(), Address: who.String(), Role: controlRole(a.ops.Role(ctx, who, domain, verb))}
	answer, err := a.g.desk.Ask(ctx, by, verb, question)
	if ce := (*control.CallError)(nil); errors.As(err, &ce) && ce.Code == control.Denied {
		return errors.Join(admin.ErrDenied, err)
	}
	if err != nil {
		return err
	}
	return json.Unmarshal(answer, result)
}

// Denied is admin.Desk.
func (a *administration) Denied(ctx context.Context, who jid.JID, verb string) {
	e := control.Event{By: control.Caller{User: who.Bare().String(), Address: who.String()}, Verb: verb}
	if err := a.g.desk.Deny(ctx, e, ""); err != nil && !errors.As(err, new(*control.CallError)) {
		a.g.log.Error("a command that was refused is not in the record", zap.Error(err))
	}
}

// openDesk makes the one place where commands are permitted and recorded.
func (g *Gateway) openDesk() (err error) {
	verbs := control.Verbs(g)
	if g.clients != nil && g.clients.admin != nil {
		verbs = append(verbs, g.clients.admin.verbs()...)
	}
	g.desk, err = control.NewDesk(g, verbs)
	return err
}

// leastDelay is how long a node goes on that was told to end, so that who told it hears that it will.
const leastDelay = time.Second

// stopAfter ends the node in order, as SIGTERM does, after a delay. Of several calls the one that is due first counts.
func (g *Gateway) stopAfter(delay time.Duration) error {
	g.log.Info("an administrator ends the node", zap.Duration("in", delay))
	time.AfterFunc(max(delay, leastDelay), func() {
		select {
		case g.ended <- struct{}{}:
		default: // it is ending
		}
	})
	return nil
}
