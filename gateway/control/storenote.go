package control

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"sallyport/internal/role"
)

// The verbs with which a process beside the node says what it does with the store that both can open. They do nothing but record: the node
// says who it is, and whether he may.
const (
	VerbStoreBackup  = "store.backup"
	VerbStoreRestore = "store.restore"
)

// StoreNote says how far a backup or a restore came.
type StoreNote struct {
	File string `json:"file"` // absolute; "-" is the output
	Step string `json:"step"` // an EventOutcome: began, done or failed
	Rows int64  `json:"rows,omitempty"`
	// Error says why it failed.
	Error string `json:"error,omitempty"`
}

// StoreVerbs are the verbs of StoreNotes. A backup is everything that anybody has kept, a restore gives clearances: the first needs the role
// operate, the second policy.
func StoreVerbs(r Recorder) []Verb {
	return []Verb{storeVerb(r, VerbStoreBackup, role.Operate), storeVerb(r, VerbStoreRestore, role.Policy)}
}

func storeVerb(r Recorder, name string, least role.Role) Verb {
	return Verb{
		Name: name, Role: least,
		Handle: func(ctx context.Context, args json.RawMessage, by Caller) (any, error) {
			var n StoreNote
			if err := Decode(args, &n); err != nil {
				return nil, err
			}
			e, err := n.event()
			if err != nil {
				return nil, err
			}
			e.By, e.Verb = by, name
			if err := r.Record(ctx, e); err != nil {
				return nil, &CallError{Unrecorded, "the audit log took no record: " + err.Error()}
			}
			return struct{}{}, nil
		},
		Subject: func(args json.RawMessage) string {
			var n StoreNote
			if Decode(args, &n) != nil {
				return ""
			}
			return n.File
		},
	}
}

// event is what a note says, for the record.
func (n *StoreNote) event() (Event, error) {
	e := Event{Subject: n.File, Error: n.Error}
	steps := []EventOutcome{EventBegan, EventDone, EventFailed}
	i := slices.IndexFunc(steps, func(o EventOutcome) bool { return o.String() == n.Step })
	switch {
	case i < 0:
		return e, &CallError{BadQuestion, "a store is said to have begun, done or failed"}
	case n.File == "":
		return e, &CallError{BadQuestion, "no file"}
	case n.Rows < 0, n.Error != "" && steps[i] != EventFailed:
		return e, &CallError{BadQuestion, "this cannot have come of it"}
	}
	if e.Outcome = steps[i]; e.Outcome == EventDone {
		e.Note = fmt.Sprintf("%d rows", n.Rows)
	}
	return e, nil
}
