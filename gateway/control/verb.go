package control

import (
	"context"
	"encoding/json"

	"sallyport/internal/role"
)

// Verb is one thing that can be asked.
type Verb struct {
	Name    string
	Role    role.Role // the least; None refuses everybody
	Changes bool      // recorded before it runs, and when it has
	Handle  func(ctx context.Context, args json.RawMessage, by Caller) (any, error)
	// Subject says in the record whom or what the arguments are about; nil: nothing. It must never give a secret.
	Subject func(args json.RawMessage) string
}

// Event is what the audit log is told.
type Event struct {
	By      Caller
	Verb    string
	Args    json.RawMessage // at most maxEventArgs bytes, else nil
	Subject string          // whom or what it is about
	Outcome EventOutcome
	Error   string // of EventFailed
	Note    string // of EventDone: what came of it
}

// EventOutcome says how far a verb came. The zero value is a denial.
type EventOutcome uint8

// The outcomes.
const (
	EventDenied EventOutcome = iota
	EventBegan               // recorded before it runs
	EventDone
	EventFailed
)

// String is the word for the audit log.
func (o EventOutcome) String() string {
	switch o {
	case EventDenied:
		return "denied"
	case EventBegan:
		return "began"
	case EventDone:
		return "done"
	case EventFailed:
		return "failed"
	}
	return "denied"
}

// maxEventArgs keeps a stanza given to explain out of the audit log.
const maxEventArgs = 1024

// Recorder takes events. Record returns when the event is durable, or an error.
type Recorder interface {
	Record(ctx context.Context, e Event) error
}
