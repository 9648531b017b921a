package server

import (
	"context"
	"errors"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/peering"
	"sallyport/server/account"
)

// Gate is the policy core as the server sees it. Any goroutine may call it.
type Gate interface {
	// Submit gives a stanza into judgement: what a client of ours sent, or what we say for an account or a domain of ours. done
	// is called exactly once, when responsibility for it has passed on: it was recorded and settled where it went, or refused
	// and its sender told. Submit waits for room, as long as ctx lets it, and calls done then too. Bytes is what it took on the wire; 0
	// where it was on none.
	Submit(ctx context.Context, s stanza.Stanza, bytes int, done func())
	// Release judges at once, and without a record, what we tell somebody who is connected here of what is kept here: answers,
	// pushes, presence of contacts, archived messages. An error means that this reader must not see it.
	Release(s stanza.Stanza) (peering.Released, error)
	// Refusal is what a client of ours is told of what it sent and we do not submit, in the name of whom it was for, where Release has nothing
	// of that address: nobody may hold it. False: RFC 6120 §8.3.1 forbids an answer.
	Refusal(s stanza.Stanza, c stanza.Condition) (peering.Released, bool)
	// MaySend reports whether what a client of ours sends would be released if it were submitted now; nothing is counted or recorded.
	MaySend(s stanza.Stanza) bool
	// MayRead reports whether a message that was kept may be shown to a reader today, by its label and the reader's clearance.
	MayRead(message stanza.Stanza, reader jid.JID) bool
}

// Delivered says what became of a [peering.Released]: nil, once it is durable or written to whom it was for; else an error, best a
// [*Bounce].
type Delivered func(err error)

// Bounce is an error that says which condition the sender is told (RFC 6120 §8.3.3).
type Bounce struct {
	Condition stanza.Condition
	App       *xmlstream.Element // the application-specific condition, nil for none
	Cause     error
}

// Fault is a bounce for what nobody has decided: something of ours did not work. Where there was only no room, the sender is told to try later
// (RFC 6120 §8.3.3.18).
func Fault(cause error) *Bounce {
	c := stanza.InternalServerError
	if errors.Is(cause, account.ErrNoRoom) {
		c = stanza.ResourceConstraint
	}
	return &Bounce{Condition: c, Cause: cause}
}

// Error says both; it is for logs and audit.
func (b *Bounce) Error() string {
	if b.Cause == nil {
		return b.Condition.String()
	}
	return b.Condition.String() + ": " + b.Cause.Error()
}

// Unwrap returns the cause.
func (b *Bounce) Unwrap() error { return b.Cause }
