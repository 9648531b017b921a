package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"sallyport/s5066"
	"sallyport/testbed/peers"
)

// nodeAt is one station's node.
type nodeAt struct {
	name    string
	own     s5066.Address
	other   s5066.Address
	clients netip.AddrPort
}

// stage is the programs of the demonstration.
type stage struct {
	options
	channel netip.AddrPort
	nodes   []nodeAt
	running []*peers.Process // in the order of starting
}

// patience is how long a program may take to start.
const patience = 20 * time.Second

func setStage(o options) (*stage, error) {
	o.sallyport, o.state = absolute(o.sallyport), absolute(o.state)
	if err := os.RemoveAll(filepath.Join(o.state, "hf")); err != nil {
		return nil, err
	}
	s := &stage{options: o}
	if err := os.MkdirAll(s.file(""), 0o700); err != nil {
		return nil, err
	}
	free, err := freePorts(3)
	if err != nil {
		return nil, err
	}
	ship, shore := s5066.Unicast(0x1020305), s5066.Unicast(0x1020304)
	s.channel = free[0]
	s.nodes = []nodeAt{{"ship", ship, shore, free[1]}, {"shore", shore, ship, free[2]}}
	return s, s.write()
}

func freePorts(n int) ([]netip.AddrPort, error) {
	var all []netip.AddrPort
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close() // all of them are held until the last is found
		all = append(all, l.Addr().(*net.TCPAddr).AddrPort())
	}
	return all, nil
}

func (s *stage) file(name string) string { return filepath.Join(s.state, "hf", name) }

// told is where the channel writes a line for each transmission.
func (s *stage) told() string { return s.file("channel.log") }

// outage is a time in which nobody hears anything, so that there is something to send again.
const outage = "[[window]]\nkind = \"outage\"\nbegin = \"12s\"\nfor = \"9s\"\n"

func (s *stage) write() error {
	text := fmt.Sprintf("listen = %q\nstations = [\"ship\", \"shore\"]\nprofile = %q\nseed = 7\nspeed = %f\n%s", s.channel, s.profile, s.speed, outage)
	err := os.WriteFile(s.file("channel.toml"), []byte(text), 0o600)
	for _, n := range s.nodes {
		text := fmt.Sprintf("address = %q\npermit = [%q]\nwaveform = %q\nlisten = %q\nsocket = %q\n[modem]\naddress = %q\nstation = %q\n",
			n.own, n.other, s.waveform, n.clients, n.name+".sock", s.channel, n.name)
		err = errors.Join(err, os.WriteFile(s.file(n.name+".toml"), []byte(text), 0o600))
	}
	return err
}

// start starts the channel and the nodes, and a recording at the ship.
func (s *stage) start(ctx context.Context) error {
	c, err := s.spawn("channel", "hf", "channel", "-c", s.file("channel.toml"), "--svg", s.file("channel.svg"), "--log", s.file("channel.jsonl"))
	if err != nil {
		return err
	}
	if err := c.AwaitLine("stations may connect", patience); err != nil {
		return err
	}
	for _, n := range s.nodes {
		p, err := s.spawn(n.name, "hf", "node", "-c", s.file(n.name+".toml"))
		if err != nil {
			return err
		}
		if err := p.AwaitLine("modem up", patience); err != nil {
			return err
		}
	}
	out, err := exec.CommandContext(ctx, s.sallyport, "hf", "capture", "-c", s.file("ship.toml"), s.file("ship")).CombinedOutput()
	if err != nil {
		return fmt.Errorf("capture: %w\n%s", err, out)
	}
	return nil
}

func (s *stage) spawn(name string, args ...string) (*peers.Process, error) {
	p, err := peers.StartProcess(peers.Command{
		Name: name, Argv: append([]string{s.sallyport}, args...), Dir: s.file(""), Env: os.Environ(), Log: s.file(name + ".log"),
	})
	if err != nil {
		return nil, err
	}
	s.running = append(s.running, p)
	return p, nil
}

// close stops what runs, the channel last.
func (s *stage) close() error {
	var errs []error
	for i := len(s.running) - 1; i >= 0; i-- {
		p := s.running[i]
		errs = append(errs, p.Signal(syscall.SIGTERM), p.Stop())
	}
	s.running = nil
	return errors.Join(errs...)
}
