package admin

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"sallyport/internal/role"
	"sallyport/internal/xmpp/jid"
)

// What callers decide by, beside the errors of package account.
var (
	// ErrDenied: the role is not enough. A desk answers it.
	ErrDenied = errors.New("not permitted")
	// ErrQuestion: what was asked makes no sense.
	ErrQuestion = errors.New("refused")
)

// Operation is one thing that administrators do.
type Operation struct {
	Name     string    // of the verb
	Role     role.Role // the least
	Recorded bool      // before it runs, and when it has
	// Run does it for an administrator, or for who needs none (zero). read fills a question strictly; the result is a value that JSON
	// can have.
	Run func(ctx context.Context, by jid.JID, read func(into any) error) (any, error)
	// Subject is whom a question is about, for the record; never a secret.
	Subject func(read func(into any) error) string
}

// guarded keeps those who administer one domain from accounts that the configuration names, through which they could do more than they may.
func (o *Operations) guarded(op Operation) Operation {
	run := op.Run
	op.Run = func(ctx context.Context, by jid.JID, read func(any) error) (any, error) {
		if by != (jid.JID{}) && o.cfg.Named(by.Bare()) == role.None {
			for _, s := range strings.Fields(op.Subject(read)) {
				if j, err := jid.Parse(s); err == nil && o.cfg.Named(j.Bare()) != role.None {
					return nil, fmt.Errorf("%w: %s is an administrator of the configuration", ErrDenied, j.Bare())
				}
			}
		}
		return run(ctx, by, read)
	}
	return op
}

// question is what an operation is asked.
type question interface{ subject() string }

// operation makes one of a function with types.
func operation[Q question, A any](name string, least role.Role, recorded bool, run func(context.Context, Q) (A, error)) Operation {
	return Operation{
		Name: name, Role: least, Recorded: recorded,
		Run: func(ctx context.Context, _ jid.JID, read func(any) error) (any, error) {
			var q Q
			if err := read(&q); err != nil {
				return nil, err
			}
			return run(ctx, q)
		},
		Subject: func(read func(any) error) string {
			var q Q
			if read(&q) != nil {
				return ""
			}
			return q.subject()
		},
	}
}

// MaxUsers bounds the accounts that one operation is about.
const MaxUsers = 100

// Users are accounts, or clients of them for what is about sessions.
type Users struct {
	Users  []string `json:"users"`
	Reason string   `json:"reason,omitempty"` // told to whom sessions are ended
}

func (q Users) subject() string { return strings.Join(q.Users, " ") }

// User is one account; Password is a new one where that is asked for.
type User struct {
	User     string `json:"user"`
	Password string `json:"password,omitempty"`
}

func (q User) subject() string { return q.User }

// Text is what everybody of a domain is told.
type Text struct {
	Domain string `json:"domain"`
	Text   string `json:"text,omitempty"`
}

func (q Text) subject() string { return q.Domain }

// Done says to how many something was done.
type Done struct {
	Count int    `json:"count"`
	Note  string `json:"note,omitempty"` // what did not become as it was said
}

// served reads a domain of ours.
func (o *Operations) served(s string) (jid.JID, error) {
	d, err := jid.ParseDomain(s)
	if err != nil || !o.cfg.Serves(d.Domain()) {
		return jid.JID{}, fmt.Errorf("%w: %.100q is no domain of this server", ErrQuestion, s)
	}
	return d, nil
}

// account reads the address of an account of ours.
func (o *Operations) account(s string) (jid.JID, error) {
	j, err := o.client(s)
	if err == nil && j.IsFull() {
		err = fmt.Errorf("%w: %.100q is a client, not an account", ErrQuestion, s)
	}
	return j, err
}

// client reads the address of an account of ours, or of one of its clients.
func (o *Operations) client(s string) (jid.JID, error) {
	j, err := jid.Parse(s)
	if err != nil || j.Local() == "" || !o.cfg.Serves(j.Domain()) {
		return jid.JID{}, fmt.Errorf("%w: %.100q is no address of an account of this server (a domain is added to server.domains in the configuration)", ErrQuestion, s)
	}
	return j, nil
}

// all reads the accounts of a question and wants that they are there, before anything is done to the first of them.
func (o *Operations) all(ctx context.Context, q Users, parse func(string) (jid.JID, error)) ([]jid.JID, error) {
	if len(q.Users) == 0 || len(q.Users) > MaxUsers {
		return nil, fmt.Errorf("%w: name 1 to %d accounts", ErrQuestion, MaxUsers)
	}
	var list []jid.JID
	for _, s := range q.Users {
		j, err := parse(s)
		if err != nil {
			return nil, err
		}
		if _, err := o.cfg.Accounts.Store.Account(ctx, j.Bare()); err != nil {
			return nil, fmt.Errorf("%s: %w", j, err)
		}
		list = append(list, j)
	}
	return list, nil
}

// each does something to every account of a question.
func (o *Operations) each(ctx context.Context, q Users, do func(jid.JID) error) (Done, error) {
	list, err := o.all(ctx, q, o.account)
	if err != nil {
		return Done{}, err
	}
	for i, j := range list {
		if err := do(j); err != nil {
			return Done{Count: i}, fmt.Errorf("%w (done to %d before)", err, i)
		}
	}
	return Done{Count: len(list)}, nil
}
