package scenario

import (
	"errors"

	"sallyport/gateway/audit"
	"sallyport/testbed/peers"
)

// Middle is what stands between the two servers.
type Middle interface {
	// Start puts it there; afterwards each server finds the other's domains where it says.
	Start(*peers.Bed) error
	// Reload makes it take its configuration again without dropping streams.
	Reload() error
	// Audit returns what has been decided so far, oldest first.
	Audit() ([]audit.Entry, error)
	// Close takes it away.
	Close() error
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
func (*Direct) Audit() ([]audit.Entry, error) { return nil, errNothingBetween }

// Close does nothing.
func (*Direct) Close() error { return nil }
