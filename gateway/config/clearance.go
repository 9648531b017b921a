package config

import (
	"sallyport/internal/xmpp/jid"
)

// Clearance says what users, rooms or whole domains are cleared for.
type Clearance struct {
	// Users, by address.
	Users []string `toml:"users"`
	// Rooms, by address: for messages to them and out of them.
	Rooms []string `toml:"rooms"`
	// Domains: everybody at `a.example`, or below it with `*.a.example`, who is not listed himself.
	Domains []Pattern `toml:"domains"`
	// Files with their clearances, one under each security policy. Without any they are cleared for nothing that has a label.
	Clearance Files `toml:"clearance"`
}

// ParseAddress reads the address of a user or room: name@domain, nothing behind it.
func ParseAddress(s string) (jid.JID, bool) {
	j, err := jid.Parse(s)
	return j, err == nil && !j.IsFull() && j.Local() != ""
}
