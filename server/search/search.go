// Package search finds people of a domain by what is in their vCards (XEP-0055).
//
// Inside: [Directory], which is told of vCards and answers. Not inside: vCards (server/vcard), storage (server/store), directories of others.
//
// It must never answer anybody but the accounts of the domain that is searched, never give more than MaxFound people, and never list everybody
// to who says nothing of whom he looks for.
//
// Decisions: who has given neither name, nickname nor address in his vCard is not found. A field matches what begins with it, whatever the
// case; all fields have to match. What is found can be asked for page by page (XEP-0059); what is beyond MaxFound is not found at all.
package search

import (
	"context"
	"errors"
	"strings"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"sallyport/internal/xmpp/form"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/rsm"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/tree"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/server"
	"sallyport/server/vcard"
)

const (
	nsSearch = "jabber:iq:search"

	// MaxFound is how many people one search finds.
	MaxFound = 100
	// MaxField bounds what is kept of one field, in bytes.
	MaxField = 256
)

// Field is one by which people are found. The values are stored.
type Field uint8

// The fields.
const (
	First Field = iota
	Last
	Nick
	Email
	NumFields
)

var names = [NumFields]string{First: "first", Last: "last", Nick: "nick", Email: "email"}

var labels = [NumFields]string{First: "Given name", Last: "Family name", Nick: "Nickname", Email: "Email address"}

// Person is who can be found.
type Person struct {
	JID    jid.JID // bare
	Fields [NumFields]string
}

// Store keeps people. What it has changed is durable when it returns without error.
type Store interface {
	// PutPerson replaces what is known of an account; keys are by what it is found. Without any field it is forgotten.
	// account.ErrNotFound without the account.
	PutPerson(ctx context.Context, p Person, keys [NumFields]string) error
	// FindPeople gives up to limit people of a domain, ordered by their names, whose keys begin with these.
	FindPeople(ctx context.Context, domain string, keys [NumFields]string, limit int) ([]Person, error)
}

// Directory answers. It is safe for concurrent use.
type Directory struct{ store Store }

// New makes it.
func New(s Store) *Directory { return &Directory{s} }

// Feature answers searches.
func (d *Directory) Feature() server.Feature {
	return server.Feature{
		Name: "search", ServerFeatures: []string{nsSearch, rsm.Space},
		IQ: []server.IQRoute{{Space: nsSearch, Local: "query", At: []server.Target{server.AtServer}, Handle: d.handle}},
	}
}

// Key is the form of a field by which it is found.
func Key(s string) string {
	s = norm.NFKC.String(cases.Fold().String(strings.TrimSpace(s)))
	return strings.ToValidUTF8(s[:min(len(s), MaxField)], "")
}

func keysOf(fields [NumFields]string) (keys [NumFields]string) {
	for f := range fields {
		keys[f] = Key(fields[f])
	}
	return keys
}

// Carded is told of a new vCard.
func (d *Directory) Carded(ctx context.Context, owner jid.JID, card *xmlstream.Element) {
	p := Person{JID: owner}
	for f, path := range [NumFields][2]string{First: {"N", "GIVEN"}, Last: {"N", "FAMILY"}, Nick: {"NICKNAME"}, Email: {"EMAIL", "USERID"}} {
		e := card.Child(vcard.Space, path[0])
		if e != nil && path[1] != "" {
			e = e.Child(vcard.Space, path[1])
		}
		if e != nil && len(e.Text()) <= MaxField {
			p.Fields[f] = strings.TrimSpace(e.Text())
		}
	}
	_ = d.store.PutPerson(ctx, p, keysOf(p.Fields)) // the vCard is kept; who is not found can set it again
}

func (d *Directory) handle(ctx context.Context, q *server.Request) server.Answer {
	switch {
	case !q.Local || q.From.DomainJID() != q.Domain:
		return server.Answer{Condition: stanza.Forbidden}
	case !q.Set:
		return server.Answer{Payload: fields()}
	}
	wanted, byForm, err := read(q.Payload)
	if err != nil {
		return server.Answer{Condition: stanza.BadRequest}
	}
	keys := keysOf(wanted)
	if keys == [NumFields]string{} {
		return server.Answer{Condition: stanza.NotAcceptable, Text: "Say something of whom you look for."}
	}
	wants, err := rsm.Parse(q.Payload, MaxFound)
	switch {
	case errors.Is(err, rsm.ErrIndex):
		return server.Answer{Condition: stanza.FeatureNotImplemented}
	case err != nil:
		return server.Answer{Condition: stanza.BadRequest}
	}
	found, err := d.store.FindPeople(ctx, q.Domain.Domain(), keys, MaxFound)
	if err != nil {
		return server.Answer{Condition: stanza.InternalServerError}
	}
	page, of, ok := rsm.Of(wants, found, func(p Person) string { return p.JID.String() })
	if !ok {
		return server.Answer{Condition: stanza.ItemNotFound}
	}
	in := items(page)
	if byForm {
		in = []*xmlstream.Element{asForm(page)}
	}
	if q.Payload.Child(rsm.Space, "set") != nil {
		in = append(in, rsm.Result(of))
	}
	return server.Answer{Payload: tree.New(nsSearch, "query", tree.With(in...))}
}

// fields is what can be searched for, in both forms (§2.1, §3).
func fields() *xmlstream.Element {
	in := []*xmlstream.Element{tree.New(nsSearch, "instructions", tree.Text("Fill in one or more fields to find people of this domain."))}
	f := form.Typed("form", nsSearch)
	f.Title = "Search for people"
	for i := range NumFields {
		in = append(in, tree.New(nsSearch, names[i]))
		f.Fields = append(f.Fields, form.Field{Var: names[i], Type: "text-single", Label: labels[i]})
	}
	return tree.New(nsSearch, "query", tree.With(append(in, f.Element())...))
}

// read reads what is wanted, in either form.
func read(q *xmlstream.Element) (wanted [NumFields]string, byForm bool, err error) {
	x := q.Child(form.Space, "x")
	var f form.Form
	if x != nil {
		if f, err = form.Submitted(x, nsSearch); err != nil {
			return wanted, false, err
		}
	}
	for i := range NumFields {
		if x != nil {
			wanted[i] = f.Value(names[i])
		} else if e := q.Child(nsSearch, names[i]); e != nil {
			wanted[i] = e.Text()
		}
	}
	return wanted, x != nil, nil
}

func items(found []Person) []*xmlstream.Element {
	items := make([]*xmlstream.Element, len(found))
	for i, p := range found {
		var in []*xmlstream.Element
		for f := range NumFields {
			in = append(in, tree.New(nsSearch, names[f], tree.Text(p.Fields[f])))
		}
		items[i] = tree.New(nsSearch, "item", tree.Attr("jid", p.JID.String()), tree.With(in...))
	}
	return items
}

func asForm(found []Person) *xmlstream.Element {
	f := form.Typed("result", nsSearch)
	f.Reported = []form.Field{{Var: "jid", Label: "Address", Type: "jid-single"}}
	for i := range NumFields {
		f.Reported = append(f.Reported, form.Field{Var: names[i], Label: labels[i], Type: "text-single"})
	}
	for _, p := range found {
		row := []form.Field{form.One("jid", p.JID.String())}
		for i := range NumFields {
			row = append(row, form.One(names[i], p.Fields[i]))
		}
		f.Items = append(f.Items, row)
	}
	return f.Element()
}
