package gateway

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"

	"sallyport/gateway/config"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/peering"
	"sallyport/server"
	"sallyport/server/component"
	"sallyport/server/disco"
	"sallyport/server/extdisco"
)

// readSecret reads a secret; a line end behind it does not count.
func readSecret(file config.SecretFile) (string, error) {
	if file == "" {
		return "", nil
	}
	b, err := os.ReadFile(string(file))
	return strings.TrimRight(string(b), "\r\n"), err
}

// services are what clients are told of beside the server (XEP-0215).
func (c *clients) services(cfg *config.Server) (server.Feature, error) {
	var list []extdisco.Service
	for i := range cfg.Services {
		s := &cfg.Services[i]
		secret, err := readSecret(s.Secret)
		if err != nil {
			return server.Feature{}, fmt.Errorf("service %s: %w", s.Name, err)
		}
		list = append(list, extdisco.Service{Type: s.Type, Host: s.Host, Port: s.Port, Transport: s.Transport, Name: s.Name, Secret: secret})
	}
	return extdisco.New(list, c.g.now)
}

// servicesNow tells of the services of the moment. That there are any is announced, and does not change while a node runs.
func (c *clients) servicesNow() server.Feature {
	f := *c.beyond.Load()
	f.IQ = slices.Clone(f.IQ)
	for i := range f.IQ {
		f.IQ[i].Handle = func(ctx context.Context, q *server.Request) server.Answer {
			return c.beyond.Load().IQ[i].Handle(ctx, q)
		}
	}
	return f
}

// openComponents makes what components connect to; nil where there are none.
func (c *clients) openComponents(cfg *config.Server) (*component.Components, error) {
	if len(cfg.ComponentList) == 0 {
		return nil, nil //nolint:nilnil // none is configured
	}
	options := component.Config{Gate: c.gate, Secrets: map[jid.JID]string{}, Link: linkLocal, Log: c.g.log}
	options.Shown = func(e *xmlstream.Element) *xmlstream.Element { return c.g.engine.Policy().Shown(peerLocal, e, nil) }
	for i := range cfg.ComponentList {
		p := &cfg.ComponentList[i]
		domain, err := jid.ParseDomain(string(p.Domain))
		secret, unread := readSecret(p.Secret)
		if err := errors.Join(err, unread); err != nil {
			return nil, fmt.Errorf("component %s: %w", p.Name, err)
		}
		options.Secrets[domain] = secret
		c.beside = append(c.beside, domain)
	}
	if cfg.Components.TLS {
		options.TLS = &tls.Config{MinVersion: tlsVersion(cfg.Login.MinTLS), GetCertificate: c.certificate}
	}
	return component.New(options)
}

// serveComponents is Serve until ctx ends.
func (c *clients) serveComponents(ctx context.Context, l net.Listener) error {
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stop()
	return c.components.Serve(l)
}

// items are what disco tells of a domain: the components.
func (c *clients) items(jid.JID) (list []disco.Item) {
	for _, d := range c.beside {
		list = append(list, disco.Item{JID: d})
	}
	return list
}

// shared is the server together with the components beside it.
type shared struct {
	serves
	components *component.Components
	beside     map[jid.JID]bool
}

// Deliver implements delivers: what is for the domain of a component is its.
func (s *shared) Deliver(r peering.Released, done server.Delivered) {
	if s.beside[r.To().DomainJID()] {
		s.components.Deliver(r, done)
		return
	}
	s.serves.Deliver(r, done)
}

// receiver is who takes what was released to the users of this node and to components.
func (c *clients) receiver() delivers {
	if c.components == nil {
		return c.server
	}
	s := &shared{serves: c.server, components: c.components, beside: map[jid.JID]bool{}}
	for _, d := range c.beside {
		s.beside[d] = true
	}
	return s
}
