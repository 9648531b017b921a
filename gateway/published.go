package gateway

import (
	"fmt"
	"net/netip"
	"time"

	"sallyport/gateway/config"
	"sallyport/internal/tlsid"
)

// Published is what has to be known of a server outside this machine, so that clients and other servers find it and trust it.
type Published struct {
	Records      []SRV         `json:"records"`
	Ports        []Port        `json:"ports"`
	Certificates []Certificate `json:"certificates"`
}

// SRV is a record of the DNS (RFC 2782).
type SRV struct {
	Name   string `json:"name"`
	Port   uint16 `json:"port"`
	Target string `json:"target"`
}

// Port is one that is listened on.
type Port struct {
	Address string `json:"address"`
	For     string `json:"for"`
	Here    bool   `json:"only_here"` // nobody else's machine reaches it
}

// Certificate is what a domain is shown with.
type Certificate struct {
	Domain   string    `json:"domain"`
	File     string    `json:"file,omitempty"` // empty: none names it
	NotAfter time.Time `json:"not_after,omitzero"`
}

// Publish says what a configuration wants to be known. host is the name of this machine.
func Publish(cfg *config.Config, host string) (*Published, error) {
	keys, err := tlsid.OpenStore(identityFiles(cfg))
	if err != nil {
		return nil, fmt.Errorf("certificates: %w", err)
	}
	p := &Published{}
	s := &cfg.Server
	p.listens("_xmpp-client._tcp.", "clients", host, s, s.Listen)
	p.listens("_xmpps-client._tcp.", "clients, TLS from the first byte", host, s, s.ListenDirect)
	for i := range cfg.Sides {
		side := &cfg.Sides[i]
		if s.Open() && side.Name != s.Side {
			p.listens("_xmpp-server._tcp.", "servers of "+side.Name, host, s, side.Listen)
			p.listens("_xmpps-server._tcp.", "servers of "+side.Name+", TLS from the first byte", host, s, side.ListenDirect)
		}
	}
	p.listens("", "HTTPS: "+overHTTPS(&s.Web), host, s, s.Web.Listen)
	for _, d := range s.Domains {
		c := Certificate{Domain: string(d)}
		for _, f := range keys.Keys().Facts() {
			if c.File == "" && f.Names.Match(c.Domain) != tlsid.NoKind {
				c.File, c.NotAfter = f.File, f.NotAfter
			}
		}
		p.Certificates = append(p.Certificates, c)
	}
	return p, nil
}

// listens adds addresses, and a record of each domain for the first that others reach.
func (p *Published) listens(service, who, host string, s *config.Server, at []netip.AddrPort) {
	told := service == ""
	for _, a := range at {
		here := a.Addr().IsLoopback()
		p.Ports = append(p.Ports, Port{Address: a.String(), For: who, Here: here})
		if here || told {
			continue
		}
		told = true
		for _, d := range s.Domains {
			p.Records = append(p.Records, SRV{Name: service + string(d), Port: a.Port(), Target: host})
		}
	}
}

// overHTTPS says what is reached there.
func overHTTPS(w *config.ServerWeb) string {
	what := "WebSocket"
	if w.BOSH {
		what += ", BOSH"
	}
	if w.Files.Quota > 0 {
		what += ", files"
	}
	return what
}
