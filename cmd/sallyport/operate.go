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
	err = a.liveOrStopped(ctx, verb, args, &done, func(ctx context.Context) error { return a.operateStopped(ctx, verb, args, &done) })
	return done, err
}

// change is operate for a command that has nothing else to say.
func (a *app) change(ctx context.Context, verb string, args any) error {
	done, err := a.operate(ctx, verb, args)
	if err == nil && a.json {
		err = a.printJSON(done)
	}
	return err
}

// liveOrStopped asks the node, where it runs, else does what stopped does. Who holds the node's audit log is waited for.
func (a *app) liveOrStopped(ctx context.Context, verb string, args, result any, stopped func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, accountTime)
	defer cancel()
	for until := time.Now().Add(heldTime); ; {
		err := a.ask(ctx, verb, args, result)
		if !errors.Is(err, control.ErrNoNode) {
			return err
		}
		if err = stopped(ctx); !errors.Is(err, gateway.ErrHeld) || time.Now().After(until) {
			return err
		}
		select {
		case <-time.After(heldStep):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (a *app) operateStopped(ctx context.Context, verb string, args, result any) (err error) {
	s, err := gateway.OpenStopped(ctx, a.config, time.Now)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	a.saysStopped()
	return s.Ask(ctx, verb, args, result)
}

// saysStopped tells who may think that a node runs.
func (a *app) saysStopped() {
	if !a.fresh {
		fmt.Fprintln(a.err, "No node is running: this is done without one, and stands in its audit log.")
	}
}

// servedHere wants a domain that has accounts, where the configuration can be read, before somebody types a password in vain. A broken
// one is that of a node that goes on with the one before it, or is told when none runs.
func (a *app) servedHere(domain string) error {
	if a.socket != "" {
		return nil
	}
	server, err := config.LoadServer(a.config)
	if err != nil || server.Serves(domain) {
		return nil //nolint:nilerr // see above
	}
	return fmt.Errorf("%s has no accounts here; add it to server.domains in the configuration", domain)
}
