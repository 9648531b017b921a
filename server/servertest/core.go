// Package servertest stands in for the server around a feature under test: a [Core] that remembers what the feature said, and
// requests as the server would route them.
//
// Inside: [Core], [Ask] and readers of XML. Not inside: routing, judgement, and anything that a running server uses.
//
// It must never be more lenient than the server: a request that no route takes fails the test.
package servertest

import (
	"context"
	"errors"
	"sync"
	"testing"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/server"
)

// ErrHidden is what Tell answers for what Hide names.
var ErrHidden = errors.New("the reader must not see it")

// Core is a server.Core without a server. The zero value has nobody connected.
type Core struct {
	// Online are the available resources, Bound those that are connected and not available.
	Online, Bound []server.Resource
	// Seen are the contacts that see the presence of every account.
	Seen []jid.JID
	// Answer answers requests; nil: nobody does, and Ask waits for its context.
	Answer func(request stanza.Stanza) stanza.Stanza
	// Hide says which stanzas are not released.
	Hide func(s stanza.Stanza) bool

	mu              sync.Mutex
	told, submitted []stanza.Stanza
	shown           []string
}

var _ server.Core = (*Core)(nil)

// Tell is server.Core.
func (c *Core) Tell(_ context.Context, s stanza.Stanza) error {
	if c.Hide != nil && c.Hide(s) {
		return ErrHidden
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.told = append(c.told, s)
	return nil
}

// Submit is server.Core.
func (c *Core) Submit(_ context.Context, s stanza.Stanza) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.submitted = append(c.submitted, s)
}

// Ask is server.Core.
func (c *Core) Ask(ctx context.Context, request stanza.Stanza) (stanza.Stanza, error) {
	c.Submit(ctx, request)
	if c.Answer == nil {
		<-ctx.Done()
		return stanza.Stanza{}, ctx.Err()
	}
	return c.Answer(request), nil
}

// Resources is server.Core.
func (c *Core) Resources(account jid.JID) []server.Resource { return of(account, c.Online) }

// Connected is server.Core.
func (c *Core) Connected(account jid.JID) []server.Resource {
	return append(of(account, c.Online), of(account, c.Bound)...)
}

func of(account jid.JID, all []server.Resource) (list []server.Resource) {
	for _, r := range all {
		if r.JID.Bare() == account {
			list = append(list, r)
		}
	}
	return list
}

// Show is server.Core.
func (c *Core) Show(_ context.Context, account, contact jid.JID, shown bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	word := " hidden from "
	if shown {
		word = " shown to "
	}
	c.shown = append(c.shown, account.String()+word+contact.String())
}

// SeenBy is server.Core.
func (c *Core) SeenBy(context.Context, jid.JID) []jid.JID { return c.Seen }

// Told gives what was told since the last call, as canonical XML.
func (c *Core) Told(t testing.TB) []string {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	list := texts(t, c.told)
	c.told = nil
	return list
}

// Submitted gives what was submitted or asked since the last call, as canonical XML.
func (c *Core) Submitted(t testing.TB) []string {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	list := texts(t, c.submitted)
	c.submitted = nil
	return list
}

// Shown gives what Show was called with since the last call, in words.
func (c *Core) Shown() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := c.shown
	c.shown = nil
	return list
}

func texts(t testing.TB, list []stanza.Stanza) (out []string) {
	t.Helper()
	for _, s := range list {
		out = append(out, Text(t, s.Element()))
	}
	return out
}

// Element reads XML of servers.
func Element(t testing.TB, text string) *xmlstream.Element {
	t.Helper()
	e, err := xmlstream.ParseDocument([]byte(text), xmlstream.Options{ContentNS: xmlstream.NSServer})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return e
}

// Stanza reads a stanza.
func Stanza(t testing.TB, text string) stanza.Stanza {
	t.Helper()
	s, err := stanza.From(Element(t, text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return s
}

// Text writes XML canonically, empty for nil.
func Text(t testing.TB, e *xmlstream.Element) string {
	t.Helper()
	if e == nil {
		return ""
	}
	b, err := xmlstream.AppendElement(nil, e, xmlstream.NSServer)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
