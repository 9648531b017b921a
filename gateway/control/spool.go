package control

import (
	"context"
	"encoding/json"
	"time"

	"sallyport/internal/role"
)

// Keeper is what can be asked of the spool and the links of a node.
type Keeper interface {
	Spool(ctx context.Context, q SpoolQuestion) (SpoolStatus, error)
	SpoolEntry(ctx context.Context, q EntryQuestion) (SpoolDetail, error)
	ExpireSpool(ctx context.Context, by Caller, q SpoolQuestion) (SpoolChanged, error)
	RetrySpool(ctx context.Context, by Caller, q SpoolQuestion) (SpoolChanged, error)
	Links(ctx context.Context) ([]LinkStatus, error)
	SetEMCON(ctx context.Context, by Caller, q EMCONQuestion) (EMCONAnswer, error)
}

// The names of the verbs.
const (
	VerbSpoolList   = "spool.list"
	VerbSpoolShow   = "spool.show"
	VerbSpoolExpire = "spool.expire"
	VerbSpoolRetry  = "spool.retry"
	VerbLinkStatus  = "link.status"
	VerbLinkEMCON   = "link.emcon"
)

// keeping are the verbs of a Keeper. What changes something needs the role operate, and is recorded.
func keeping(k Keeper) []Verb {
	return []Verb{
		{Name: VerbSpoolList, Role: role.View, Handle: func(ctx context.Context, args json.RawMessage, _ Caller) (any, error) {
			var q SpoolQuestion
			if err := Decode(args, &q); err != nil {
				return nil, err
			}
			return k.Spool(ctx, q)
		}},
		{Name: VerbSpoolShow, Role: role.View, Handle: func(ctx context.Context, args json.RawMessage, _ Caller) (any, error) {
			var q EntryQuestion
			if err := Decode(args, &q); err != nil {
				return nil, err
			}
			return k.SpoolEntry(ctx, q)
		}},
		{Name: VerbSpoolExpire, Role: role.Operate, Changes: true, Handle: func(ctx context.Context, args json.RawMessage, by Caller) (any, error) {
			var q SpoolQuestion
			if err := Decode(args, &q); err != nil {
				return nil, err
			}
			return k.ExpireSpool(ctx, by, q)
		}},
		{Name: VerbSpoolRetry, Role: role.Operate, Changes: true, Handle: func(ctx context.Context, args json.RawMessage, by Caller) (any, error) {
			var q SpoolQuestion
			if err := Decode(args, &q); err != nil {
				return nil, err
			}
			return k.RetrySpool(ctx, by, q)
		}},
		{Name: VerbLinkStatus, Role: role.View, Handle: func(ctx context.Context, args json.RawMessage, _ Caller) (any, error) {
			if err := Decode(args, &struct{}{}); err != nil {
				return nil, err
			}
			return k.Links(ctx)
		}},
		{Name: VerbLinkEMCON, Role: role.Operate, Changes: true, Handle: func(ctx context.Context, args json.RawMessage, by Caller) (any, error) {
			var q EMCONQuestion
			if err := Decode(args, &q); err != nil {
				return nil, err
			}
			return k.SetEMCON(ctx, by, q)
		}},
	}
}

// EMCONQuestion begins the radio silence of a link, or ends it.
type EMCONQuestion struct {
	Link string `json:"link"`
	On   bool   `json:"on"`
}

// EMCONAnswer is how the link is now.
type EMCONAnswer struct {
	On      bool `json:"on"`
	Changed bool `json:"changed"`
}

// SpoolQuestion says what of the spool is meant: certain entries, all for a peer, or all.
type SpoolQuestion struct {
	Peer    string   `json:"peer,omitempty"`
	Numbers []uint64 `json:"numbers,omitempty"`
	From    uint64   `json:"from,omitempty"`  // list from this number on
	Limit   int      `json:"limit,omitempty"` // entries that are listed; 0: the sums alone
}

// EntryQuestion names an entry.
type EntryQuestion struct {
	Number uint64 `json:"number"`
}

// SpoolStatus is what waits, and what became of what had waited.
type SpoolStatus struct {
	Entries   int    `json:"entries"`
	Bytes     int64  `json:"bytes"`
	DiskBytes int64  `json:"disk_bytes"`
	Segments  int    `json:"segments"`
	Epoch     string `json:"epoch,omitempty"` // empty: there is no spool
	DiskFull  bool   `json:"disk_full,omitempty"`
	Error     string `json:"error,omitempty"`
	Warning   string `json:"warning,omitempty"` // of this life of the node
	// Accepted is the sum of Queued and the others; Balance is what is missing.
	Accepted   int64        `json:"accepted"`
	Queued     int64        `json:"queued"`
	Delivered  int64        `json:"delivered"`
	Bounced    int64        `json:"bounced"`
	Refused    int64        `json:"refused"`
	Expired    int64        `json:"expired"`
	Superseded int64        `json:"superseded"`
	InDoubt    int64        `json:"in_doubt"`
	Damaged    int64        `json:"damaged"`
	Balance    int64        `json:"balance"`
	Lanes      []SpoolLane  `json:"lanes,omitempty"`
	List       []SpoolEntry `json:"list,omitempty"`
	More       bool         `json:"more,omitempty"` // of List
}

