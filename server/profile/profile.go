// Package profile keeps what people tell of themselves as a form (XEP-0154): whole by iq, and as the node of PEP of the same name, by which
// those who want to know are told of changes.
//
// Inside: [New]. Not inside: the node's access and notifications (server/pep).
//
// It must never show a profile to who may not read its node, or the item in it by its label or the default for one, and never a field that is private (those begin with x-) to anybody but its
// owner: they are kept in another node, which is for him alone.
package profile

import (
	"context"
	"errors"
	"slices"
	"strings"

	"sallyport/internal/xmpp/form"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/tree"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/server"
	"sallyport/server/account"
	"sallyport/server/pep"
)

// Space is the namespace, the FORM_TYPE and the node.
const Space = "urn:xmpp:tmp:profile"

const (
	whole = Space + "#whole" // the node with all fields
	item  = "current"        // the id of the one item of each node
)

// Events is what is needed of *pep.Service.
type Events interface {
	Publish(ctx context.Context, owner jid.JID, p pep.Publication) (string, error)
	ReadBy(ctx context.Context, owner, reader jid.JID, node, id string) (*xmlstream.Element, error)
	Info(ctx context.Context, account, who jid.JID, node string) *xmlstream.Element
}

// New makes the feature.
func New(e Events) server.Feature {
	return server.Feature{
		Name: "profile", AccountFeatures: []string{Space},
		IQ: []server.IQRoute{{
			Space: Space, Local: "profile", At: []server.Target{server.AtAccount, server.AtOthers},
			Handle: func(ctx context.Context, q *server.Request) server.Answer {
				if q.Set {
					return set(ctx, e, q)
				}
				return get(ctx, e, q)
			},
		}},
	}
}

func refused(c stanza.Condition) server.Answer { return server.Answer{Condition: c} }

// set publishes the whole profile.
func set(ctx context.Context, e Events, q *server.Request) server.Answer {
	if q.At != server.AtAccount {
		return refused(stanza.ServiceUnavailable)
	}
	f, err := form.Submitted(q.Payload.Child(form.Space, "x"), Space)
	if err != nil {
		return refused(stanza.BadRequest)
	}
	f.Type = "result"
	own := pep.Defaults()
	own.Access, own.SendLast = pep.Whitelist, "never"
	err = publish(ctx, e, q, whole, f, &own)
	if err == nil {
		err = publish(ctx, e, q, Space, public(f), nil)
	}
	if err != nil {
		return refused(stanza.NotAcceptable)
	}
	return server.Answer{}
}

func publish(ctx context.Context, e Events, q *server.Request, node string, f form.Form, o *pep.Options) error {
	_, err := e.Publish(ctx, q.Account, pep.Publication{
		Node: node, ID: item, Payload: tree.New(Space, "profile", tree.With(f.Element())), Publisher: q.From, Options: o,
	})
	return err
}

// public leaves out what is private.
func public(f form.Form) form.Form {
	f.Fields = slices.DeleteFunc(slices.Clone(f.Fields), func(one form.Field) bool { return strings.HasPrefix(one.Var, "x-") })
	return f
}

// get gives the profile; one that is not there is like one that may not be read.
func get(ctx context.Context, e Events, q *server.Request) server.Answer {
	node := whole
	if q.At != server.AtAccount {
		if node = Space; e.Info(ctx, q.Account, q.From, node) == nil {
			return refused(stanza.ServiceUnavailable)
		}
	}
	p, err := e.ReadBy(ctx, q.Account, q.From, node, item)
	switch {
	case errors.Is(err, account.ErrNotFound) && node == whole:
		return server.Answer{Payload: tree.New(Space, "profile")}
	case errors.Is(err, account.ErrNotFound):
		return refused(stanza.ServiceUnavailable)
	case err != nil:
		return refused(stanza.InternalServerError)
	}
	return server.Answer{Payload: p}
}
