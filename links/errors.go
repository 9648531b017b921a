package links

import (
	"errors"
	"fmt"

	"sallyport/internal/xmpp/stanza"
)

// What can go wrong between Reserve and Report. Links wrap these with their private cause.
var (
	// ErrNoRoute: no peer is configured for the pair, or the peer's domain does not exist.
	ErrNoRoute = errors.New("no route to the domain")
	// ErrUnreachable: the neighbour could not be reached or authenticated in time. With Returned or InDoubt: it was not there to answer, so
	// that what is reported is not held to have broken the link.
	ErrUnreachable = errors.New("neighbour not reachable")
	// ErrTooBig: larger than the neighbour takes (XEP-0478).
	ErrTooBig = errors.New("stanza larger than the neighbour takes")
	// ErrRefused: the consignment names another link, or is the zero value.
	ErrRefused = errors.New("consignment is not for this link")
	// ErrClosed: the link has been shut down.
	ErrClosed = errors.New("link is closed")
	// ErrExpired: the stanza outlived its time in the queue.
	ErrExpired = errors.New("expired in the queue")
	// ErrUnconfirmed comes with Delivered where nobody confirms (policy confirm = none): the stream took it and lived on.
	ErrUnconfirmed = errors.New("taken by a living stream, never confirmed")
	// ErrLost: the stream was lost before what was written on it was confirmed.
	ErrLost = errors.New("stream lost before confirmation")
	// ErrStaleTurn comes with Returned: the link was lost since the consignment was taken from its queue.
	ErrStaleTurn = errors.New("taken under an earlier turn of the link")
	// ErrNoCustody: a consignment without a frame on a link with custody, or with one that cannot be sent.
	ErrNoCustody = errors.New("custody framing missing or out of order")
)

// Bounce is an error with the stanza error condition that its sender should be told (RFC 6120 §8.3.3).
type Bounce struct {
	Condition stanza.Condition
	Cause     error
}

// Error says both; it is for logs and audit, never for the wire.
func (b *Bounce) Error() string { return fmt.Sprintf("%s: %v", b.Condition, b.Cause) }

// Unwrap returns the cause.
func (b *Bounce) Unwrap() error { return b.Cause }

// Condition returns the stanza error condition that a delivery error stands for: the one it carries, or remote-server-timeout,
// which promises nothing (xmpp-checklists §2: connect, TLS and authentication failures).
func Condition(err error) stanza.Condition {
	var b *Bounce
	switch {
	case errors.As(err, &b):
		return b.Condition
	case errors.Is(err, ErrNoRoute):
		return stanza.RemoteServerNotFound
	case errors.Is(err, ErrTooBig):
		return stanza.PolicyViolation
	}
	return stanza.RemoteServerTimeout
}
