package server

import (
	"context"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/server/hybrid"
)

// Feature is what a package below this one adds to the server. Fields that are not set add nothing. Functions are called
// by any goroutine, and not before the feature was given to New.
type Feature struct {
	Name string // for logs
	IQ   []IQRoute
	// ServerFeatures and AccountFeatures are announced by disco#info of a domain and of an account.
	ServerFeatures, AccountFeatures []string
	// Sends may refuse or change a message or presence that a client of ours sends, before it is judged.
	Sends func(ctx context.Context, p *Passing) error
	// Comes may refuse or change what was released to an account, before it is delivered. Durable work belongs here: what returned
	// nil is delivered. ErrTaken ends the way: it was dealt with.
	Comes func(ctx context.Context, p *Passing) error
	// Together, where it is set, is asked in place of Sends and Comes about messages that pass through one account in one direction at the
	// same time, in their order: what they need to be durable can share one change of the store. It leaves those alone that have an Err,
	// and sets the Err of each that goes no further. It keeps nothing of the list.
	Together func(ctx context.Context, list []Passing)
	// Available and Unavailable tell that a resource has said that it is there (first: it was not before), or is gone.
	Available   func(ctx context.Context, r Resource, presence stanza.Stanza, first bool)
	Unavailable func(ctx context.Context, r Resource)
	// Away tells that the connection of a client is lost, as the client was until then, and which messages it may not have got: its
	// session waits for it to come back.
	Away func(ctx context.Context, r Resource, unread []stanza.Stanza)
	// Appears tells that a contact sees the presence of an account from now on, because its request was granted.
	Appears func(ctx context.Context, account, contact jid.JID)
	// Blocks reports that nothing passes between an account and somebody: presence is not shown to him, and his requests are
	// answered as if there were no such account. Messages and presence are refused by Sends and Comes.
	Blocks func(ctx context.Context, account, other jid.JID) bool
	// Forget tells that an account was removed: what is remembered of it is not that of who has its name next.
	Forget func(account jid.JID)
}

// Target says whose requests a route takes.
type Target uint8

const (
	AtAccount Target = iota // of the own account, or without 'to'
	AtOthers                // to the bare address of an account, by somebody else
	AtServer                // to a domain that we serve
)

// IQRoute sends requests with one payload to a feature.
type IQRoute struct {
	Space, Local string // of the payload; no Local: every one of the namespace
	At           []Target
	Handle       func(ctx context.Context, q *Request) Answer
}

// Request is an iq of type get or set that we answer ourselves.
type Request struct {
	Stanza  stanza.Stanza
	Payload *xmlstream.Element
	Set     bool
	At      Target
	From    jid.JID // full, who asks
	Account jid.JID // bare, whose account is asked; zero at the server
	Domain  jid.JID // that is asked
	Local   bool    // From is a client that is connected here
}

// Answer is the result, or an error where Condition is set. The zero value is an empty result.
type Answer struct {
	Payload   *xmlstream.Element
	Condition stanza.Condition
	Text      string             // with an error: words of ours
	App       *xmlstream.Element // with an error: its application-specific condition
	// Later: the feature answers by Server.Answer when it is ready.
	Later bool
	// Then is done after the answer was handed to the session, as pushes that must come behind it.
	Then func()
}

// Passing is a message or presence on its way through an account of ours.
type Passing struct {
	Account jid.JID // bare: whose
	Stanza  stanza.Stanza
	Out     bool // the account sends it
	// Self: sender and recipient are the same account, which sees it twice.
	Self bool
	// Kept is the id under which what is sent is in the sender's archive, zero where it is not; his other clients are told it with
	// their copies, nobody else is (XEP-0313 §3.2).
	Kept hybrid.ID
	// Err says why it goes no further, ErrTaken that it needs not; nil: it goes on.
	Err error
}

// Resource names a connected client.
type Resource struct {
	JID      jid.JID // full
	Priority int8
	Active   bool // it is connected, and somebody looks at it (XEP-0352)
}

// errTaken is a type so that it can be a constant.
type errTaken struct{}

func (errTaken) Error() string { return "taken by a feature" }

// ErrTaken is what Comes and Sends answer for what needs nothing more.
var ErrTaken error = errTaken{}
