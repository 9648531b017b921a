package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"sallyport/examples/hf"
	"sallyport/gateway/config"
	"sallyport/gateway/radio"
	"sallyport/internal/tlsid/tlsidtest"
	"sallyport/labels/spif"
	"sallyport/s5066/modem"
	"sallyport/testbed/peers"
	"sallyport/testbed/player"
)

// The two domains.
const (
	shipDomain  = "ship.example"
	shoreDomain = "shore.example"
)

// files is the folder of the demonstration, and what its configurations say.
type files struct {
	options
	dir     string
	wave    modem.Waveform
	channel radio.Channel
	gates   map[string]*config.Config // by station
	players map[string]player.Options
	ports   peers.Ports
}

func (f *files) path(parts ...string) string {
	return filepath.Join(append([]string{f.dir}, parts...)...)
}

// makeFiles writes the folder anew.
func makeFiles(o options) (*files, error) {
	wave, err := modem.ParseWaveform(o.waveform)
	if err != nil {
		return nil, err
	}
	program, err := filepath.Abs(o.sallyport)
	if err != nil {
		return nil, err
	}
	o.sallyport = program
	dir, err := filepath.Abs(filepath.Join(o.state, "hf"))
	if err != nil {
		return nil, err
	}
	if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(filepath.Dir(dir), 0o700)); err != nil {
		return nil, err
	}
	f := &files{options: o, dir: dir, wave: wave, gates: map[string]*config.Config{}, players: map[string]player.Options{}}
	if err := os.CopyFS(dir, hf.Files()); err != nil {
		return nil, err
	}
	if err := errors.Join(f.rewrite(), f.certificates()); err != nil {
		return nil, err
	}
	return f, f.load()
}

// change is a line of the example that is otherwise here.
type change struct{ file, from, to string }

// changes are those that follow from the options. A link's times are those of the gateways, which know of no channel that runs faster.
func (f *files) changes() []change {
	rate := fmt.Sprintf("bits-per-second = %.0f", float64(f.wave.Rate())*f.speed)
	trip := time.Duration(float64(10*time.Second) / f.speed).Round(time.Millisecond)
	wave := fmt.Sprintf("waveform = %q", f.waveform)
	return []change{
		{"channel.toml", `profile = "sky-good"`, fmt.Sprintf("profile = %q", f.profile)},
		{"channel.toml", "speed   = 4.0", fmt.Sprintf("speed   = %f", f.speed)},
		{"channel.toml", `begin = "5m"`, fmt.Sprintf("begin = %q", outageBegin)},
		{"channel.toml", `for   = "30s"`, fmt.Sprintf("for   = %q", outageFor)},
		{"ship.toml", `waveform = "110a-1200-short"`, wave},
		{"shore.toml", `waveform = "110a-1200-short"`, wave},
		{"ship.toml", "[modem]", "max_rank = 15 # the gateway may watch\n\n[modem]"},
		{"ship-gateway.toml", `mode = "compact" `, "events = true # what the node tells is recorded\nmode = \"compact\" "},
		{"ship-gateway.toml", "bits-per-second = 1200", rate},
		{"shore-gateway.toml", "bits-per-second = 1200", rate},
		{"ship-gateway.toml", `round-trip = "10s"`, fmt.Sprintf("round-trip = %q", trip)},
		{"shore-gateway.toml", `round-trip = "10s"`, fmt.Sprintf("round-trip = %q", trip)},
	}
}

// The outage in which nobody hears anything, so that there is something to send again.
const (
	outageBegin = "18s"
	outageFor   = "9s"
)

var loopback = regexp.MustCompile(`127\.0\.0\.\d+:\d+`)

