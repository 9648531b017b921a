package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"sallyport/gateway/audit"
	"sallyport/gateway/control"
	"sallyport/peering"
	"sallyport/testbed/peers"
)

// glance is the time between two looks at something that will happen soon.
const glance = 10 * time.Millisecond

// node is the program under show, a child that cannot outlive us.
type node struct {
	proc  *peers.Process
	state *state
}

// startNode returns when the node takes stanzas.
func startNode(ctx context.Context, binary string, st *state) (*node, error) {
	proc, err := peers.StartProcess(peers.Command{
		Name: "sallyport", Argv: []string{binary, "run", "-c", st.config}, Env: os.Environ(), Log: st.path("sallyport.log"),
	})
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", binary, err)
	}
	n := &node{proc, st}
	if err := n.awaitReady(ctx); err != nil {
		return nil, errors.Join(err, n.stop())
	}
	return n, nil
}

func (n *node) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	err := look(ctx, func() (bool, error) {
		if !n.proc.Running() {
			return false, n.proc.Trouble(errors.New("ended while it started"))
		}
		s, err := n.status(ctx)
		return err == nil && s.Ready, nil
	})
	if errors.Is(err, context.DeadlineExceeded) {
		return n.proc.Trouble(fmt.Errorf("was not ready after %v", startTime))
	}
	return err
}

// look asks again and again until the answer is yes, an error, or too late.
func look(ctx context.Context, seen func() (bool, error)) error {
	tick := time.NewTicker(glance)
	defer tick.Stop()
	for {
		if ok, err := seen(); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

func (n *node) ask(ctx context.Context, verb string, args, result any) error {
	ctx, cancel := context.WithTimeout(ctx, actTime)
	defer cancel()
	c, err := control.Dial(ctx, string(n.state.cfg.Control.Socket))
	if err != nil {
		return err
	}
	defer c.Close()
	return c.Call(ctx, verb, args, result)
}

func (n *node) status(ctx context.Context) (s control.Status, err error) {
	return s, n.ask(ctx, control.VerbStatus, nil, &s)
}

// explain asks the node what would become of a stanza, and why.
func (n *node) explain(ctx context.Context, peer, stanza string) (x peering.Explanation, err error) {
	return x, n.ask(ctx, control.VerbExplain, control.ExplainQuestion{From: peer, Stanza: stanza}, &x)
}

// lastRecord is the number of the latest record in the audit log.
func (n *node) lastRecord(ctx context.Context) (uint64, error) {
	s, err := n.status(ctx)
	return s.Audit.Seq, err
}

// record waits for the first record after a number that is the one meant, in the files of the audit log.
func (n *node) record(ctx context.Context, after uint64, meant func(*audit.Entry) bool) (found audit.Entry, err error) {
	err = look(ctx, func() (bool, error) {
		for e, err := range audit.ReadDir(string(n.state.cfg.Audit.Dir), audit.Filter{FirstSeq: after + 1}) {
			switch {
			case err != nil:
				return false, fmt.Errorf("audit log: %w", err)
			case meant(&e):
				found = e
				return true, nil
			}
		}
		return false, nil
	})
	return found, err
}

// wait returns when the reader has had enough, or with an error when the node ends by itself.
func (n *node) wait(ctx context.Context) error {
	err := n.proc.Wait(ctx)
	if ctx.Err() != nil {
		return nil
	}
	return n.proc.Trouble(fmt.Errorf("has ended by itself: %w", err))
}

func (n *node) stop() error { return n.proc.Stop() }
