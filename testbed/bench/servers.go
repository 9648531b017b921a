package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"sallyport/testbed/peers"
)

// accounts is how many users each server gets.
const accounts = 8

// crossing is what the two servers spent on messages from one to the other.
type crossing struct {
	from, to string
	rate     float64
	cpu      map[string]float64 // CPU seconds per 100,000 messages, by server
}

type crossings []crossing

// mean is what a server spends on a message that it sends or receives over S2S, its client included.
func (c crossings) mean(server string) float64 {
	var sum float64
	for _, x := range c {
		sum += x.cpu[server]
	}
	return sum / float64(max(1, len(c)))
}

func (c crossings) rows() []Row {
	var rows []Row
	for _, x := range c {
		what := "S2S " + x.from + " to " + x.to
		rows = append(
			rows,
			figure(what+", rate", x.rate, "msg/s", "", 0),
			figure(what+", CPU, "+x.from, x.cpu[x.from], "CPU s/100k", "", 0),
			figure(what+", CPU, "+x.to, x.cpu[x.to], "CPU s/100k", "", 0),
		)
	}
	return rows
}

// throughServers lets Prosody and ejabberd move messages from users of the one to users of the other.
func (s *settings) throughServers(ctx context.Context) (all crossings, err error) {
	dir := filepath.Join(s.work, "bed")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	bed, err := peers.OpenBed(dir, peers.Options{})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, bed.Close()) }()
	bed.PublishDirect()
	if err := bed.Start(); err != nil {
		return nil, err
	}
	both := []*peers.Server{bed.Prosody, bed.Ejabberd}
	for _, p := range both {
		if err := s.register(ctx, accounts, []string{"-host", p.Clients().String(), "-domain", p.Domain}); err != nil {
			return nil, err
		}
	}
	for i, from := range both {
		to := both[1-i]
		r, err := s.runLoad(
			ctx, "msg", "-host", from.Clients().String(), "-domain", from.Domain,
			"-to-host", to.Clients().String(), "-to-domain", to.Domain, "-count", s.count(20_000), "-window", "64",
			"-watch", fmt.Sprintf("%s=%d,%s=%d", from.Name, from.PID(), to.Name, to.PID()),
		)
		if err != nil {
			return all, fmt.Errorf("%s to %s: %w", from.Name, to.Name, err)
		}
		all = append(all, crossing{from.Name, to.Name, r.MsgsPerS, map[string]float64{
			from.Name: r.cpu(from.Name), to.Name: r.cpu(to.Name),
		}})
	}
	return all, nil
}
