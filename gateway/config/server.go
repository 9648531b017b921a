package config

import (
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Server describes the IM server of this node: whom it has accounts for, where they log in, and where it keeps them. Where clients can
// connect, the server is a peer like any other, called `local`: pairs, rules and clearances name it so, and what its users
// say to each other is judged, too.
type Server struct {
	// The domains that have accounts here. Without any the node serves no clients.
	Domains []Pattern `toml:"domains"`
	// The side that the accounts are on.
	Side string `toml:"side"`
	// Addresses and ports where clients connect, with STARTTLS (usually port 5222).
	Listen []netip.AddrPort `toml:"listen"`
	// Addresses and ports where clients connect with TLS from the first byte (XEP-0368, usually port 5223).
	ListenDirect []netip.AddrPort `toml:"listen-direct"`
	// What is reached by HTTP: web clients and files.
	Web ServerWeb `toml:"web"`
	// How clients log in.
	Login ServerLogin `toml:"login"`
	// How the users of the server are labelled, as for a peer.
	Labels ServerLabels `toml:"labels"`
	// Bounds on what clients can make the server spend.
	Limits ServerLimits `toml:"limits"`
	// Where accounts and all that belongs to them are kept.
	Store ServerStore `toml:"store"`
	// Who administers the server as a client.
	Admins ServerAdmins `toml:"admins"`
	// Where people outside the server reach who answers for it (XEP-0157). Everybody who asks is told.
	Contacts ServerContacts `toml:"contacts"`
	// Whom users may invite (XEP-0379, XEP-0401).
	Invitations ServerInvitations `toml:"invitations"`
	// What people may do with accounts by themselves (XEP-0077).
	Registration ServerRegistration `toml:"registration"`
	// Services that clients are told of (XEP-0215), such as relays for calls, each with a name of your choice.
	Services []ServerService `toml:"service,named"`
	// Where components connect (XEP-0114): programs beside the server that are domains of their own, as gateways to other networks are.
	Components ServerComponents `toml:"components"`
	// Components, each with a name of your choice.
	ComponentList []ServerComponent `toml:"component,named"`
	// What new passwords must satisfy.
	Passwords Passwords `toml:"passwords"`
	// Clearances that accounts can be given with `sallyport user clearance`, each with a name of your choice.
	Clearances []ServerClearance `toml:"clearance,named"`
	// Label catalogues that accounts can be given with `sallyport user catalogue`, each with a name of your choice.
	Catalogues []ServerCatalogue `toml:"catalogue,named"`
}

// ServerAdmins are accounts that administer the server with their clients (XEP-0133), beside those that are made administrators of their
// domain with `sallyport user admin`. A role includes the one before it.
type ServerAdmins struct {
	// Accounts that may look.
	View []string `toml:"view"`
	// Accounts that may also keep accounts, end sessions, speak to everybody, make others administrators and shut the node down.
	Operate []string `toml:"operate"`
}

// ServerContacts are addresses of who answers for a server, each a URI such as `mailto:abuse@chat.example` or
// `xmpp:admin@chat.example` (XEP-0157).
type ServerContacts struct {
	// Where abuse by users of the server is reported.
	Abuse []string `toml:"abuse"`
	// Who runs the server.
	Admin []string `toml:"admin"`
	// Where opinions about the server are welcome.
	Feedback []string `toml:"feedback"`
	// Who answers questions of custom.
	Sales []string `toml:"sales"`
	// Where weaknesses are reported.
	Security []string `toml:"security"`
	// Where the state of the server is told.
	Status []string `toml:"status"`
	// Who helps users.
	Support []string `toml:"support"`
}

// ByKind returns the lists that are not empty, by the names of XEP-0157 §2.
func (c *ServerContacts) ByKind() map[string][]string {
	kinds := map[string][]string{
		"abuse": c.Abuse, "admin": c.Admin, "feedback": c.Feedback, "sales": c.Sales,
		"security": c.Security, "status": c.Status, "support": c.Support,
	}
	maps.DeleteFunc(kinds, func(_ string, list []string) bool { return len(list) == 0 })
	return kinds
}

// ServerStore says which database the server uses.
type ServerStore struct {
	// File of the embedded database, on a disk of this machine. Created with mode 0600. Default: `server.db` in the state directory.
	SQLite Path `toml:"sqlite"`
	// Address of a PostgreSQL database to use instead, such as `postgres://sallyport@db.example/sallyport?sslmode=verify-full`. The password does not belong here.
	Postgres string `toml:"postgres"`
	// File with the password for PostgreSQL, if it asks for one. A line end behind it does not count.
	Password SecretFile `toml:"password"`
	// How long the archives of accounts keep messages.
	KeepMessages time.Duration `toml:"keep-messages" min:"1h" max:"36500d"`
}

// DSN is the address of the database as server/store takes it.
func (s ServerStore) DSN() string {
	if s.Postgres != "" {
		return s.Postgres
	}
	return "sqlite:" + string(s.SQLite)
}

// Passwords describes what new passwords must satisfy.
type Passwords struct {
	// The least characters of a new password.
	MinLength int `toml:"min-length" min:"8" max:"128"`
	// How often a new password is hashed. Clients do that work at each login; more makes stolen hashes worth less.
	Iterations int `toml:"iterations" min:"4096" max:"1000000"`
}

// ServerClearance is a clearance that accounts can be given.
type ServerClearance struct {
	// Name of the clearance: the name of its table.
	Name string `toml:"name"`
	// Files with the clearance, one under each security policy.
	File Files `toml:"file" required:"true"`
}

// ServerCatalogue is a label catalogue that accounts can be given.
type ServerCatalogue struct {
	// Name of the catalogue: the name of its table.
	Name string `toml:"name"`
	// File with the catalogue.
	File File `toml:"file" required:"true"`
}

// Serves reports whether a canonical domain has accounts here.
func (s *Server) Serves(domain string) bool {
	for _, d := range s.Domains {
		if d.matches(domain) {
			return true
		}
	}
	return false
}

// LoadServer reads what commands need that work on the store of the server: the node and the server. It looks at no other part, because
// who keeps the accounts need not be able to read the keys of the gateway.
func LoadServer(path string) (*Server, error) {
	cfg, err := loadKeeping(path)
	if err != nil {
		return nil, err
	}
	return &cfg.Server, nil
}

// LoadStopped reads what commands need that change the store of the server while no node runs: the audit log, too.
func LoadStopped(path string) (*Config, error) {
	return loadKeeping(path, "node.name", "audit")
}

// loadKeeping looks at the node's state, the server, and more tables or keys.
func loadKeeping(path string, more ...string) (*Config, error) {
	text, problems := readFile(path)
	if problems != nil {
		return nil, problems.Err()
	}
	cfg, r := decode(path, text)
	if cfg == nil {
		return nil, r.sorted().Err()
	}
	c := &checker{report: r, cfg: cfg}
	c.server()
	c.audit()
	if c.cfg.Server.Store.Postgres != "" {
		c.fileAt("server.store.password", cfg.Server.Store.Password)
	}
	var mine Problems
	for _, p := range r.sorted() {
		if p.Severity == Error && (p.Key == "" || slices.ContainsFunc(append(more, "node.state", "server"), func(k string) bool { return p.Key == k || strings.HasPrefix(p.Key, k+".") })) {
			mine = append(mine, p)
		}
	}
	if len(mine) > 0 {
		return nil, mine.Err()
	}
	return cfg, nil
}
