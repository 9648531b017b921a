package gateway

import (
	"context"
	"errors"
	"fmt"

	"sallyport/gateway/control"
	"sallyport/internal/xmpp/jid"
)

var _ control.Doorkeeper = (*Gateway)(nil)

// inspects is a server that can look at one account, or at its groups, at once; *server.Server is one.
type inspects interface {
	Inspect(who jid.JID) int
	Regroup()
}

// CheckAccount implements control.Doorkeeper.
func (g *Gateway) CheckAccount(_ context.Context, q control.AccountQuestion) (control.AccountChecked, error) {
	who, err := jid.Parse(q.Address)
	if err != nil || !who.IsBare() {
		return control.AccountChecked{}, fmt.Errorf("%.80q is not the address of an account or domain", q.Address)
	}
	if g.clients == nil {
		return control.AccountChecked{}, errors.New("this node has no accounts")
	}
	s, ok := g.clients.server.(inspects)
	if !ok {
		return control.AccountChecked{}, errors.New("the server of this node cannot look at one account")
	}
	if who.IsDomain() {
		s.Regroup()
		return control.AccountChecked{}, nil
	}
	return control.AccountChecked{Ended: s.Inspect(who)}, nil
}
