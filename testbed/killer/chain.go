package main

import (
	_ "embed"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"text/template"
	"time"

	"sallyport/examples/boundary"
	"sallyport/testbed/peers"
)

//go:embed gateway.toml.tmpl
var configuration string

// The domains of the two ends.
const (
	leftDomain  = "left.test"
	rightDomain = "right.test"
)

// startTime is how long a gateway may take until it listens.
const startTime = time.Minute

// chain is some gateways in a row, each a process.
type chain struct {
	all   []*gateway
	block *peers.Block
}

// gateway is one of them.
type gateway struct {
	binary, dir string
	under       []string // a command that runs the program: strace
	proc        *peers.Process
}

// place is what the template reads.
type place struct {
	Name                    string
	LeftDomain, RightDomain string
	Links                   []door
}

// door is one side of a gateway. Connect is not valid towards an end, which opens itself.
type door struct {
	Name, Kind      string
	Listen, Connect netip.AddrPort
}

// newChain writes the configurations below a folder. Nothing runs yet.
func newChain(o Options) (*chain, error) {
	n := o.Gateways
	block, err := peers.ClaimBlock()
	if err != nil {
		return nil, err
	}
	c := &chain{block: block}
	t, err := template.New("gateway.toml").Parse(configuration)
	if err != nil {
		return nil, err
	}
	for i := range n {
		g := &gateway{binary: o.Binary, dir: filepath.Join(o.Dir, fmt.Sprintf("gateway-%d", i+1))}
		p := place{Name: filepath.Base(g.dir), LeftDomain: leftDomain, RightDomain: rightDomain, Links: c.doors(i, n, o.Trunk)}
		if err := g.write(t, p); err != nil {
			return nil, errors.Join(err, c.close())
		}
		c.all = append(c.all, g)
	}
	return c, nil
}

// doors are the two sides of gateway i. Between gateways both ends of x2x open; of dtls the left one does, and goes by its port alone.
func (c *chain) doors(i, n int, trunk string) []door {
	left, right := door{Name: "left", Kind: "x2x", Listen: c.left(i)}, door{Name: "right", Kind: "x2x", Listen: c.right(i)}
	if i > 0 {
		left.Kind, left.Connect = trunk, c.right(i-1)
	}
	if i < n-1 {
		right.Kind, right.Connect = trunk, c.left(i+1)
	}
	if left.Kind == "dtls" {
		left.Connect = netip.AddrPort{}
	}
	if right.Kind == "dtls" {
		right.Listen = netip.AddrPort{}
	}
	return []door{left, right}
}

// left and right are where gateway i listens for its neighbours.
func (c *chain) left(i int) netip.AddrPort {
	return netip.AddrPortFrom(c.block.Addr(byte(10+i)), 5271) //nolint:gosec // a handful
}

func (c *chain) right(i int) netip.AddrPort {
	return netip.AddrPortFrom(c.block.Addr(byte(100+i)), 5271) //nolint:gosec // a handful
}

func (g *gateway) write(t *template.Template, p place) error {
	if err := os.MkdirAll(g.dir, 0o700); err != nil {
		return err
	}
	if err := boundary.Write(g.dir, nil); err != nil { // for its policy
		return err
	}
	var text strings.Builder
	if err := t.Execute(&text, p); err != nil {
		return err
	}
	key := []byte("a key of nobody but the chain's own")
	return errors.Join(
		os.WriteFile(filepath.Join(g.dir, "trunk.key"), key, 0o600),
		os.WriteFile(g.config(), []byte(text.String()), 0o600),
	)
}

func (g *gateway) config() string { return filepath.Join(g.dir, "killed.toml") }

// configure adds to the configuration.
func (g *gateway) configure(more string) error {
	f, err := os.OpenFile(g.config(), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(more)
	return errors.Join(err, f.Close())
}

// start returns when the process runs, which is before it is ready.
func (g *gateway) start() (err error) {
	g.proc, err = peers.StartProcess(peers.Command{
		Name: filepath.Base(g.dir), Argv: append(slices.Clone(g.under), g.binary, "run", "-c", g.config()),
		Dir: g.dir, Log: filepath.Join(g.dir, "log"), Env: os.Environ(),
	})
	return err
}

// await returns when it says that it is ready.
func (g *gateway) await() error { return g.proc.AwaitLine("\tready\t", startTime) }

// command runs one of the program's own commands.
func (g *gateway) command(args ...string) (string, error) {
	cmd := exec.Command(g.binary, append(args, "-c", g.config())...)
	cmd.Dir = g.dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("sallyport %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return string(out), nil
}

// start runs all of them.
func (c *chain) start() error {
	for _, g := range c.all {
		if err := g.start(); err != nil {
			return err
		}
	}
	for _, g := range c.all {
		if err := g.await(); err != nil {
			return err
		}
	}
	return nil
}

// close ends all of them in order.
func (c *chain) close() error {
	var all []error
	for _, g := range c.all {
		if g.proc != nil {
			all = append(all, g.proc.Stop())
		}
	}
	return errors.Join(append(all, c.block.Close())...)
}
