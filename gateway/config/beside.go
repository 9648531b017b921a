package config

import "net/netip"

// ServerService is a service beside the server that clients are told of (XEP-0215), such as a relay for calls.
type ServerService struct {
	Name string `toml:"-"`

	// What it is, as clients know it: `stun`, `turn` or `turns`, for example.
	Type string `toml:"type" required:"true"`
	// Name or IP address of its host.
	Host string `toml:"host" required:"true"`
	// Its port. Zero: the usual one.
	Port int `toml:"port" min:"0" max:"65535"`
	// Over what it is reached. Empty: nothing in particular.
	Transport string `toml:"transport" enum:",udp,tcp"`
	// File with the secret that it shares with the server. Clients are given credentials made with it, which hold for twelve hours (HMAC-SHA1 of the name, as coturn has it with `use-auth-secret`). A line end behind it does not count.
	Secret SecretFile `toml:"secret"`
}

// ServerComponents says where components connect (XEP-0114): programs that are domains of their own.
type ServerComponents struct {
	// Addresses and ports where they connect (usually port 5347).
	Listen []netip.AddrPort `toml:"listen"`
	// They connect with TLS from the first byte. Without it they can only be on this machine, since what they prove themselves with can be listened to.
	TLS bool `toml:"tls"`
}

// ServerComponent is one of them. Its domain is one of the peer `local`: what it says and is sent is judged like what users say.
type ServerComponent struct {
	Name string `toml:"-"`

	// Its domain.
	Domain Pattern `toml:"domain" required:"true"`
	// File with the secret that it proves itself with, 16 bytes or more. A line end behind it does not count.
	Secret SecretFile `toml:"secret" required:"true"`
}

// ComponentDomains are the domains of all components.
func (s *Server) ComponentDomains() (list []Pattern) {
	for i := range s.ComponentList {
		list = append(list, s.ComponentList[i].Domain)
	}
	return list
}
