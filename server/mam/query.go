package mam

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"sallyport/internal/xmpp/form"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/rsm"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/tree"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/server"
	"sallyport/server/account"
	"sallyport/server/archive"
	"sallyport/server/hybrid"
)

// MaxPage is how many messages a page has at most, and where the client says nothing.
const MaxPage = 100

// errFilter: a field that we do not have, or two that we do not join.
var errFilter = errors.New("no such filter")

// request is what a client asks for.
type request struct {
	archive.Query
	ids     []hybrid.ID
	queryID string
	flip    bool
}

// query answers a get with the form (§4.1.6) and a set with a page.
func (f *feature) query(ctx context.Context, q *server.Request) server.Answer {
	if !q.Set {
		return server.Answer{Payload: tree.New(Space, "query", tree.With(filters().Element()))}
	}
	r, err := parse(q.Payload, q.Account)
	if err != nil {
		return refused(conditionOf(err))
	}
	p, err := f.page(ctx, r, q.From)
	if err == nil && r.Max == 0 {
		p.Count, err = f.count(ctx, r.Query, q.From)
	}
	if err != nil {
		return refused(conditionOf(err))
	}
	entries := p.visible
	if r.flip {
		entries = slices.Clone(entries)
		slices.Reverse(entries)
	}
	for _, e := range entries {
		// What is wrapped is labelled outside, too, or the label around it would not dominate.
		label := e.message.Element().Child(nsLabel, "securitylabel")
		m, err := tree.Message(stanza.MessageNormal, q.Account, q.From, "", label, result(e, r.queryID))
		if err == nil {
			err = f.Core.Tell(ctx, m)
		}
		if ctx.Err() != nil {
			return refused(stanza.InternalServerError)
		}
		_ = err // what the gate does not release to this client is passed over like what he may not read
	}
	complete := ""
	if p.complete {
		complete = "true"
	}
	return server.Answer{Payload: tree.New(Space, "fin", tree.Attr("complete", complete), tree.With(rsm.Result(p.Page)))}
}

func filters() form.Form {
	return form.Typed("form", Space,
		form.Field{Var: "with", Type: "jid-single"},
		form.Field{Var: "start", Type: "text-single"},
		form.Field{Var: "end", Type: "text-single"},
		form.Field{Var: "before-id", Type: "text-single"},
		form.Field{Var: "after-id", Type: "text-single"},
		form.Field{Var: "ids", Type: "list-multi", Open: true},
	)
}

func conditionOf(err error) stanza.Condition {
	switch {
	case errors.Is(err, account.ErrNotFound), errors.Is(err, hybrid.ErrID):
		return stanza.ItemNotFound // §4.3.1: an id that is not in the archive
	case errors.Is(err, errFilter), errors.Is(err, rsm.ErrIndex):
		return stanza.FeatureNotImplemented // §4.1.7
	case errors.Is(err, jid.ErrMalformed):
		return stanza.JIDMalformed
	case errors.Is(err, form.ErrForm), errors.Is(err, rsm.ErrRequest), errors.Is(err, archive.ErrQuery):
		return stanza.BadRequest
	case errors.Is(err, archive.ErrTooMuch):
		return stanza.ResourceConstraint
	}
	return stanza.InternalServerError
}

func parse(e *xmlstream.Element, owner jid.JID) (*request, error) {
	r := &request{Query: archive.Query{Owner: owner}, queryID: tree.Value(e, "queryid"), flip: e.Child(Space, "flip-page") != nil}
	page, err := rsm.Parse(e, MaxPage)
	if err != nil {
		return nil, err
	}
	var err1, err2 error
	r.Max, r.Last = page.Max, page.Last
	r.After, err1 = hybrid.Parse(page.After)
	r.Before, err2 = hybrid.Parse(page.Before)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	x := e.Child(form.Space, "x")
	if x == nil {
		return r, nil
	}
	f, err := form.Submitted(x, Space)
	if err != nil {
		return nil, err
	}
	for _, one := range f.Fields {
		if err := r.filter(one); err != nil {
			return nil, err
		}
	}
	if !r.Start.IsZero() && !r.End.IsZero() && r.Start.After(r.End) { // L05
		return nil, fmt.Errorf("%w: it ends before it starts", archive.ErrQuery)
	}
	if len(r.ids) > 0 && len(f.Fields) > 2 {
		return nil, fmt.Errorf("%w: ids with another", errFilter)
	}
	return r, nil
}

func (r *request) filter(one form.Field) (err error) {
	value := ""
	if len(one.Values) > 0 {
		value = one.Values[0]
	}
	switch {
	case !filters().Has(one.Var): // whether or not it says anything (§4.1.5)
		return errFilter
	case value == "":
		return nil
	}
	switch one.Var {
	case "FORM_TYPE":
	case "with":
		r.With, err = jid.Parse(value)
	case "start":
		r.Start, err = moment(value)
	case "end":
		r.End, err = moment(value)
	case "before-id":
		r.BeforeID, err = hybrid.Parse(value)
	case "after-id":
		r.AfterID, err = hybrid.Parse(value)
	case "ids":
		for _, v := range one.Values {
			id, err := hybrid.Parse(v)
			if err != nil {
				return err
			}
			r.ids = append(r.ids, id)
		}
	default:
		return errFilter
	}
	return err
}

// moment reads a time of XEP-0082.
func moment(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return t, fmt.Errorf("%w: a time", form.ErrForm)
	}
	return t, nil
}

// result wraps an entry (§4.2).
func result(e entry, queryID string) *xmlstream.Element {
	forwarded := tree.New(nsForward, "forwarded", tree.With(
		tree.New(nsDelay, "delay", tree.Attr("stamp", stamp(e.id.Time()))),
		tree.Renamed(e.message.Element(), xmlstream.NSServer, xmlstream.NSClient),
	))
	return tree.New(Space, "result", tree.Attr("id", e.id.String()), tree.Attr("queryid", queryID), tree.With(forwarded))
}
