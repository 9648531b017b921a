package scenario

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"sallyport/gateway/audit"
	"sallyport/gateway/control"
	"sallyport/testbed/peers"
)

// BinaryVariable names the program under test in the environment; without it, build/sallyport of the checkout is used.
const BinaryVariable = "SALLYPORT"

// gatewayStart is how long a gateway may take until it listens.
const gatewayStart = 60 * time.Second

// gatewayReady is what it says when all of it listens.
const gatewayReady = "\tready\t"

// Gateway is the real program between the two servers.
type Gateway struct {
	Options GatewayOptions

	binary string
	dir    string
	config string
	bed    *peers.Bed
	proc   *peers.Process
}

var _ Middle = (*Gateway)(nil)

// Binary is the program under test.
func Binary() (string, error) {
	if path := os.Getenv(BinaryVariable); path != "" {
		return path, nil
	}
	path, err := filepath.Abs(filepath.Join(testdata(), "../../../build/sallyport"))
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("the gateway is not built (make build, or set %s): %w", BinaryVariable, err)
	}
	return path, nil
}

// Start runs the gateway and sends each server to it for the other's domains.
func (g *Gateway) Start(b *peers.Bed) error {
	if err := g.setUp(b); err != nil {
		return err
	}
	inside, outside := g.Options.listen(b)
	b.PublishThrough(inside.StartTLS, outside.StartTLS)
	return nil
}

// setUp writes a configuration and runs the gateway.
func (g *Gateway) setUp(b *peers.Bed) error {
	var err error
	if g.binary, err = Binary(); err != nil {
		return err
	}
	g.bed, g.dir = b, filepath.Join(b.Dir, "gateway")
	if g.Options.Far {
		g.dir = filepath.Join(b.Dir, "far-gateway")
	}
	g.config = filepath.Join(g.dir, "sallyport.toml")
	if err := os.Mkdir(g.dir, 0o700); err != nil {
		return err
	}
	if err := g.Write(g.Options); err != nil {
		return err
	}
	return g.Run()
}

func (g *Gateway) inner() *Gateway { return g }

// Write replaces the configuration; a running gateway takes it at the next Reload.
func (g *Gateway) Write(o GatewayOptions) error {
	text, err := GatewayTOML(g.bed, o)
	if err != nil {
		return err
	}
	return os.WriteFile(g.config, text, 0o600)
}

// Run starts the program on the configuration as it stands.
func (g *Gateway) Run() error {
	proc, err := peers.StartProcess(peers.Command{
		Name: "sallyport", Argv: []string{g.binary, "run", "-c", g.config},
		Dir: g.dir, Log: g.Log(), Env: os.Environ(),
	})
	if err != nil {
		return err
	}
	g.proc = proc
	if err := proc.AwaitLine(gatewayReady, gatewayStart); err != nil {
		proc.Kill()
		return err
	}
	return nil
}

// Log is the file with everything the gateway says.
func (g *Gateway) Log() string { return filepath.Join(g.dir, "sallyport.log") }

// PID of the running gateway, for measurements.
func (g *Gateway) PID() int { return g.proc.PID() }

// Stop ends the gateway in order; Run starts it again.
func (g *Gateway) Stop() error { return g.proc.Stop() }

// Kill ends the gateway as a crash would.
func (g *Gateway) Kill() { g.proc.Kill() }

// Reload sends SIGHUP.
func (g *Gateway) Reload() error { return g.proc.Signal(syscall.SIGHUP) }

// Audit reads the log of decisions from the disk while the gateway writes it.
func (g *Gateway) Audit() ([]audit.Entry, error) {
	var all []audit.Entry
	for e, err := range audit.ReadDir(filepath.Join(g.dir, "state", "audit"), audit.Filter{}) {
		if err != nil {
			return all, fmt.Errorf("audit log: %w", err)
		}
		all = append(all, e)
	}
	return all, nil
}

// Peer is what the operator is shown of a peer.
func (g *Gateway) Peer(name string) (control.PeerDetail, error) {
	var peer control.PeerDetail
	out, err := g.command("peer", "show", name, "--json")
	if err != nil {
		return peer, err
	}
	return peer, json.Unmarshal(out, &peer)
}

// Check is what the operator's lint says of the configuration.
func (g *Gateway) Check() ([]byte, error) { return g.command("check") }

func (g *Gateway) command(args ...string) ([]byte, error) {
	cmd := exec.Command(g.binary, append(args, "-c", g.config)...)
	cmd.Dir = g.dir
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return out, fmt.Errorf("sallyport %v: %w: %s%s", args, err, out, exit.Stderr)
	}
	return out, err
}

// Close stops the gateway in order.
func (g *Gateway) Close() error {
	if g.proc == nil {
		return nil
	}
	return g.proc.Stop()
}
