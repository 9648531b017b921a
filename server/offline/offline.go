// Package offline keeps messages for accounts of which nobody is there (XEP-0160).
//
// Inside: [Entry], its bounds, and the interface [Store] of what keeps them, which server/store implements. Not inside: XML, which
// messages are kept at all, and who may read them: every message is judged again for its reader when it is delivered.
//
// It must never forget a message that was not handed to a client, and never give one account's messages to another.
package offline

import (
	"context"
	"errors"
	"time"

	"sallyport/internal/xmpp/jid"
)

// Bounds on what one account can make the store keep.
const (
	MaxMessages = 1000    // of one account
	MaxBytes    = 8 << 20 // of the stanzas of one account
	MaxPage     = 100     // entries read at once
)

// ErrFull: the account has as many messages waiting as it may.
var ErrFull = errors.New("too many messages wait for the account")

// Entry is one message that waits.
type Entry struct {
	// ID orders the entries of an account; it is given when the message is kept, is above zero and below 2^48, and is not used again as
	// long as a later entry of the account is kept.
	ID     uint64
	At     time.Time // when it came
	Stanza []byte    // canonical XML in jabber:server, with its label
}

// Store keeps messages. What it has changed is durable when it returns without error.
type Store interface {
	// PutOffline keeps messages in their order behind all others of the account, all in one change, and gives their IDs: 0 for each that
	// the account has no room for. account.ErrNotFound without the account. With an error none of them is kept.
	PutOffline(ctx context.Context, owner jid.JID, at time.Time, stanzas ...[]byte) (ids []uint64, err error)
	// OfflineAfter gives up to MaxPage entries behind an ID, in order. There is at least one if there are any.
	OfflineAfter(ctx context.Context, owner jid.JID, after uint64) ([]Entry, error)
	// DropOffline forgets entries. Those that are not there are no error.
	DropOffline(ctx context.Context, owner jid.JID, ids []uint64) error
	// CountOffline tells how many messages wait.
	CountOffline(ctx context.Context, owner jid.JID) (int, error)
}
