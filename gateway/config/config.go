package config

import (
	"net/netip"

	"sallyport/gateway/precedence"
	"sallyport/rules"
)

// Config is everything a node is told. It is immutable once loaded.
type Config struct {
	// The node itself: what it is called and where it keeps what it must not forget.
	Node Node `toml:"node"`
	// The Unix socket through which the commands of sallyport talk to a running node.
	Control Control `toml:"control"`
	// The page that Prometheus and health checks read.
	Metrics Metrics `toml:"metrics"`
	// What the node says about itself while it runs. Stanza bodies and secrets are never logged.
	Log Log `toml:"log"`
	// The record of every decision: durable before anything is released.
	Audit Audit `toml:"audit"`
	// The networks the gateway stands between, each with a name of your choice. There are usually two, `inside` and `outside`.
	Sides []Side `toml:"side,named"`
	// Certificates that the gateway shows, one or more for each domain it speaks for.
	Certificates []Certificate `toml:"certificate"`
	// The neighbours, each with a name of your choice. Who is not listed here, and not covered by a peer with `default = true`, is refused.
	Peers []Peer `toml:"peer,named"`
	// Which peers may talk to each other. What is not listed is refused.
	Pairs []Pair `toml:"pair"`
	// What a stanza must satisfy to cross.
	Policy Policy `toml:"policy"`
	// Labels for messages without one, for those peers that have `unlabelled = "default"`. Entries for a sender and destination count before those for a room, these before those for a user; then the peer's own; then those for a domain.
	DefaultLabels []DefaultLabel `toml:"default-label"`
	// What users, rooms and whole domains are cleared for, on either side. Whoever is not listed, himself or by his domain, is bounded by the clearance of his peer alone. An entry for the address counts before one for the room, and these before one for the domain; of two for one address the first.
	Clearances []Clearance `toml:"clearance"`
	// What carries stanzas, each with a name of your choice. Ordinary server-to-server streams are the link `s2s`, which is always there. Others reach one peer each, and a peer may have several.
	Links []Link `toml:"link,named"`
	// How urgent stanzas are where they have to wait for a link. A rule that gives a precedence comes first. Without any of this everything is routine and keeps its order.
	Precedence precedence.Spec `toml:"precedence"`
	// What waits for peers that cannot be reached at once: kept on disk, in order, until it has been delivered, or its sender has been told.
	Spool Spool `toml:"spool"`
	// The IM server of this node: accounts that clients log in to.
	Server Server `toml:"server"`
	// Profiles of your own, each with a name of your choice. A stanza must fit the one that the policy names: what is not on its lists does not cross.
	Profiles []rules.ProfileSpec `toml:"profile,named"`
	// Rules, tried in order after the profile: each says what is done with the stanzas that it matches. Every rule has an id of its own, which audit and explain name.
	Rules []rules.RuleSpec `toml:"rule"`
	// Bounds on what strangers can make the gateway spend. There is no way to set a limit to "none".
	Limits Limits `toml:"limits"`

	// Source says which file this was read from.
	Source Source `toml:"-"`
}

// Source names the text a configuration was made from.
type Source struct {
	Path   string // absolute
	Digest string // SHA-256 of the file, hexadecimal
}

// Node describes the process.
type Node struct {
	// Name of this node in logs, audit records and metrics. Nodes of one service need different names.
	Name string `toml:"name" required:"true"`
	// Directory for what the node must not forget. Created with mode 0700 when it does not exist. Two nodes never share one.
	State Dir `toml:"state" required:"true"`
	// File with the secret that dialback keys are made from. Created with mode 0600 on first start. Nodes that answer for the same domains need the same secret. Default: `dialback.secret` in the state directory.
	DialbackSecret NewSecret `toml:"dialback-secret"`
}

// Control describes the control socket.
type Control struct {
	// Path of the socket. Default: `control.sock` in the state directory.
	Socket Path `toml:"socket"`
	// Unix group that may open the socket. When set, the socket has mode 0660 and this group; when not, mode 0600, so that only the user the gateway runs as and root can open it, whatever the roles below say.
	Group string `toml:"group"`
	// Who may look: `user:NAME`, `group:NAME`, or a number as `uid:1000`, `gid:1000`. Root and the user the gateway runs as have every role. A role includes the ones before it: view, operate, policy.
	View []Principal `toml:"view"`
	// Who may also act on connections and queues.
	Operate []Principal `toml:"operate"`
	// Who may also change what is allowed to cross, a reload included.
	Policy []Principal `toml:"policy"`
}

// Metrics describes the page for monitoring.
type Metrics struct {
	// Address and port of `/metrics`, `/healthz` and `/readyz`. Without it there is no such page. The page is plain HTTP without a password.
	Listen netip.AddrPort `toml:"listen"`
	// Permits a `listen` address that other machines can reach.
	AllowRemote bool `toml:"allow-remote"`
}

// Log describes the log, which goes to standard error.
type Log struct {
	// The least important lines that are written.
	Level LogLevel `toml:"level" enum:"debug,info,warn,error"`
	// One JSON object a line, or text for people.
	Format LogFormat `toml:"format" enum:"json,console"`
}

// LogLevel is the least severity that is logged.
type LogLevel string

// The log levels.
const (
	LogDebug LogLevel = "debug"
	LogInfo  LogLevel = "info"
	LogWarn  LogLevel = "warn"
	LogError LogLevel = "error"
)

// LogFormat is the shape of a log line.
type LogFormat string

// The log formats.
const (
	LogJSON    LogFormat = "json"
	LogConsole LogFormat = "console"
)

// Audit describes the audit log.
type Audit struct {
	// Directory of the log. Default: `audit` in the state directory.
	Dir Dir `toml:"dir"`
	// A segment is closed and the next one begun at this size.
	SegmentBytes Size `toml:"segment-bytes" min:"64 KiB" max:"64 MiB"`
	// When the log holds this much, nothing is released any more: make room with `sallyport audit archive` or `prune` before, or restart the node after. Zero: 16 GiB.
	MaxBytes Size `toml:"max-bytes" min:"0"`
	// Further places where the signed head of the log goes each second, so that a missing end is noticed: `file:PATH`, best on another disk, or `syslog:` for the local syslog, `syslog:/PATH` for one with another socket, `syslog:HOST:PORT` for one elsewhere (UDP).
	HeadSinks []HeadSink `toml:"head-sink"`
	// Also records the content of stanzas. Whoever can read the log can then read the messages.
	Content bool `toml:"content"`
	// Writes the log with io_uring where the kernel allows that, which costs a busy node less processor time. Turned off, the log is written with ordinary calls, for those who want no io_uring on their machines.
	IOUring bool `toml:"io-uring"`
	// File with the Ed25519 key that signs the head. Created with mode 0600 on first start. Default: `audit.key` in the state directory.
	SignKey NewSecret `toml:"sign-key"`
}

// Side returns a side by name, or nil.
func (c *Config) Side(name string) *Side {
	for i := range c.Sides {
		if c.Sides[i].Name == name {
			return &c.Sides[i]
		}
	}
	return nil
}

// Peer returns a peer by name, or nil.
func (c *Config) Peer(name string) *Peer {
	for i := range c.Peers {
		if c.Peers[i].Name == name {
			return &c.Peers[i]
		}
	}
	return nil
}
