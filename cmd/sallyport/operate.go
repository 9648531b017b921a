package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sallyport/gateway"
	"sallyport/gateway/config"
	"sallyport/gateway/control"
	"sallyport/server/admin"
)

const (
	// heldTime is how long a change waits for a node that starts or ends, and for other changes.
	heldTime = 20 * time.Second
	heldStep = 200 * time.Millisecond
)

// operate has an operation done: by the node, where it runs, else by this process with the node's store and audit log.
func (a *app) operate(ctx context.Context, verb string, args any) (done admin.Done, err error) {
	ctx, cancel := context.WithTimeout(ctx, accountTime)
	defer cancel()
	for until := time.Now().Add(heldTime); ; {
		if err = a.ask(ctx, verb, args, &done); !errors.Is(err, control.ErrNoNode) {
			return done, err
		}
		if err = a.operateStopped(ctx, verb, args, &done); !errors.Is(err, gateway.ErrHeld) || time.Now().After(until) {
			return done, err
		}
		select {
		case <-time.After(heldStep):
		case <-ctx.Done():
			return done, ctx.Err()
		}
	}
}

func (a *app) operateStopped(ctx context.Context, verb string, args any, done *admin.Done) (err error) {
	s, err := gateway.OpenStopped(ctx, a.config, time.Now)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if !a.fresh {
		fmt.Fprintln(a.err, "No node is running: this is done without one, and stands in its audit log.")
	}
	return s.Ask(ctx, verb, args, done)
}

// servedHere wants a domain that has accounts, where the configuration can be read, before somebody types a password in vain.
func (a *app) servedHere(domain string) error {
	if a.socket != "" {
		return nil
	}
	server, err := config.LoadServer(a.config)
	if err != nil || server.Serves(domain) {
		return err
	}
	return fmt.Errorf("%s has no accounts here; add it to server.domains in the configuration", domain)
}
