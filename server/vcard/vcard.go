// Package vcard keeps the vCards of accounts (XEP-0054).
//
// Inside: [New]. Not inside: vCard4 (XEP-0292) and avatars (XEP-0084), which are published by PEP; the joint of both with the photo
// in a vCard (XEP-0398, server/avatar).
//
// It must never let anybody but its owner change a vCard, and never tell whether an account exists that has none.
package vcard

import (
	"context"
	"errors"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/tree"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/server"
	"sallyport/server/account"
)

// Space is the namespace.
const Space = "vcard-temp"

// MaxBytes bounds a vCard with its photo, as XML.
const MaxBytes = 256 << 10

// Store keeps vCards. What it has changed is durable when it returns without error.
type Store interface {
	// PutVCard replaces the vCard of an account. account.ErrNotFound without the account.
	PutVCard(ctx context.Context, owner jid.JID, content []byte) error
	// VCard gives it as it was put. account.ErrNotFound.
	VCard(ctx context.Context, owner jid.JID) ([]byte, error)
}

// Config is what the feature needs.
type Config struct {
	Store Store
	// MayRead reports whether somebody may have the vCard of an account; nil: everybody may (XEP-0054 §3).
	MayRead func(ctx context.Context, account, who jid.JID) bool
	// Changed is told of every new vCard after it was kept; nil: nobody is.
	Changed func(ctx context.Context, account jid.JID, card *xmlstream.Element)
}

// New makes the feature.
func New(c Config) server.Feature {
	return server.Feature{
		Name:            "vCard",
		ServerFeatures:  []string{Space},
		AccountFeatures: []string{Space},
		IQ: []server.IQRoute{{
			Space: Space, Local: "vCard", At: []server.Target{server.AtAccount, server.AtOthers},
			Handle: func(ctx context.Context, q *server.Request) server.Answer {
				if q.Set {
					return c.set(ctx, q)
				}
				return c.get(ctx, q)
			},
		}},
	}
}

// Read gives the vCard of an account as an element, nil for none.
func Read(ctx context.Context, s Store, owner jid.JID) (*xmlstream.Element, error) {
	text, err := s.VCard(ctx, owner)
	if errors.Is(err, account.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return xmlstream.ParseDocument(text, xmlstream.Options{})
}

// Write replaces the vCard of an account.
func Write(ctx context.Context, s Store, owner jid.JID, card *xmlstream.Element) error {
	text, err := xmlstream.AppendElement(nil, card, "")
	if err != nil {
		return err
	}
	return s.PutVCard(ctx, owner, text)
}

func refused(c stanza.Condition) server.Answer { return server.Answer{Condition: c} }

func (c *Config) set(ctx context.Context, q *server.Request) server.Answer {
	if q.At != server.AtAccount {
		return refused(stanza.ServiceUnavailable) // not §3.2's forbidden: that would say that there is an account
	}
	text, err := xmlstream.AppendElement(nil, q.Payload, "")
	switch {
	case err != nil:
		return refused(stanza.BadRequest)
	case len(text) > MaxBytes:
		return refused(stanza.PolicyViolation)
	}
	if err := c.Store.PutVCard(ctx, q.Account, text); err != nil {
		return refused(stanza.InternalServerError)
	}
	if c.Changed != nil {
		c.Changed(ctx, q.Account, q.Payload)
	}
	return server.Answer{}
}

func (c *Config) get(ctx context.Context, q *server.Request) server.Answer {
	own := q.At == server.AtAccount
	if !own && c.MayRead != nil && !c.MayRead(ctx, q.Account, q.From.Bare()) {
		return refused(stanza.ServiceUnavailable)
	}
	card, err := Read(ctx, c.Store, q.Account)
	switch {
	case err != nil:
		return refused(stanza.InternalServerError)
	case card != nil:
		return server.Answer{Payload: card}
	case own:
		return server.Answer{Payload: tree.New(Space, "vCard")} // §3.1: clients start from an empty one
	}
	return refused(stanza.ServiceUnavailable)
}
