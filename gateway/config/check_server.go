package config

import (
	"net/url"
	"strings"
)

// server checks what the IM server is told.
func (c *checker) server() {
	s := &c.cfg.Server
	seen := map[Pattern]bool{}
	for i, d := range s.Domains {
		key := entryKey("server.domains", i+1)
		switch _, wide := d.Base(); {
		case d == "": // refused by the decoder
		case wide:
			c.bad(key, "stands for many domains", "name each domain that has accounts")
		case seen[d]:
			c.risk(key, shown(string(d))+" is listed twice", "remove one")
		}
		seen[d] = true
	}
	c.clients()
	c.serverStore()
	c.admins(s)
	c.contacts(&s.Contacts)
	c.beside()
	c.joining()
	for i := range s.Clearances {
		c.name(joinKey("server.clearance", s.Clearances[i].Name), s.Clearances[i].Name)
	}
	for i := range s.Catalogues {
		c.name(joinKey("server.catalogue", s.Catalogues[i].Name), s.Catalogues[i].Name)
	}
}

// admins wants accounts that the server has; somebody of elsewhere would never be one.
func (c *checker) admins(s *Server) {
	for _, l := range []struct {
		key string
		who []string
	}{{"server.admins.view", s.Admins.View}, {"server.admins.operate", s.Admins.Operate}} {
		for i, text := range l.who {
			key := entryKey(l.key, i+1)
			if c.errorAt(key) {
				continue
			}
			j, ok := ParseAddress(text)
			switch {
			case !ok:
				c.bad(key, shown(text)+" is not an address of the form name@domain", "")
			case !s.Serves(j.Domain()):
				c.bad(key, shown(j.Domain())+" has no accounts here", "name accounts of server.domains")
			}
		}
	}
}

// contacts wants addresses that a program can open.
func (c *checker) contacts(s *ServerContacts) {
	for kind, list := range s.ByKind() {
		for i, text := range list {
			key := entryKey(joinKey("server.contacts", kind), i+1)
			if u, err := url.Parse(text); !c.errorAt(key) && (err != nil || u.Scheme == "" || u.Opaque == "" && u.Host == "") {
				c.bad(key, shown(text)+" is not a URI", "write for example mailto:abuse@chat.example or xmpp:admin@chat.example")
			}
		}
	}
}

func (c *checker) serverStore() {
	s := &c.cfg.Server.Store
	if s.Postgres == "" {
		if s.Password != "" {
			c.bad("server.store.password", "means nothing without server.store.postgres", "remove it")
		}
		return
	}
	u, err := url.Parse(s.Postgres)
	switch {
	case err != nil || u.Scheme != "postgres" || strings.Trim(u.Path, "/") == "":
		c.bad("server.store.postgres", "is not an address of the form postgres://USER@HOST/DATABASE (it is not shown, it could have a password in it)", "")
	case hasPassword(u):
		c.bad("server.store.postgres", "has a password in it", "put it into a file with mode 0600 and name that in server.store.password")
	case remote(u) && u.Query().Get("sslmode") != "verify-full":
		c.risk("server.store.postgres", "the database is not made to prove who it is", "add ?sslmode=verify-full")
	}
	if _, both := c.index.lines["server.store.sqlite"]; both {
		c.bad("server.store.sqlite", "and server.store.postgres exclude each other", "keep one of the two")
	}
}

func hasPassword(u *url.URL) bool {
	_, has := u.User.Password()
	return has || u.Query().Has("password")
}

// remote reports whether the way to the database leaves the machine.
func remote(u *url.URL) bool {
	host := u.Hostname()
	if host == "" {
		host = u.Query().Get("host")
	}
	return host != "" && !strings.HasPrefix(host, "/") && host != "localhost" && host != "127.0.0.1" && host != "::1"
}
