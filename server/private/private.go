// Package private keeps XML of clients for their own account (XEP-0049): settings, old bookmarks, annotations.
//
// Inside: [New]. Not inside: bookmarks that are published (XEP-0402, server/pep, and server/bookmarks for both); storage (server/store).
//
// It must never give what one account keeps to another, and never keep what the server itself would understand.
package private

import (
	"context"
	"errors"
	"strings"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/tree"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/server"
	"sallyport/server/account"
)

const (
	nsPrivate = "jabber:iq:private"

	// MaxBytes bounds one element, MaxElements their number in an account.
	MaxBytes    = 64 << 10
	MaxElements = 128
	maxAtOnce   = 16
)

// ErrFull: the account keeps MaxElements elements already.
var ErrFull = errors.New("too many private elements")

// Store keeps elements by their names. What it has changed is durable when it returns without error.
type Store interface {
	// PutPrivate replaces an element. ErrFull; account.ErrNotFound without the account.
	PutPrivate(ctx context.Context, owner jid.JID, name xmlstream.Name, content []byte) error
	// Private gives an element as it was put. account.ErrNotFound.
	Private(ctx context.Context, owner jid.JID, name xmlstream.Name) ([]byte, error)
}

// Changed is told of an element after it was put.
type Changed func(ctx context.Context, account jid.JID, e *xmlstream.Element)

// New makes the feature. No changed: nobody is told.
func New(s Store, changed Changed) server.Feature {
	return server.Feature{
		Name:            "private storage",
		ServerFeatures:  []string{nsPrivate},
		AccountFeatures: []string{nsPrivate},
		IQ: []server.IQRoute{{
			Space: nsPrivate, Local: "query", At: []server.Target{server.AtAccount},
			Handle: func(ctx context.Context, q *server.Request) server.Answer {
				if q.Set {
					return put(ctx, s, changed, q)
				}
				return get(ctx, s, q)
			},
		}},
	}
}

func refused(c stanza.Condition) server.Answer { return server.Answer{Condition: c} }

// put keeps each child (§3).
func put(ctx context.Context, s Store, changed Changed, q *server.Request) server.Answer {
	var names []xmlstream.Name
	var contents [][]byte
	for e := range q.Payload.Children() {
		if reserved(e.Space()) {
			return refused(stanza.NotAcceptable) // §3, example 7
		}
		text, err := xmlstream.AppendElement(nil, e, "")
		switch {
		case err != nil:
			return refused(stanza.BadRequest)
		case len(text) > MaxBytes, len(names) == maxAtOnce:
			return refused(stanza.PolicyViolation)
		}
		names, contents = append(names, e.Name()), append(contents, text)
	}
	if len(names) == 0 {
		return refused(stanza.NotAcceptable) // §2
	}
	for i, name := range names {
		err := s.PutPrivate(ctx, q.Account, name, contents[i])
		switch {
		case errors.Is(err, ErrFull):
			return refused(stanza.ResourceConstraint)
		case err != nil:
			return refused(stanza.InternalServerError)
		}
	}
	if changed != nil {
		for e := range q.Payload.Children() {
			changed(ctx, q.Account, e)
		}
	}
	return server.Answer{}
}

// reserved reports whether a namespace is none of a client's own.
func reserved(space string) bool {
	return space == "" || space == nsPrivate || space == "vcard-temp" || space == xmlstream.NSClient || space == xmlstream.NSServer ||
		strings.HasPrefix(space, "jabber:iq:")
}

// get gives the one child that is named, empty where nothing was kept.
func get(ctx context.Context, s Store, q *server.Request) server.Answer {
	var asked *xmlstream.Element
	for e := range q.Payload.Children() {
		if asked != nil {
			return refused(stanza.BadRequest)
		}
		asked = e
	}
	switch {
	case asked == nil:
		return refused(stanza.BadRequest)
	case reserved(asked.Space()):
		return refused(stanza.NotAcceptable)
	}
	answer := tree.New(asked.Space(), asked.Local())
	text, err := s.Private(ctx, q.Account, asked.Name())
	if err == nil {
		answer, err = xmlstream.ParseDocument(text, xmlstream.Options{})
	}
	if err != nil && !errors.Is(err, account.ErrNotFound) {
		return refused(stanza.InternalServerError)
	}
	return server.Answer{Payload: tree.New(nsPrivate, "query", tree.With(answer))}
}
