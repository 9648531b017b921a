package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"sallyport/gateway/control"
	"sallyport/gateway/radio"
)

const (
	askTime = 60 * time.Second
	glance  = 50 * time.Millisecond // between two looks at something that will happen
)

// sallyport runs a command of the program.
func (s *stage) sallyport(ctx context.Context, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, s.options.sallyport, args...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("sallyport %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out)), nil
}

// gate and node are the sockets of a station's gateway and node.
func (s *stage) gate(station string) string { return string(s.gates[station].Control.Socket) }

func (s *stage) node(station string) string { return s.path(station + ".sock") }

// ask asks who listens on a socket.
func (s *stage) ask(ctx context.Context, socket, verb string, args, result any) error {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	c, err := control.Dial(ctx, socket)
	if err != nil {
		return err
	}
	defer c.Close()
	return c.Call(ctx, verb, args, result)
}

// look looks again and again until the answer is yes, an error, or too late.
func look(ctx context.Context, limit time.Duration, what string, seen func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(glance)
	defer tick.Stop()
	for {
		if ok, err := seen(); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return fmt.Errorf("%s did not happen within %v", what, limit)
			}
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// ready waits until a gateway runs and its link is bound to its node.
func (s *stage) ready(ctx context.Context, station string) error {
	return look(ctx, patience, "the start of the gateway of "+station, func() (bool, error) {
		links, err := s.links(ctx, station)
		return err == nil && len(links) == 1 && links[0].State == "up", nil // it does not listen at first
	})
}

func (s *stage) links(ctx context.Context, station string) (all []control.LinkStatus, err error) {
	return all, s.ask(ctx, s.gate(station), control.VerbLinkStatus, nil, &all)
}

// settle waits until nothing waits anywhere: each gateway knows that the other has all of it on disk, and so does each node.
func (s *stage) settle(ctx context.Context) error {
	return look(ctx, heardWithin, "an acknowledgement of everything", func() (bool, error) {
		for _, name := range stations {
			var st control.Status
			if err := s.ask(ctx, s.gate(name), control.VerbStatus, nil, &st); err != nil || st.Stanzas.Deciding+st.Stanzas.Queued > 0 {
				return false, err
			}
			var node radio.Status
			if err := s.ask(ctx, s.node(name), radio.VerbStatus, nil, &node); err != nil || node.Waiting+node.UnderWay > 0 {
				return false, err
			}
		}
		return true, nil
	})
}

// sums is how many bytes the gateways have given to their nodes.
func (s *stage) sums(ctx context.Context) (bytes uint64, err error) {
	for _, name := range stations {
		links, err := s.links(ctx, name)
		if err != nil {
			return 0, err
		}
		for _, l := range links {
			bytes += l.BytesOut
		}
	}
	return bytes, nil
}
