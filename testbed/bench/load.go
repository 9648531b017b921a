package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"

	"sallyport/testbed/peers"
)

// report is the part of xmppload's answer that we use.
type report struct {
	MsgsPerS       float64 `json:"msgs_per_s"`
	DeliveriesPerS float64 `json:"deliveries_per_s"`
	Expected       int     `json:"expected"`
	Delivered      int     `json:"delivered"`
	Late           int     `json:"repeated_or_late"`
	Skipped        int     `json:"skipped"`
	Errors         int     `json:"error_stanzas"`
	Error          string  `json:"error"`
	FirstError     string  `json:"first_error"`
	TLS            string  `json:"tls"`
	Latency        struct {
		P50 float64 `json:"p50_ms"`
		P99 float64 `json:"p99_ms"`
	} `json:"latency"`
	Processes map[string]struct {
		CPUPer100k float64 `json:"cpu_s_per_100k"`
		Peak       float64 `json:"hwm_mb"`
	} `json:"processes"`
}

// rate is what arrived in a second.
func (r report) rate() float64 { return max(r.MsgsPerS, r.DeliveriesPerS) }

// cpu is the CPU seconds that a watched process spent on 100,000 messages.
func (r report) cpu(process string) float64 { return r.Processes[process].CPUPer100k }

// buildLoad builds the load generator once.
func (s *settings) buildLoad(ctx context.Context) error {
	if s.load != "" {
		return nil
	}
	path := filepath.Join(s.work, "xmppload")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", path, "./testbed/xmppload").CombinedOutput(); err != nil {
		return fmt.Errorf("build xmppload: %w\n%s", err, out)
	}
	s.load = path
	return nil
}

// runLoad runs the generator several times and returns the run with the median rate.
func (s *settings) runLoad(ctx context.Context, args ...string) (report, error) {
	var all []report
	for range max(1, s.runs) {
		r, err := s.runLoadOnce(ctx, args)
		if err != nil {
			return r, err
		}
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b report) int { return int(a.MsgsPerS - b.MsgsPerS) })
	return all[len(all)/2], nil
}

func (s *settings) runLoadOnce(ctx context.Context, args []string) (report, error) {
	var r report
	out, err := exec.CommandContext(ctx, s.load, args...).Output()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		return r, err
	}
	if jsonErr := json.Unmarshal(out, &r); jsonErr != nil {
		return r, fmt.Errorf("xmppload %v: %w\n%s", args, errors.Join(err, jsonErr), out)
	}
	if err != nil {
		return r, fmt.Errorf("xmppload %v: %s %s (%d of %d delivered, %d repeated or late, %d skipped, %d errors)", args, r.Error, r.FirstError, r.Delivered, r.Expected, r.Late, r.Skipped, r.Errors)
	}
	return r, nil
}

// count scales a number of messages.
func (s *settings) count(n int) string { return strconv.Itoa(max(100, int(float64(n)*s.scale))) }

// bench is one loopback block with a certificate for all domains that are played.
type bench struct {
	block *peers.Block
	ca    *peers.CA
	pair  peers.Pair
}

// streams is how many pairs of domains are played in the measurements with many.
const streams = 4

// played are the names of the domains of one side: x1.test to x4.test.
func played(side string, n int) []string {
	var all []string
	for i := range n {
		all = append(all, side+strconv.Itoa(i+1)+".test")
	}
	return all
}

func openBench(dir string) (*bench, error) {
	b := &bench{}
	var err error
	if b.block, err = peers.ClaimBlock(); err != nil {
		return nil, err
	}
	if b.ca, err = peers.NewCA(dir); err != nil {
		return nil, errors.Join(err, b.close())
	}
	b.pair, err = b.ca.Issue("all", append(played("x", streams), played("y", streams)...)...)
	if err != nil {
		return nil, errors.Join(err, b.close())
	}
	return b, nil
}

func (b *bench) close() error { return b.block.Close() }

func (b *bench) at(host byte, port uint16) netip.AddrPort { return b.block.AddrPort(host, port) }
