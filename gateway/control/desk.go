package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"sallyport/internal/role"
)

// Desk is the permission-checked core that everybody who operates a node comes to, whatever way he comes: who asks is held against
// the role of the verb, what changes something is recorded before it runs and when it has, and so is what was denied. It is safe for
// concurrent use.
type Desk struct {
	verbs    map[string]Verb
	recorder Recorder
}

// NewDesk makes it of verbs whose names differ.
func NewDesk(recorder Recorder, verbs []Verb) (*Desk, error) {
	if recorder == nil {
		return nil, errors.New("no recorder")
	}
	d := &Desk{verbs: make(map[string]Verb, len(verbs)), recorder: recorder}
	for _, v := range verbs {
		if _, twice := d.verbs[v.Name]; twice {
			return nil, fmt.Errorf("verb %s twice", v.Name)
		}
		d.verbs[v.Name] = v
	}
	return d, nil
}

// May reports whether a role is enough for a verb. Nothing is recorded.
func (d *Desk) May(has role.Role, verb string) bool {
	v, ok := d.verbs[verb]
	return ok && v.Role != role.None && has >= v.Role
}

// Ask checks the role, records and runs. What it answers without a result is a *CallError, or what the verb says.
func (d *Desk) Ask(ctx context.Context, by Caller, verb string, args json.RawMessage) (json.RawMessage, error) {
	v, ok := d.verbs[verb]
	if !ok {
		return nil, &CallError{UnknownVerb, fmt.Sprintf("this node does not know %.40q; it may be of another version", verb)}
	}
	e := Event{By: by, Verb: v.Name, Args: args}
	if v.Subject != nil {
		e.Subject = v.Subject(args)
	}
	if len(e.Args) > maxEventArgs {
		e.Args = nil
	}
	if v.Role == role.None || by.Role < v.Role {
		return nil, d.Deny(ctx, e, fmt.Sprintf("%s needs the role %s, you have %s", v.Name, v.Role, by.Role))
	}
	return d.run(ctx, &v, args, e)
}

// Deny records that somebody was refused, and says so.
func (d *Desk) Deny(ctx context.Context, e Event, text string) error {
	e.Outcome = EventDenied
	if err := d.recorder.Record(ctx, e); err != nil {
		return &CallError{Unrecorded, "denied, and the audit log took no record of it: " + err.Error()}
	}
	return &CallError{Denied, text}
}

func (d *Desk) run(ctx context.Context, v *Verb, args json.RawMessage, e Event) (json.RawMessage, error) {
	if v.Changes {
		e.Outcome = EventBegan
		if err := d.recorder.Record(ctx, e); err != nil {
			return nil, &CallError{Unrecorded, "nothing was done, because the audit log took no record: " + err.Error()}
		}
	}
	result, err := v.Handle(ctx, args, e.By)
	if v.Changes {
		e.Outcome = EventDone
		if err != nil {
			e.Outcome, e.Error = EventFailed, err.Error()
		}
		if rerr := d.recorder.Record(ctx, e); rerr != nil && err == nil {
			return nil, &CallError{Unrecorded, "done, but the audit log took no record of the end: " + rerr.Error()}
		}
	}
	if err != nil {
		return nil, err
	}
	return json.Marshal(result)
}
