package mam

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/tree"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/server"
)

const (
	// MaxPrefs bounds each list of preferences.
	MaxPrefs = 500
	// rememberedPrefs is how many accounts' preferences are in memory, twice.
	rememberedPrefs = 4096
)

var errPrefs = errors.New("not preferences of an archive")

// prefs are the preferences of an account (XEP-0441).
type prefs struct {
	byDefault     string // always, never or roster
	always, never []jid.JID
}

// wishes are the preferences of one account for what passes together, looked up when they are first asked for.
type wishes struct{ *prefs }

// nothing reports whether it is known already that nothing is kept.
func (w *wishes) nothing() bool {
	return w.prefs != nil && w.byDefault == "never" && len(w.always) == 0
}

// wants reports whether an account keeps what is said between it and somebody.
func (f *feature) wants(ctx context.Context, w *wishes, owner, with jid.JID) (bool, error) {
	if w.prefs == nil {
		p, err := f.prefsOf(ctx, owner)
		if err != nil {
			return false, err
		}
		w.prefs = p
	}
	p := w.prefs
	named := func(list []jid.JID) bool { return slices.Contains(list, with) || slices.Contains(list, with.Bare()) }
	switch {
	case named(p.never):
		return false, nil
	case named(p.always), p.byDefault == "always":
		return true, nil
	case p.byDefault == "roster":
		return with.Bare() == owner || f.InRoster != nil && f.InRoster(ctx, owner, with.Bare()), nil
	}
	return false, nil
}

func (f *feature) prefsOf(ctx context.Context, owner jid.JID) (*prefs, error) {
	return f.prefs.Get(owner, func() (*prefs, error) {
		text, err := f.Prefs.ArchivePrefs(ctx, owner)
		if err != nil {
			return nil, err
		}
		if text == nil {
			return &prefs{byDefault: "always"}, nil
		}
		e, err := xmlstream.ParseDocument(text, xmlstream.Options{})
		if err != nil {
			return nil, fmt.Errorf("kept preferences: %w", err)
		}
		return readPrefs(e)
	})
}

// preferences answers and changes them.
func (f *feature) preferences(ctx context.Context, q *server.Request) server.Answer {
	if !q.Set {
		p, err := f.prefsOf(ctx, q.Account)
		if err != nil {
			return refused(stanza.InternalServerError)
		}
		return server.Answer{Payload: p.element()}
	}
	p, err := readPrefs(q.Payload)
	switch {
	case errors.Is(err, jid.ErrMalformed):
		return refused(stanza.JIDMalformed)
	case err != nil:
		return refused(stanza.BadRequest)
	}
	text, err := xmlstream.AppendElement(nil, p.element(), "")
	if err == nil {
		err = f.Prefs.PutArchivePrefs(ctx, q.Account, text)
	}
	f.prefs.Forget(q.Account)
	if err != nil {
		return refused(stanza.InternalServerError)
	}
	return server.Answer{Payload: p.element()}
}

func readPrefs(e *xmlstream.Element) (*prefs, error) {
	p := &prefs{byDefault: tree.Value(e, "default")}
	if !slices.Contains([]string{"always", "never", "roster"}, p.byDefault) {
		return nil, errPrefs
	}
	for list := range e.Children() {
		into := &p.always
		switch {
		case list.Is(Space, "never"):
			into = &p.never
		case !list.Is(Space, "always"):
			return nil, errPrefs
		}
		for one := range list.Children() {
			j, err := jid.Parse(one.Text())
			switch {
			case err != nil:
				return nil, err
			case !one.Is(Space, "jid"), len(*into) == MaxPrefs:
				return nil, errPrefs
			}
			*into = append(*into, j.Clone())
		}
	}
	return p, nil
}

func (p *prefs) element() *xmlstream.Element {
	list := func(name string, all []jid.JID) *xmlstream.Element {
		in := make([]*xmlstream.Element, len(all))
		for i, j := range all {
			in[i] = tree.New(Space, "jid", tree.Text(j.String()))
		}
		return tree.New(Space, name, tree.With(in...))
	}
	return tree.New(Space, "prefs", tree.Attr("default", p.byDefault), tree.With(list("always", p.always), list("never", p.never)))
}
