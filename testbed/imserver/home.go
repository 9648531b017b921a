package imserver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"sallyport/gateway/control"
	"sallyport/testbed/peers"
	"sallyport/testbed/scenario"
)

// Domain is that of the accounts.
const Domain = "home.test"

// Password is that of every account.
const Password = "correct horse battery"

// startTimeout is how long the program may take until it listens.
const startTimeout = 60 * time.Second

// ready is what the program says when all of it listens: the ports of clients come first, those of the web and of components last.
const ready = `"msg":"ready"`

// Home is a server of the program under test. One goroutine owns it.
type Home struct {
	Dir     string
	Clients netip.AddrPort // STARTTLS
	Direct  netip.AddrPort // TLS from the first byte
	CA      string         // file that clients have to trust

	binary string
	run    []string
	proc   *peers.Process
}

// Wishes say what a home is to be.
type Wishes struct {
	Dir   string     // exists
	Addr  netip.Addr // of its own
	Users []string
	Flags []string // of init, beyond the usual
	// Run are arguments of run, beyond the usual.
	Run []string
	// More is added to the configuration.
	More string
}

// New makes a home with init; nothing runs yet.
func New(w Wishes) (*Home, error) {
	binary, err := scenario.Binary()
	if err != nil {
		return nil, err
	}
	h := &Home{
		Dir: w.Dir, binary: binary, run: w.Run, CA: filepath.Join(w.Dir, "certs/ca.pem"),
		Clients: netip.AddrPortFrom(w.Addr, 5222), Direct: netip.AddrPortFrom(w.Addr, 5223),
	}
	args := []string{
		"init", h.Dir, "--yes", "--name", "home", "--domain", Domain, "--listen", h.Clients.String(), "--listen-direct", h.Direct.String(),
	}
	for _, u := range w.Users {
		args = append(args, "--user", u)
	}
	cmd := exec.Command(binary, append(args, w.Flags...)...)
	cmd.Stdin = strings.NewReader(strings.Repeat(Password+"\n", len(w.Users)))
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("sallyport init: %w\n%s", err, out)
	}
	return h, h.Add(w.More)
}

func (h *Home) config() string { return filepath.Join(h.Dir, "sallyport.toml") }

// Add writes more into the configuration.
func (h *Home) Add(more string) error {
	text, err := os.ReadFile(h.config())
	if err != nil {
		return err
	}
	return os.WriteFile(h.config(), append(text, more...), 0o600)
}

// Restart ends it in order and runs it with more in its configuration.
func (h *Home) Restart(more string) error {
	if err := h.Stop(); err != nil {
		return err
	}
	if err := h.Add(more); err != nil {
		return err
	}
	return h.Run()
}

// Run starts the program and waits until people can connect.
func (h *Home) Run() error {
	proc, err := peers.StartProcess(peers.Command{
		Name: "sallyport", Argv: append([]string{h.binary, "run", "-c", h.config()}, h.run...), Dir: h.Dir, Log: h.Log(), Env: os.Environ(),
	})
	if err != nil {
		return err
	}
	h.proc = proc
	if err := proc.AwaitLine(ready, startTimeout); err != nil {
		proc.Kill()
		return err
	}
	return nil
}

// Await waits until people can connect again after it was told to start again.
func (h *Home) Await() error {
	for _, a := range []netip.AddrPort{h.Clients, h.Direct} {
		if err := h.proc.AwaitPort(a, startTimeout); err != nil {
			return err
		}
	}
	return nil
}

// Log is the file with everything it says.
func (h *Home) Log() string { return filepath.Join(h.Dir, "sallyport.log") }

// Stop ends it in order, Kill as a crash would; Run starts it again.
func (h *Home) Stop() error { return h.proc.Stop() }

// Kill ends it at once.
func (h *Home) Kill() { h.proc.Kill() }

// PID is that of the running program, for who measures it.
func (h *Home) PID() int { return h.proc.PID() }

// Status is what the operator is shown.
func (h *Home) Status() (control.Status, error) {
	var s control.Status
	out, err := h.Command("status", "--json")
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal(out, &s)
}

// Command runs a command of the operator.
func (h *Home) Command(args ...string) ([]byte, error) {
	cmd := exec.Command(h.binary, append(args, "-c", h.config())...)
	cmd.Dir = h.Dir
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return out, fmt.Errorf("sallyport %v: %w: %s%s", args, err, out, said.String())
	}
	return out, nil
}

// Close ends it in order if it runs.
func (h *Home) Close() error {
	if h.proc == nil || !h.proc.Running() {
		return nil
	}
	return h.proc.Stop()
}
