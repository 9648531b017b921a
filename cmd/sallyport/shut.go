package main

import (
	"context"
	"errors"
	"fmt"

	"sallyport/gateway/control"
	"sallyport/internal/xmpp/jid"
)

// regroup has the node that runs, if one does, show new members of a domain's groups to those who are connected.
func (a *app) regroup(ctx context.Context, domain string) {
	err := a.ask(ctx, control.VerbAccountCheck, control.AccountQuestion{Address: domain}, nil)
	var refused *control.CallError
	if errors.As(err, &refused) {
		fmt.Fprintf(a.err, "the running node looks at the groups of %s within a minute; it was not told to do so at once: %v\n", domain, refused)
	}
}

// shut has the node that runs, if one does, end the sessions of an account that may not log in any more. Where it cannot be asked it sees
// by itself within a minute.
func (a *app) shut(ctx context.Context, j jid.JID) {
	err := a.ask(ctx, control.VerbAccountCheck, control.AccountQuestion{Address: j.String()}, nil)
	var refused *control.CallError
	if errors.As(err, &refused) {
		fmt.Fprintf(a.err, "the running node ends the sessions of %s within a minute; it was not told to do so at once: %v\n", j, refused)
	}
}
