package admin

import (
	"cmp"
	"context"
	"errors"
	"time"

	"sallyport/internal/xmpp/form"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/server/account"
	"sallyport/server/command"
)

// Space begins the nodes of XEP-0133 and is the FORM_TYPE of its forms; ours begin otherwise.
const (
	Space = "http://jabber.org/protocol/admin"
	Ours  = "urn:sallyport:admin"
)

// Desk is the permission-checked core. What it runs is checked against the role of who asks, and recorded; ErrDenied.
type Desk interface {
	May(ctx context.Context, who, domain jid.JID, verb string) bool
	Ask(ctx context.Context, who, domain jid.JID, verb string, args, result any) error
	// Denied records that somebody wanted a command that he may not run.
	Denied(ctx context.Context, who jid.JID, verb string)
}

// page is one command: what is asked in its form, and what is done with it.
type page struct {
	node, title string
	verb        string // that who wants it must be permitted
	fields      []form.Field
	most        int                                                           // addresses in a field; 0: MaxUsers
	fill        func(ctx context.Context, c *call, fields []form.Field) error // puts in what there is already
	run         func(ctx context.Context, c *call) (command.Result, error)
	unlisted    bool
}

// call is one run of a command.
type call struct {
	desk        Desk
	who, domain jid.JID
	form        form.Form
	now         func() time.Time
}

func (c *call) ask(ctx context.Context, verb string, args, result any) error {
	return c.desk.Ask(ctx, c.who, c.domain, verb, args, result)
}

// do is ask for what has no answer but its number.
func (c *call) do(ctx context.Context, verb string, args any, note string) (command.Result, error) {
	var done Done
	if err := c.ask(ctx, verb, args, &done); err != nil {
		return command.Result{}, err
	}
	return command.Result{Note: note}, nil
}

// Commands are those of XEP-0133, and ours. now is the clock; refused tries are recorded up to a bound for each account.
func Commands(desk Desk, now func() time.Time) []command.Command {
	var list []command.Command
	brake := newBrake(now)
	for _, p := range append(append(append(accountPages(), listPages()...), serverPages()...), ourPages()...) {
		list = append(list, command.Command{
			Node: p.node, Name: p.title, Unlisted: p.unlisted,
			May: func(ctx context.Context, who, domain jid.JID) bool { return desk.May(ctx, who, domain, p.verb) },
			Refused: func(ctx context.Context, who, _ jid.JID) {
				if brake.lets(who.Bare()) {
					desk.Denied(ctx, who, p.verb)
				}
			},
			Form: p.form(desk, now),
			Run: func(ctx context.Context, who, domain jid.JID, f form.Form) (command.Result, error) {
				if p.fields != nil {
					if err := check(p.fields, cmp.Or(p.most, MaxUsers), f); err != nil {
						return command.Result{}, err
					}
				}
				r, err := p.run(ctx, &call{desk, who, domain, f, now})
				return r, refusal(err)
			},
		})
	}
	return list
}

// form asks for the fields of a page; nil where there are none.
func (p *page) form(desk Desk, now func() time.Time) func(context.Context, jid.JID, jid.JID) (form.Form, error) {
	if p.fields == nil {
		return nil
	}
	return func(ctx context.Context, who, domain jid.JID) (form.Form, error) {
		fields := append([]form.Field(nil), p.fields...)
		if p.fill != nil {
			if err := p.fill(ctx, &call{desk: desk, who: who, domain: domain, now: now}, fields); err != nil {
				return form.Form{}, refusal(err)
			}
		}
		f := form.Typed("form", Space, fields...)
		f.Title, f.Instructions = p.title, "Fill in this form."
		return f, nil
	}
}

// refusal says an error in the conditions of XEP-0133 §5. The words of an unexpected one stay here.
func refusal(err error) error {
	told := func(c stanza.Condition) error { return &command.Refusal{Condition: c, Text: err.Error(), Cause: err} }
	var already *command.Refusal
	switch {
	case err == nil, errors.As(err, &already), errors.Is(err, command.ErrForm):
		return err
	case errors.Is(err, ErrDenied):
		return told(stanza.Forbidden)
	case errors.Is(err, account.ErrExists):
		return told(stanza.Conflict)
	case errors.Is(err, account.ErrNotFound):
		return told(stanza.ItemNotFound)
	case errors.Is(err, account.ErrPassword), errors.Is(err, ErrQuestion):
		return told(stanza.NotAcceptable)
	}
	return err
}

func never(node, title, verb string, c stanza.Condition, why string) page {
	return page{node: node, title: title, verb: verb, unlisted: true, run: func(context.Context, *call) (command.Result, error) {
		return command.Result{}, &command.Refusal{Condition: c, Text: why}
	}}
}

func result(fields ...form.Field) command.Result {
	f := form.Typed("result", Space, fields...)
	return command.Result{Form: &f}
}
