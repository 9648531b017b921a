package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"sallyport/testbed/peers"
)

// Who is where in the block.
const (
	hostGenerator = 5
	hostBareRelay = 6
	hostGateway   = 7
)

// way is one way for the generator's messages from its domains X to its domains Y.
type way struct {
	name    string
	connect netip.AddrPort // where domains X connect
	listen  netip.AddrPort // where domains Y are reached
	tls     string
	reply   string // where domains Y connect to answer pings
	watch   string // name=pid of what is between
}

// relay: the generator talking to itself, through a relay that only copies bytes, through Prosody and ejabberd, and
// through Sallyport.
func relay(ctx context.Context, s *settings) ([]Row, error) {
	if err := s.buildLoad(ctx); err != nil {
		return nil, err
	}
	b, err := openBench(s.work)
	if err != nil {
		return nil, err
	}
	defer func() { _ = b.close() }() // the process ends soon after
	self := way{name: "generator alone", connect: b.at(hostGenerator, 5269), listen: b.at(hostGenerator, 5269), tls: "starttls"}
	alone, err := s.relayFigures(ctx, b, self)
	if err != nil {
		return nil, err
	}
	rows := alone.rows(self.name, figures{})
	bare, err := s.throughBareRelay(ctx, b)
	if err != nil {
		return rows, err
	}
	rows = append(rows, bare.rows("bare TLS relay", alone)...)
	others, err := s.throughServers(ctx)
	rows = append(rows, others.rows()...)
	if err != nil {
		return rows, err
	}
	if _, err := os.Stat(s.sallyport); err != nil {
		return rows, fmt.Errorf("no figures for Sallyport: %w", err)
	}
	ours, err := s.throughSallyport(ctx, b)
	rows = append(rows, ours.budgeted(alone, bare)...)
	if ours.measured {
		for _, name := range []string{"prosody", "ejabberd"} {
			rows = append(rows, figure("relay 4 streams, CPU, sallyport", ours.cpu, "CPU s/100k", name+" S2S", others.mean(name)))
		}
	}
	return rows, err
}

// figures are the four measurements of one way.
type figures struct {
	cpu, rate float64 // 4 streams, window 256: CPU seconds per 100,000 messages of what is between; messages/s
	each      float64 // the same, one stanza in each write: messages/s
	one       float64 // one stream, window 256: messages/s
	p50, p99  float64 // at 1,000 messages/s: milliseconds
	measured  bool
}

func (s *settings) relayFigures(ctx context.Context, b *bench, w way) (figures, error) {
	process := "loadgen"
	if w.watch != "" {
		process, _, _ = strings.Cut(w.watch, "=")
	}
	four, err := s.runLoad(ctx, b.args(w, streams, "-count", s.count(300_000), "-window", "256")...)
	if err != nil {
		return figures{}, fmt.Errorf("%s, 4 streams: %w", w.name, err)
	}
	each, err := s.runLoad(ctx, b.args(w, streams, "-count", s.count(200_000), "-window", "256", "-each")...)
	if err != nil {
		return figures{}, fmt.Errorf("%s, one stanza a write: %w", w.name, err)
	}
	one, err := s.runLoad(ctx, b.args(w, 1, "-count", s.count(300_000), "-window", "256")...)
	if err != nil {
		return figures{}, fmt.Errorf("%s, one stream: %w", w.name, err)
	}
	slow, err := s.runLoad(ctx, b.args(w, streams, "-count", s.count(6_000), "-rate", "1000")...)
	if err != nil {
		return figures{}, fmt.Errorf("%s, 1,000 messages/s: %w", w.name, err)
	}
	return figures{
		cpu: four.cpu(process), rate: four.MsgsPerS, each: each.MsgsPerS, one: one.MsgsPerS,
		p50: slow.Latency.P50, p99: slow.Latency.P99, measured: true,
	}, nil
}

