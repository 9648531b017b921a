package config

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
)

// minComponentSecret is the least length of a component's secret, in bytes: its handshake can be guessed at by who listens.
const minComponentSecret = 16

// beside looks at what is beside the server: services that clients are told of, and components.
func (c *checker) beside() {
	s := &c.cfg.Server
	for i := range s.Services {
		v := &s.Services[i]
		key := joinKey("server.service", v.Name)
		c.name(key, v.Name)
		if strings.ContainsAny(v.Host, " /@") || strings.ContainsAny(v.Type, " /@:") {
			c.bad(key, "host and type are names", `write type = "turn" and host = "relay.example"`)
		}
		c.secret(key, v.Secret, 1)
	}
	if len(s.ComponentList) == 0 {
		if len(s.Components.Listen) > 0 {
			c.risk("server.components.listen", "there is no component that could connect", "define [server.component.NAME], or remove it")
		}
		return
	}
	switch {
	case len(s.Components.Listen) == 0 && !c.errorAt("server.components.listen"):
		c.bad("server.components.listen", "is missing, so that no component can connect", `write listen = ["127.0.0.1:5347"]`)
	case !s.Open():
		c.bad("server.components.listen", "components need the server, which no client can connect to", "set server.listen")
	}
	for i, a := range s.Components.Listen {
		if !s.Components.TLS && !a.Addr().IsLoopback() {
			c.bad(entryKey("server.components.listen", i+1), a.String()+" can be reached from other machines, and there is no TLS",
				"listen on 127.0.0.1 or ::1, or say tls = true")
		}
	}
	for i := range s.ComponentList {
		p := &s.ComponentList[i]
		key := joinKey("server.component", p.Name)
		c.name(key, p.Name)
		if _, wide := p.Domain.Base(); wide {
			c.bad(key+".domain", "stands for many domains", "a component has one")
		}
		if slices.Contains(s.Domains, p.Domain) {
			c.bad(key+".domain", "has accounts (server.domains)", "give the component a domain of its own")
		}
		c.secret(key, p.Secret, minComponentSecret)
	}
}

// secret wants so many bytes in the file of a table's key "secret".
func (c *checker) secret(key string, file SecretFile, least int) {
	key += ".secret"
	if file == "" || c.errorAt(key) {
		return
	}
	b, err := os.ReadFile(string(file))
	if err != nil {
		return // said already
	}
	if len(bytes.TrimRight(b, "\r\n")) < least {
		c.bad(key, fmt.Sprintf("there are less than %d bytes in the file", least), "openssl rand -hex 32 > "+string(file))
	}
}

// domainKey is where domain n of a peer stands, counted from 0: those of components have tables of their own.
func (c *checker) domainKey(p *Peer, n int) string {
	if own := len(c.cfg.Server.Domains); p.Ourselves && n >= own {
		return joinKey("server.component", c.cfg.Server.ComponentList[n-own].Name) + ".domain"
	}
	return entryKey(p.table()+".domains", n+1)
}
