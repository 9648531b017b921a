package config

import (
	"net/url"
	"strings"
	"time"

	"sallyport/internal/xmpp/jid"
)

// ServerInvitations says whom users may invite (XEP-0379, XEP-0401). By default nobody.
type ServerInvitations struct {
	// Users may invite others to be contacts: who comes with the invitation sees the presence of who made it without asking.
	Contacts bool `toml:"contacts"`
	// With such an invitation somebody may also make an account here, once.
	Accounts bool `toml:"accounts"`
	// Accounts of users, such as `juliet@chat.example`, who may invite somebody to have an account without becoming a contact, also under a name that they choose.
	Creators []string `toml:"creators"`
	// How long an invitation is good.
	Keep time.Duration `toml:"keep" min:"10m" max:"365d"`
	// Address of a web page that explains invitations, such as `https://chat.example/invite#`; the token is added behind it. Empty: there is none.
	Page string `toml:"page"`
}

// ServerRegistration says what people may do with accounts by themselves (XEP-0077).
type ServerRegistration struct {
	// Everybody who can connect may make accounts. To let in only who is invited, leave it out and see `[server.invitations]`.
	Open bool `toml:"open"`
	// With open: the most accounts in an hour from one address (of IPv6: from one /64).
	PerHour int `toml:"per-hour" min:"1" max:"1000"`
	// People may change their passwords.
	ChangePassword bool `toml:"change-password"`
	// People may remove their accounts, with all that is kept for them.
	Remove bool `toml:"remove"`
}

// MakeAccounts reports whether there are invitations that make accounts.
func (i *ServerInvitations) MakeAccounts() bool {
	return i.Contacts && i.Accounts || len(i.Creators) > 0
}

// joining looks at how people come to accounts.
func (c *checker) joining() {
	s := &c.cfg.Server
	if s.Registration.Open {
		c.risk("server.registration.open", "whoever can connect has an account when he likes, also one to send unwanted messages from",
			"let people in by [server.invitations]")
	} else if _, set := c.index.lines["server.registration.per-hour"]; set {
		c.bad("server.registration.per-hour", "means nothing without open; invitations are not counted", "remove it")
	}
	i := &s.Invitations
	if i.Accounts && !i.Contacts {
		c.bad("server.invitations.accounts", "means nothing without contacts", "say contacts = true, or list creators instead")
	}
	for n, who := range i.Creators {
		key := entryKey("server.invitations.creators", n+1)
		j, err := jid.Parse(who)
		switch {
		case err != nil || j.Local() == "" || !j.IsBare() || j.String() != who:
			c.bad(key, shown(who)+" is not an account", "write name@chat.example")
		case !s.Serves(j.Domain()):
			c.bad(key, shown(who)+" is not of this server", "name a user of server.domains")
		}
	}
	if i.Page != "" {
		if u, err := url.Parse(i.Page); err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || strings.ContainsAny(i.Page, " <>") {
			c.bad("server.invitations.page", shown(i.Page)+" is not an address of the form https://HOST/PATH", "")
		}
	}
}