func (b *bench) args(w way, n int, more ...string) []string {
	args := []string{
		"s2s", "-connect", w.connect.String(), "-listen-y", w.listen.String(), "-listen-x", w.listen.String(),
		"-x", strings.Join(played("x", n), ","), "-y", strings.Join(played("y", n), ","),
		"-cert", b.pair.Cert, "-key", b.pair.Key, "-auth", "external", "-tls", w.tls,
	}
	if w.reply != "" {
		args = append(args, "-reply", w.reply)
	}
	if w.watch != "" {
		args = append(args, "-watch", w.watch)
	}
	return append(args, more...)
}

func (s *settings) throughBareRelay(ctx context.Context, b *bench) (figures, error) {
	w := way{name: "bare TLS relay", connect: b.at(hostBareRelay, 5269), listen: b.at(hostGenerator, 5269), tls: "direct"}
	self, err := os.Executable()
	if err != nil {
		return figures{}, err
	}
	proc, err := peers.StartProcess(peers.Command{
		Name: "bare relay", Dir: s.work, Log: filepath.Join(s.work, "bare-relay.log"), Env: os.Environ(),
		Argv: []string{
			self, bareRelayCommand, "-listen", w.connect.String(), "-connect", w.listen.String(),
			"-cert", b.pair.Cert, "-key", b.pair.Key,
		},
	})
	if err != nil {
		return figures{}, err
	}
	defer proc.Kill()
	if err := proc.AwaitPort(w.connect, 10*time.Second); err != nil {
		return figures{}, err
	}
	w.watch = "relay=" + strconv.Itoa(proc.PID())
	return s.relayFigures(ctx, b, w)
}

func (s *settings) throughSallyport(ctx context.Context, b *bench) (f figures, err error) {
	inside, outside := b.at(hostGateway, 5269), b.at(hostGateway, 5270)
	w := way{name: "sallyport", connect: inside, listen: b.at(hostGenerator, 5269), tls: "starttls", reply: outside.String()}
	proc, err := s.startSallyport(b, inside, outside, w.listen)
	if err != nil {
		return figures{}, err
	}
	defer func() { err = errors.Join(err, proc.Stop()) }()
	w.watch = "sallyport=" + strconv.Itoa(proc.PID())
	if f, err = s.relayFigures(ctx, b, w); err != nil {
		err = proc.Trouble(err)
	}
	return f, err
}

// rows are the figures for comparison, without budgets.
func (f figures) rows(who string, alone figures) []Row {
	return []Row{
		figure("relay 4 streams, CPU, "+who, f.cpu, "CPU s/100k", "generator alone", alone.cpu),
		figure("relay 4 streams, rate, "+who, f.rate, "msg/s", "generator alone", alone.rate),
		figure("relay one stanza a write, "+who, f.each, "msg/s", "generator alone", alone.each),
		figure("relay one stream, "+who, f.one, "msg/s", "generator alone", alone.one),
		figure("latency p50 at 1,000/s, "+who, f.p50, "ms", "generator alone", alone.p50),
		figure("latency p99 at 1,000/s, "+who, f.p99, "ms", "generator alone", alone.p99),
	}
}

// oneStreamShare is 110,000 of the generator's own 800,000 messages/s (DESIGN.md §6).
const oneStreamShare = 110.0 / 800

// budgeted are Sallyport's figures under the budgets of DESIGN.md §6.
func (f figures) budgeted(alone, bare figures) []Row {
	if !f.measured {
		return nil
	}
	const who = "sallyport"
	return []Row{
		figure("relay 4 streams, CPU, "+who, f.cpu, "CPU s/100k", "generator alone", alone.cpu).under(atMost(2.6)),
		figure("relay 4 streams, rate, "+who, f.rate, "msg/s", "generator alone", alone.rate),
		figure("relay one stanza a write, "+who, f.each, "msg/s", "bare TLS relay", bare.each).under(atLeast(0.6)),
		figure("relay one stream, "+who, f.one, "msg/s", "generator alone", alone.one).under(atLeast(oneStreamShare)),
		figure("latency p50 at 1,000/s, "+who, f.p50, "ms", "generator alone", alone.p50),
		figure("latency p99 at 1,000/s, "+who, f.p99, "ms", "generator alone", alone.p99).under(atMostMore(2, "ms")),
	}
}
