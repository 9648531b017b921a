package scenario

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"sallyport/gateway/audit"
	"sallyport/testbed/cable"
	"sallyport/testbed/peers"
)

// SiteLink is one link between the two gateways of Sites, through a cable.
type SiteLink struct {
	Name     string
	Kind     string // x2x or dtls
	Priority int
	// NearOpens lets the shore connect; otherwise the ship does.
	NearOpens bool
	// Clear is TCP alone, the other end known by its address.
	Clear bool
	// SharedKey is what both ends hold in place of certificates (dtls).
	SharedKey string
	// Near and Far are more settings of the link at each end.
	Near, Far string
}

// SiteOptions say how two sites depart from the usual.
type SiteOptions struct {
	Links     []SiteLink
	Near, Far GatewayOptions
	Spool     string // settings of the spool at both ends
}

// Sites are a gateway on shore (near, with Prosody behind it) and one on a ship (far, with ejabberd), which keep custody of what they
// give each other over one or more links. The embedded one is the shore's.
type Sites struct {
	*Gateway
	Ship   *Gateway
	Cables map[string]*cable.Cable

	options SiteOptions
}

var _ Middle = (*Sites)(nil)

// NewSites makes Sites that do not run yet.
func NewSites(o SiteOptions) *Sites {
	o.Far.Far = true
	return &Sites{Gateway: &Gateway{Options: o.Near}, Ship: &Gateway{Options: o.Far}, Cables: map[string]*cable.Cable{}, options: o}
}

// Start implements Middle.
func (s *Sites) Start(b *peers.Bed) error {
	near, far, err := s.lay(b)
	if err != nil {
		return err
	}
	noRoute := func(p *PeerOptions) { p.Route = netip.AddrPort{} }
	s.Options.Outside = both(s.Options.Outside, noRoute)
	s.Ship.Options.Inside = both(s.Ship.Options.Inside, noRoute)
	s.Options.More += s.options.spool() + near
	s.Ship.Options.More += s.options.spool() + far
	if err := errors.Join(s.setUp(b), s.Ship.setUp(b)); err != nil {
		return err
	}
	in, _ := s.Options.listen(b)
	_, out := s.Ship.Options.listen(b)
	b.PublishThrough(in.StartTLS, out.StartTLS)
	return nil
}

func (o *SiteOptions) spool() string { return "\n[spool]\n" + o.Spool + "\n" }

// The addresses of links and cables, from the bed's spare ones.
const (
	linkEnds   = 20
	linkCables = 30
	linkPort   = 5271
)

// lay puts the cables and writes the tables of the links for both ends.
func (s *Sites) lay(b *peers.Bed) (near, far string, err error) {
	for i, l := range s.options.Links {
		end := netip.AddrPortFrom(b.Spare(byte(linkEnds+i)), linkPort)
		at := netip.AddrPortFrom(b.Spare(byte(linkCables+i)), linkPort)
		network := "tcp"
		if l.Kind == "dtls" {
			network = "udp"
		}
		if l.SharedKey != "" {
			if err := os.WriteFile(filepath.Join(b.Dir, "shared-key"), []byte(l.SharedKey), 0o600); err != nil {
				return "", "", err
			}
		}
		c, err := cable.Listen(network, at, end)
		if err != nil {
			return "", "", err
		}
		s.Cables[l.Name] = c
		listens, connects := fmt.Sprintf("listen = [%q]", end), fmt.Sprintf("connect = [%q]", at)
		if l.NearOpens {
			near += l.table(outsidePeer, connects, l.Near)
			far += l.table(insidePeer, listens, l.Far)
		} else {
			near += l.table(outsidePeer, listens, l.Near)
			far += l.table(insidePeer, connects, l.Far)
		}
	}
	return near, far, nil
}

func (l *SiteLink) table(peer string, lines ...string) string {
	lines = append([]string{
		"\n[link." + l.Name + "]", fmt.Sprintf("kind = %q", l.Kind), fmt.Sprintf("peer = %q", peer), fmt.Sprintf("priority = %d", l.Priority),
	}, lines...)
	if l.Clear {
		lines = append(lines, `security = "clear"`, `from = ["127.0.0.0/8"]`)
	}
	if l.SharedKey != "" {
		lines = append(lines, `shared-key = "../shared-key"`, `shared-key-name = "two sites"`)
	}
	return strings.Join(lines, "\n") + "\n"
}

// AuditShip returns what the ship's gateway has decided, oldest first.
func (s *Sites) AuditShip() ([]audit.Entry, error) { return s.Ship.Audit() }

// Close implements Middle.
func (s *Sites) Close() error {
	all := []error{s.Gateway.Close(), s.Ship.Close()}
	for _, c := range s.Cables {
		all = append(all, c.Close())
	}
	return errors.Join(all...)
}
