package gateway

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"sallyport/gateway/config"
	"sallyport/server"
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