// rewrite gives the example addresses that are free today, and makes the changes.
func (f *files) rewrite() error {
	names, err := fs.Glob(hf.Files(), "*.toml")
	if err != nil {
		return err
	}
	known := map[string]string{}
	for _, name := range names {
		text, err := os.ReadFile(f.path(name))
		if err != nil {
			return err
		}
		out := string(text)
		for _, at := range loopback.FindAllString(out, -1) {
			if known[at] == "" {
				if known[at], err = f.freeAddress(at); err != nil {
					return err
				}
			}
		}
		out = loopback.ReplaceAllStringFunc(out, func(at string) string { return known[at] })
		for _, c := range f.changes() {
			if c.file != name {
				continue
			}
			if !strings.Contains(out, c.from) {
				return fmt.Errorf("the example %s has no %q to be changed", name, c.from)
			}
			out = strings.Replace(out, c.from, c.to, 1)
		}
		if err := os.WriteFile(f.path(name), []byte(out), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// freeAddress is one with the host of an example and a port that nobody uses.
func (f *files) freeAddress(example string) (string, error) {
	at, err := netip.ParseAddrPort(example)
	if err != nil {
		return "", err
	}
	free, err := f.ports.Free(at.Addr())
	if err != nil {
		return "", fmt.Errorf("%w; the demonstration needs the loopback addresses of Linux", err)
	}
	return free.String(), nil
}

// certificates are one for each gateway, which speaks for both domains, and one for each domain.
func (f *files) certificates() error {
	ca, err := tlsidtest.NewCA("Sallyport demonstration CA")
	if err != nil {
		return err
	}
	dir := f.path("certs")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	_, err = ca.WritePEM(dir, "ca")
	for name, domains := range map[string][]string{
		"ship-gateway": {shipDomain, shoreDomain}, "shore-gateway": {shipDomain, shoreDomain}, "ship": {shipDomain}, "shore": {shoreDomain},
	} {
		leaf, issued := ca.Issue(tlsidtest.Options{DNS: domains})
		if issued != nil {
			return issued
		}
		_, _, written := leaf.WritePEM(dir, name)
		err = errors.Join(err, written)
	}
	return err
}

// load reads everything back as the programs will.
func (f *files) load() error {
	var problems config.Problems
	f.channel, problems = radio.LoadChannel(f.path("channel.toml"))
	if problems.Failed() {
		return problems.Err()
	}
	for _, s := range []struct{ station, peer, domain, other string }{
		{"ship", "crew", shipDomain, shoreDomain}, {"shore", "headquarters", shoreDomain, shipDomain},
	} {
		cfg, problems := config.Load(f.path(s.station + "-gateway.toml"))
		if problems.Failed() {
			return problems.Err()
		}
		f.gates[s.station] = cfg
		o, err := f.player(cfg, s.station, s.peer)
		if err != nil {
			return err
		}
		o.Domain, o.Other = s.domain, s.other
		f.players[s.station] = o
	}
	return nil
}

// player is the domain behind a gateway, where its configuration expects it.
func (f *files) player(cfg *config.Config, station, peer string) (o player.Options, err error) {
	policy, bad := spif.Load(string(cfg.Policy.SPIF[0]))
	if policy == nil {
		return o, fmt.Errorf("security policy: %v", bad)
	}
	inside := slices.IndexFunc(cfg.Sides, func(s config.Side) bool { return len(s.Listen) > 0 })
	if inside < 0 || len(cfg.Peer(peer).Route) == 0 {
		return o, fmt.Errorf("the gateway of %s does not listen, or has no route to %s", station, peer)
	}
	o = player.Options{
		Name: station, Labels: policy, Node: cfg.Sides[inside].Listen[0],
		Cert: f.path("certs", station+".pem"), Key: f.path("certs", station+".key"), CA: f.path("certs", "ca.pem"),
		Clearance: f.path("policy", "restricted.clearance.xml"), Unlabelled: f.path("policy", "unclassified.label.xml"),
	}
	route := cfg.Peer(peer).Route[0]
	o.Listen, err = netip.ParseAddrPort(fmt.Sprintf("%s:%d", route.Host, route.Port))
	return o, err
}
