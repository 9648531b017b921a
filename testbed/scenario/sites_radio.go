package scenario

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"sallyport/s5066/modem"
	"sallyport/testbed/peers"
)

// RadioSites are two sites that have nothing between them but HF radio: a node at each, real programs, and the air, which is simulated
// in real time.
type RadioSites struct {
	*Sites
	Waveform string
	// Loss is the share of frames of 200 bytes that do not arrive, from 0 to 1; of shorter ones fewer are lost.
	Loss float64

	dir     string
	running []*peers.Process // in the order of starting
}

var _ Middle = (*RadioSites)(nil)

// NewRadioSites makes RadioSites that do not run yet.
func NewRadioSites(waveform string, loss float64) *RadioSites {
	return &RadioSites{Sites: NewSites(SiteOptions{}), Waveform: waveform, Loss: loss}
}

// station is one end of the radio.
type station struct {
	name, address string
	clients       netip.AddrPort
}

// radioLink is what both gateways call the link.
const radioLink = "radio"

// Start implements Middle. The nodes run before the gateways do, so that no link begins with a refusal.
func (s *RadioSites) Start(b *peers.Bed) error {
	var err error
	if s.binary, err = Binary(); err != nil {
		return err
	}
	s.dir = filepath.Join(b.Dir, "hf")
	if err := os.Mkdir(s.dir, 0o700); err != nil {
		return err
	}
	shore := station{"shore", "1.2.3.4", netip.AddrPortFrom(b.Spare(linkEnds), 5066)}
	ship := station{"ship", "1.2.3.5", netip.AddrPortFrom(b.Spare(linkEnds+1), 5066)}
	if err := s.air(netip.AddrPortFrom(b.Spare(linkCables), 5070), shore, ship); err != nil {
		return err
	}
	w, err := modem.ParseWaveform(s.Waveform)
	if err != nil {
		return err
	}
	s.Options.More += radioTable(outsidePeer, shore, ship, w)
	s.Ship.Options.More += radioTable(insidePeer, ship, shore, w)
	return s.Sites.Start(b)
}

// air starts the channel and the nodes.
func (s *RadioSites) air(at netip.AddrPort, shore, ship station) error {
	text := fmt.Sprintf("listen = %q\nstations = [%q, %q]\nloss = %f\nseed = 7\n", at, shore.name, ship.name, s.Loss)
	if err := s.program("channel", text, "stations may connect"); err != nil {
		return err
	}
	for _, pair := range [][2]station{{shore, ship}, {ship, shore}} {
		own, other := pair[0], pair[1]
		text := fmt.Sprintf("address = %q\npermit = [%q]\nwaveform = %q\nlisten = %q\nsocket = %q\n[modem]\naddress = %q\nstation = %q\n",
			own.address, other.address, s.Waveform, own.clients, own.name+".sock", at, own.name)
		if err := s.program(own.name, text, "modem up"); err != nil {
			return err
		}
	}
	return nil
}

// program runs the channel or a node on a configuration until it has said that it is ready.
func (s *RadioSites) program(name, config, ready string) error {
	file := filepath.Join(s.dir, name+".toml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return err
	}
	argv := []string{s.binary, "hf", "node", "-c", file}
	if name == "channel" {
		argv = []string{s.binary, "hf", "channel", "-c", file, "--log", s.keyed()}
	}
	p, err := peers.StartProcess(peers.Command{
		Name: name, Argv: argv, Dir: s.dir, Env: os.Environ(), Log: filepath.Join(s.dir, name+".log"),
	})
	if err != nil {
		return err
	}
	s.running = append(s.running, p)
	return p.AwaitLine(ready, gatewayStart)
}

// radioTable is the link at one end.
func radioTable(peer string, own, other station, w modem.Waveform) string {
	turn := modem.Timing{Waveform: w, Radio: modem.DefaultRadio()}
	return fmt.Sprintf("\n[link.%s]\nkind = \"hf\"\npeer = %q\npriority = 1\nconnect = [%q]\nsecurity = \"clear\"\n"+
		"bits-per-second = %d\nround-trip = %q\nhalf-duplex = true\n[link.%s.hf]\nmode = \"compact\"\nremote = %q\n",
		radioLink, peer, own.clients, w.Rate(), (2 * turn.Arrival(100)).Round(100*time.Millisecond), radioLink, other.address)
}

// keyed is where the channel writes a line for each transmission.
func (s *RadioSites) keyed() string { return filepath.Join(s.dir, "keyed.jsonl") }

// Transmissions is how many there have been.
func (s *RadioSites) Transmissions() (int, error) {
	told, err := os.ReadFile(s.keyed())
	return bytes.Count(told, []byte("\n")), err
}

// Close implements Middle: the gateways first, the air last.
func (s *RadioSites) Close() error {
	all := []error{s.Sites.Close()}
	for i := len(s.running) - 1; i >= 0; i-- {
		all = append(all, s.running[i].Stop())
	}
	return errors.Join(all...)
}
