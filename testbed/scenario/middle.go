package scenario

import (
	"errors"

	"sallyport/testbed/peers"
)

// Middle is what stands between the two servers.
type Middle interface {
	// Start puts it there; afterwards each server finds the other's domains where it says.
	Start(*peers.Bed) error
	// Reload makes it take its configuration again without dropping streams.
	Reload() error
	// Audit returns what has been decided so far, oldest first.
	Audit() ([]AuditLine, error)
	// Close takes it away.
	Close() error
}

// AuditLine is one record of the gateway's log, the part that scenarios look at.
type AuditLine struct {
	Seq       uint64 `json:"seq"`
	Of        uint64 `json:"of"` // the decision that a settlement completes
	Kind      string `json:"kind"`
	Outcome   string `json:"outcome"`
	Stage     string `json:"stage"`
	Rule      string `json:"rule"`
	Reason    string `json:"reason"`
	Condition string `json:"condition"`
	From      string `json:"from"`
	To        string `json:"to"`
	Stanza    string `json:"stanza"`
	ID        string `json:"id"`
	LabelIn   string `json:"label_in"`
}

// Direct is nothing between: the servers talk to each other.
type Direct struct{}

var _ Middle = (*Direct)(nil)

var errNothingBetween = errors.New("nothing stands between")

// Start lets the servers find each other.
func (*Direct) Start(b *peers.Bed) error {
	b.PublishDirect()
	return nil
}

// Reload is not possible.
func (*Direct) Reload() error { return errNothingBetween }

// Audit is not possible.
func (*Direct) Audit() ([]AuditLine, error) { return nil, errNothingBetween }

// Close does nothing.
func (*Direct) Close() error { return nil }