// SpoolLane is what waits for one peer with one precedence.
type SpoolLane struct {
	Peer     string    `json:"peer"`
	Class    string    `json:"class"`
	Paced    bool      `json:"paced,omitempty"` // presence that waits for its time
	Aside    bool      `json:"aside,omitempty"` // waits for a link that is cleared for it, and holds nothing up
	Entries  int       `json:"entries"`
	Underway int       `json:"underway"` // of these: handed out to be sent
	Bytes    int64     `json:"bytes"`
	Oldest   time.Time `json:"oldest"`
}

// SpoolEntry is one line of the list. Nothing of the content is in it.
type SpoolEntry struct {
	Number   uint64    `json:"number"`
	Peer     string    `json:"peer"`
	Class    string    `json:"class"`
	State    string    `json:"state"` // waiting, aside, sending
	Kind     string    `json:"kind"`
	Bytes    int       `json:"bytes"`
	Accepted time.Time `json:"accepted"`
	Expires  time.Time `json:"expires,omitzero"`
	Local    string    `json:"local"`
	Remote   string    `json:"remote"`
	Copies   int       `json:"copies,omitempty"` // merged into it
}

// SpoolDetail is one entry with what would become of it now.
type SpoolDetail struct {
	SpoolEntry
	From      string   `json:"from"`
	To        string   `json:"to"`
	ID        string   `json:"id,omitempty"`
	Reference string   `json:"reference,omitempty"` // names the decision in the audit log
	Label     string   `json:"label,omitempty"`
	Outcome   string   `json:"outcome"` // of judging it again now
	Reason    string   `json:"reason,omitempty"`
	Links     []string `json:"links,omitempty"` // that it may leave by
	Link      string   `json:"link,omitempty"`  // that has it
	Attempts  int      `json:"attempts"`
}

// SpoolChanged is what a command did.
type SpoolChanged struct {
	Entries int      `json:"entries"`
	Left    []uint64 `json:"left,omitempty"` // named, and not there, or on a link now
}

// LinkStatus is one link to one peer.
type LinkStatus struct {
	Name        string    `json:"name"`
	Kind        string    `json:"kind"`
	Peer        string    `json:"peer"`
	Side        string    `json:"side"`
	State       string    `json:"state"`
	Since       time.Time `json:"since,omitzero"`
	Retry       time.Time `json:"retry,omitzero"`
	InboundOnly bool      `json:"inbound_only,omitempty"`
	Silence     string    `json:"silence,omitempty"` // radio silence: why it sends nothing
	Carries     []string  `json:"carries,omitempty"` // classes of precedence that go over it
	Carrier     string    `json:"carrier,omitempty"`
	RoundTrip   string    `json:"round_trip,omitempty"` // measured
	Rate        int64     `json:"bits_per_second,omitempty"`
	Loss        *float64  `json:"loss,omitempty"` // share of what was sent; absent where nobody measures it
	Waiting     int       `json:"waiting"`        // in the link itself
	Unconfirmed int       `json:"unconfirmed"`
	StanzasIn   uint64    `json:"stanzas_in"`
	StanzasOut  uint64    `json:"stanzas_out"`
	BytesIn     uint64    `json:"bytes_in"`
	BytesOut    uint64    `json:"bytes_out"`
	Saved       int64     `json:"saved"`  // bytes, by compression
	Folded      uint64    `json:"folded"` // bytes, by thinning
	Repetitions uint64    `json:"repetitions"`
	Fingerprint string    `json:"fingerprint,omitempty"`
	Warnings    []string  `json:"warnings,omitempty"`
	Story       []Attempt `json:"story,omitempty"`
	// Usage is what fills the link, Budgets what classes may have of it.
	Usage   []LinkUse    `json:"usage,omitempty"`
	Budgets []LinkBudget `json:"budgets,omitempty"`
}

// Attempt is one try to get a connection, told in plain words.
type Attempt struct {
	At      time.Time `json:"at"`
	Address string    `json:"address"`
	Inbound bool      `json:"inbound,omitempty"`
	Up      bool      `json:"up,omitempty"`
	Steps   []string  `json:"steps"`
	Advice  string    `json:"advice,omitempty"`
}
