package control

import (
	"context"
	"encoding/json"
	"time"

	"sallyport/internal/role"
)

// Node is what the verbs do. The gateway implements it.
type Node interface {
	Status(ctx context.Context) (Status, error)
	Reload(ctx context.Context, by Caller, q ReloadQuestion) (Reloaded, error)
	Peers(ctx context.Context) ([]PeerStatus, error)
	Peer(ctx context.Context, name string) (PeerDetail, error) // ErrNoPeer
	Explain(ctx context.Context, q ExplainQuestion) (json.RawMessage, error)
	Keeper
}

// The names of the verbs.
const (
	VerbStatus   = "status"
	VerbReload   = "reload"
	VerbPeerList = "peer.list"
	VerbPeerShow = "peer.show"
	VerbExplain  = "explain"
)

// Verbs is the table of everything that can be asked of a node.
func Verbs(n Node) []Verb {
	list := keeping(n)
	return append(list, []Verb{
		{Name: VerbStatus, Role: role.View, Handle: func(ctx context.Context, args json.RawMessage, _ Caller) (any, error) {
			if err := Decode(args, &struct{}{}); err != nil {
				return nil, err
			}
			return n.Status(ctx)
		}},
		{Name: VerbPeerList, Role: role.View, Handle: func(ctx context.Context, args json.RawMessage, _ Caller) (any, error) {
			if err := Decode(args, &struct{}{}); err != nil {
				return nil, err
			}
			return n.Peers(ctx)
		}},
		{Name: VerbPeerShow, Role: role.View, Handle: func(ctx context.Context, args json.RawMessage, _ Caller) (any, error) {
			var q PeerQuestion
			if err := Decode(args, &q); err != nil {
				return nil, err
			}
			return n.Peer(ctx, q.Name)
		}},
		{Name: VerbExplain, Role: role.View, Handle: func(ctx context.Context, args json.RawMessage, _ Caller) (any, error) {
			var q ExplainQuestion
			if err := Decode(args, &q); err != nil {
				return nil, err
			}
			return n.Explain(ctx, q)
		}},
		{Name: VerbReload, Role: role.Policy, Changes: true, Handle: func(ctx context.Context, args json.RawMessage, by Caller) (any, error) {
			var q ReloadQuestion
			if err := Decode(args, &q); err != nil {
				return nil, err
			}
			return n.Reload(ctx, by, q)
		}},
	}...)
}

// Status is a node at a glance.
type Status struct {
	Node     string    `json:"node"`
	Version  string    `json:"version"`
	PID      int       `json:"pid"`
	Started  time.Time `json:"started"`
	Config   string    `json:"config"`        // path of the file
	Digest   string    `json:"config_digest"` // of the file that is active
	Policy   string    `json:"policy"`        // version that judges now
	Reloaded time.Time `json:"reloaded"`      // when the configuration was read last, which need not have changed the policy
	// LastReloadError is why the latest reload changed nothing; empty when it did.
	LastReloadError string `json:"last_reload_error,omitempty"`

	Ready    bool     `json:"ready"`              // takes and releases stanzas
	Problems []string `json:"problems,omitempty"` // what an operator should look at, in words

	Sides   []SideStatus  `json:"sides"`
	Server  *ServerStatus `json:"server,omitempty"` // nil where no clients can connect
	Stanzas Stanzas       `json:"stanzas"`
	Audit   AuditStatus   `json:"audit"`
}

// ServerStatus is the server of the node.
type ServerStatus struct {
	Domains   []string `json:"domains"`
	Listen    []string `json:"listen"`
	Users     int      `json:"users"`     // accounts with a client here
	Sessions  int      `json:"sessions"`  // clients, those that wait to be resumed too
	Available int      `json:"available"` // of them, those that have sent their presence
	Store     string   `json:"store"`     // what keeps the accounts
}

// SideStatus is one side of the gateway.
type SideStatus struct {
	Name    string   `json:"name"`
	Listen  []string `json:"listen"`
	Streams int      `json:"streams"` // open and authenticated
	Pending int      `json:"pending"` // open, not authenticated yet
}

