package main

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"sallyport/examples/boundary"
	"sallyport/gateway/config"
	"sallyport/internal/tlsid/tlsidtest"
	"sallyport/labels"
	"sallyport/labels/spif"
	"sallyport/testbed/peers"
)

// The two domains and the peers that stand for them in the example.
const (
	insideDomain  = "inside.example"
	outsideDomain = "outside.example"
	insidePeer    = "organisation"
	outsidePeer   = "partner"
)

// state is the folder that the demonstration keeps, and what its configuration says.
type state struct {
	dir    string
	config string // path
	cfg    *config.Config
	labels *labels.Policy
	first  bool        // made just now
	ports  peers.Ports // claimed just now, for as long as it runs
}

func (s *state) path(parts ...string) string {
	return filepath.Join(append([]string{s.dir}, parts...)...)
}

// openState makes what is missing and reads the rest: a second start finds what the first one made.
func openState(dir string) (*state, error) {
	s := &state{dir: dir, config: filepath.Join(dir, boundary.ConfigFile)}
	for _, d := range []string{s.path("certs"), s.path("stanzas")} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return nil, fmt.Errorf("state folder: %w", err)
		}
	}
	if err := s.certificates(); err != nil {
		return nil, fmt.Errorf("make certificates: %w", err)
	}
	if err := s.configuration(); err != nil {
		return nil, fmt.Errorf("make a configuration: %w", err)
	}
	cfg, problems := config.Load(s.config)
	if problems.Failed() {
		return nil, fmt.Errorf("%w\n%s is made anew when you remove it", problems.Err(), shown(s.config))
	}
	s.cfg = cfg
	if len(cfg.Policy.SPIF) == 0 {
		return nil, fmt.Errorf("%s names no policy.spif, and the stanzas to be sent carry labels", shown(s.config))
	}
	policy, bad := spif.Load(string(cfg.Policy.SPIF[0]))
	if policy == nil {
		return nil, fmt.Errorf("security policy: %v", bad)
	}
	s.labels = policy
	return s, s.portsAreFree()
}

// addressInExample finds the addresses of the example, all of them on loopback.
var addressInExample = regexp.MustCompile(`127\.0\.0\.\d+:\d+`)

// configuration writes the example with ports that are free today.
func (s *state) configuration() error {
	if _, err := os.Stat(s.config); !os.IsNotExist(err) {
		return err
	}
	s.first = true
	text, err := boundary.Config()
	if err != nil {
		return err
	}
	var pairs []string
	for _, example := range addressInExample.FindAllString(text, -1) {
		free, err := s.ports.Free(netip.MustParseAddrPort(example).Addr())
		if err != nil {
			return fmt.Errorf("%w; the demonstration needs the loopback addresses of Linux", err)
		}
		pairs = append(pairs, example, free.String())
	}
	if err := boundary.Write(s.dir, strings.NewReplacer(pairs...)); err != nil {
		return err
	}
	return s.add(s.peersOfHomes)
}

// add puts more behind what the configuration has.
func (s *state) add(more func() (string, error)) error {
	text, err := more()
	if err != nil {
		return err
	}
	f, err := os.OpenFile(s.config, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// portsAreFree says which address is taken, before half of the show runs.
func (s *state) portsAreFree() error {
	var taken []error
	for _, a := range s.addresses() {
		l, err := net.Listen("tcp", a.String())
		if err != nil {
			if cause := syscall.Errno(0); errors.As(err, &cause) {
				err = cause // the rest repeats the address
			}
			taken = append(taken, fmt.Errorf("%s cannot be used: %w", a, err))
			continue
		}
		taken = append(taken, l.Close())
	}
	if err := errors.Join(taken...); err != nil {
		return fmt.Errorf("%w\nend what uses it (another demonstration?), or remove %s and start again with other ports", err, shown(s.config))
	}
	return nil
}

// addresses are all that the node and the players listen on.
func (s *state) addresses() []netip.AddrPort {
	var all []netip.AddrPort
	for i := range s.cfg.Sides {
		all = append(all, s.cfg.Sides[i].Listen...)
	}
	for i := range s.cfg.Peers {
		for _, t := range s.cfg.Peers[i].Route {
			if a, err := netip.ParseAddr(t.Host); err == nil {
				all = append(all, netip.AddrPortFrom(a, t.Port))
			}
		}
	}
	if s.cfg.Metrics.Listen.IsValid() {
		all = append(all, s.cfg.Metrics.Listen)
	}
	return all
}

// leaves are the certificates: one for the node, which speaks for both domains, and one for each player.
var leaves = map[string][]string{
	"gateway": {insideDomain, outsideDomain, homes[0].domain, homes[1].domain}, "inside": {insideDomain}, "outside": {outsideDomain},
	homes[0].peer: {homes[0].domain}, homes[1].peer: {homes[1].domain},
}

// certificates makes a CA and its certificates, unless all are there and good for another day.
func (s *state) certificates() error {
	if s.certificatesAreGood() {
		return nil
	}
	dir := s.path("certs")
	ca, err := tlsidtest.NewCA("Sallyport demonstration CA")
	if err != nil {
		return err
	}
	if _, err := ca.WritePEM(dir, "ca"); err != nil {
		return err
	}
	for name, domains := range leaves {
		leaf, err := ca.Issue(tlsidtest.Options{DNS: domains})
		if err != nil {
			return err
		}
		if _, _, err := leaf.WritePEM(dir, name); err != nil {
			return err
		}
	}
	return nil
}

func (s *state) certificatesAreGood() bool {
	names := []string{"ca"}
	for name := range leaves {
		names = append(names, name)
		if _, err := os.Stat(s.path("certs", name+".key")); err != nil {
			return false
		}
	}
	for _, name := range names {
		text, err := os.ReadFile(s.path("certs", name+".pem"))
		if err != nil {
			return false
		}
		block, _ := pem.Decode(text)
		if block == nil {
			return false
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil || time.Now().Add(24*time.Hour).After(cert.NotAfter) {
			return false
		}
		for _, domain := range leaves[name] {
			if cert.VerifyHostname(domain) != nil {
				return false
			}
		}
	}
	return true
}