// Stanzas counts what became of stanzas since the node started. Accepted is the sum of
// the others.
type Stanzas struct {
	Accepted  int64 `json:"accepted"`
	Deciding  int64 `json:"deciding"`
	Queued    int64 `json:"queued"`
	Delivered int64 `json:"delivered"`
	Refused   int64 `json:"refused"`
	Dropped   int64 `json:"dropped"`
	Held      int64 `json:"held"`
	Bounced   int64 `json:"bounced"`
	Expired   int64 `json:"expired"`
	InDoubt   int64 `json:"in_doubt"`
	// Superseded was made needless by something newer while it waited; Damaged could not be read back from the disk.
	Superseded int64 `json:"superseded"`
	Damaged    int64 `json:"damaged"`
	// Folded are those of Superseded of which nothing was worth sending on a thin way: decoration, presence that is off or says nothing new.
	Folded int64 `json:"folded"`
	// Answered are those of Delivered that were requests, and answered here in place of their peer; Unanswered those whose sender was
	// told that no answer came in time.
	Answered   int64 `json:"answered"`
	Unanswered int64 `json:"unanswered"`
	// Repetitions came again under custody and were dropped; they are not among the accepted.
	Repetitions int64 `json:"repetitions"`
}

// AuditStatus is the audit log at a glance.
type AuditStatus struct {
	Seq      uint64    `json:"seq"`      // last durable record
	Hash     string    `json:"hash"`     // of that record
	Bytes    int64     `json:"bytes"`    // on disk
	Segments int       `json:"segments"` // on disk
	Signed   time.Time `json:"signed"`   // head last signed
	Error    string    `json:"error,omitempty"`
}

// PeerStatus is one line of the list of peers.
type PeerStatus struct {
	Name      string    `json:"name"`
	Side      string    `json:"side"`
	State     PeerState `json:"state"`
	Streams   int       `json:"streams"`
	Proof     string    `json:"proof,omitempty"` // weakest proof of an open stream: external or dialback
	Queued    int       `json:"queued"`
	Delivered int64     `json:"delivered"` // stanzas to it
	Refused   int64     `json:"refused"`   // stanzas from it
	Answered  int64     `json:"answered"`  // requests to it that were answered here
	Saved     int64     `json:"saved"`     // bytes of these answers
	Error     string    `json:"error,omitempty"`
}

// PeerState is a peer in one word.
type PeerState string

// The states.
const (
	PeerUp      PeerState = "up"      // at least one authenticated stream
	PeerIdle    PeerState = "idle"    // none, and nothing waits for it
	PeerTrying  PeerState = "trying"  // none, and stanzas wait
	PeerDown    PeerState = "down"    // the latest attempt to connect was without success
	PeerRefused PeerState = "refused" // by configuration
)

// PeerDetail is a peer in full.
type PeerDetail struct {
	PeerStatus
	Domains   []string       `json:"domains"`
	Default   bool           `json:"default,omitempty"`
	SpeaksFor []string       `json:"speaks_for,omitempty"`
	Route     []string       `json:"route,omitempty"` // configured; empty: by DNS
	Security  string         `json:"security"`        // the floor, in words
	Kinds     []string       `json:"kinds"`
	Clearance string         `json:"clearance,omitempty"` // marking
	Pairs     []string       `json:"pairs"`               // peers it may send to
	Answers   []string       `json:"answers,omitempty"`   // questions to it that are answered here
	Kept      int            `json:"kept,omitempty"`      // its answers, for that
	Open      []StreamStatus `json:"open,omitempty"`
	NextTry   time.Time      `json:"next_try,omitzero"`
}

// StreamStatus is one open stream.
type StreamStatus struct {
	Direction  string    `json:"direction"` // in, out or both
	Local      string    `json:"local"`     // domain
	Remote     string    `json:"remote"`    // domain
	Address    string    `json:"address"`
	Since      time.Time `json:"since"`
	TLS        string    `json:"tls"`   // version and suite
	Proof      string    `json:"proof"` // how the peer showed who it is
	Management bool      `json:"management"`
	Unacked    int       `json:"unacked"`
	In         int64     `json:"in"`  // stanzas
	Out        int64     `json:"out"` // stanzas
}

// Reloaded is what a reload changed.
type Reloaded struct {
	Changed  bool     `json:"changed"`
	Policy   string   `json:"policy"` // version that judges now
	Before   string   `json:"before"` // version that did
	Warnings []string `json:"warnings,omitempty"`
}

// ReloadQuestion asks for the configuration file to be read again.
type ReloadQuestion struct {
	AllowRollback bool `json:"allow_rollback,omitempty"` // security policies may go back to older editions
}

// PeerQuestion names a peer.
type PeerQuestion struct {
	Name string `json:"name"`
}

// ExplainQuestion asks what would become of a stanza. Nothing is sent or recorded.
type ExplainQuestion struct {
	From   string `json:"from"`             // peer it would come from
	To     string `json:"to,omitempty"`     // peer it is expected to go to; empty: as its address says
	Domain string `json:"domain,omitempty"` // domain the peer would have proved; empty: that of the stanza
	Stanza string `json:"stanza"`           // XML
}
