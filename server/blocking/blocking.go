// Package blocking lets an account have nothing to do with somebody (XEP-0191).
//
// Inside: [New]: the list with its pushes, and what it does to messages, presence and requests. Not inside: reports of spam; storage
// (server/store).
//
// It must never let anything of a blocked address come to the account, never tell such an address anything that it would not be told
// of an account that is offline, and never block the account itself or its own server.
//
// Decisions: an address stands for itself and all below it: a domain for everybody there, a bare address for all of its resources.
// Lists are remembered in memory for some thousand accounts; another node of a cluster sees a change when it forgets. When a list
// cannot be read, everything counts as blocked.
package blocking

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/tree"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/server"
	"sallyport/server/recent"
)

const (
	nsBlocking = "urn:xmpp:blocking"
	nsErrors   = "urn:xmpp:blocking:errors"

	// MaxBlocked is how many addresses an account can block.
	MaxBlocked = 1000
	remembered = 4096
)

// ErrFull: the account blocks MaxBlocked addresses already.
var ErrFull = errors.New("too many addresses are blocked")

// Store keeps lists. What it has changed is durable when it returns without error.
type Store interface {
	// Blocked gives the list of an account, ordered.
	Blocked(ctx context.Context, owner jid.JID) ([]jid.JID, error)
	// Block adds addresses. ErrFull; account.ErrNotFound without the account.
	Block(ctx context.Context, owner jid.JID, who []jid.JID) error
	// Unblock removes addresses, all of them for nil.
	Unblock(ctx context.Context, owner jid.JID, who []jid.JID) error
}

// Config is what the feature needs. All of it.
type Config struct {
	Store Store
	Core  server.Core // Tell, Connected, Show, SeenBy
}

// New makes the feature. It goes before those that keep or change what passes.
func New(c Config) server.Feature {
	f := &feature{Config: c, lists: recent.New[[]jid.JID](remembered), asked: make(map[jid.JID]bool)}
	at := []server.Target{server.AtAccount}
	return server.Feature{
		Name:            "blocking",
		ServerFeatures:  []string{nsBlocking},
		AccountFeatures: []string{nsBlocking},
		Sends:           f.sends,
		Comes:           f.comes,
		Together:        f.together,
		Blocks:          f.blocks,
		Forget:          f.lists.Forget,
		IQ: []server.IQRoute{
			{Space: nsBlocking, Local: "blocklist", At: at, Handle: f.list},
			{Space: nsBlocking, Local: "block", At: at, Handle: f.block},
			{Space: nsBlocking, Local: "unblock", At: at, Handle: f.unblock},
		},
	}
}

type feature struct {
	Config
	lists *recent.Memory[[]jid.JID]

	mu    sync.Mutex
	asked map[jid.JID]bool // who is told of changes: full addresses
	limit int              // of asked, before those that are gone are looked for
}

// blocks is Feature.Blocks.
func (f *feature) blocks(ctx context.Context, account, other jid.JID) bool {
	if always(account, other) {
		return false
	}
	list, err := f.of(ctx, account)
	return err != nil || blocked(list, other)
}

// always reports whether an address cannot be blocked.
func always(account, other jid.JID) bool {
	return other.Bare() == account || other == account.DomainJID()
}

func (f *feature) of(ctx context.Context, account jid.JID) ([]jid.JID, error) {
	return f.lists.Get(account, func() ([]jid.JID, error) { return f.Store.Blocked(ctx, account) })
}

// blocked reports whether a list has an address (XEP-0191 §3, JID matching).
func blocked(list []jid.JID, other jid.JID) bool {
	if len(list) == 0 {
		return false
	}
	if slices.Contains(list, other) || slices.Contains(list, other.Bare()) || slices.Contains(list, other.DomainJID()) {
		return true
	}
	if other.Local() != "" && other.Resource() != "" {
		anyOf, err := other.DomainJID().WithResource(other.Resource())
		return err == nil && slices.Contains(list, anyOf)
	}
	return false
}

// sends is Feature.Sends.
func (f *feature) sends(ctx context.Context, p *server.Passing) error {
	if !f.blocks(ctx, p.Account, p.Stanza.To()) {
		return nil
	}
	return unsaid(p)
}

// comes is Feature.Comes.
func (f *feature) comes(ctx context.Context, p *server.Passing) error {
	if !f.blocks(ctx, p.Account, p.Stanza.From()) {
		return nil
	}
	return unheard(p)
}

// together is sends or comes for messages, with one look at the list.
func (f *feature) together(ctx context.Context, all []server.Passing) {
	list, err := f.of(ctx, all[0].Account)
	if err == nil && len(list) == 0 {
		return
	}
	for i := range all {
		p := &all[i]
		other, refuse := p.Stanza.From(), unheard
		if p.Out {
			other, refuse = p.Stanza.To(), unsaid
		}
		if p.Err == nil && !always(p.Account, other) && (err != nil || blocked(list, other)) {
			p.Err = refuse(p)
		}
	}
}

// unsaid refuses what an account says to somebody it blocks.
func unsaid(p *server.Passing) error {
	if p.Stanza.Type() == stanza.PresenceUnavailable || p.Stanza.IsError() || p.Stanza.IsResponse() {
		return server.ErrTaken // it cannot be answered
	}
	return &server.Bounce{Condition: stanza.NotAcceptable, App: tree.New(nsErrors, "blocked"), Cause: fmt.Errorf("%s blocks the recipient", p.Account)}
}

// unheard refuses what somebody says who is blocked, as if the account were offline.
func unheard(p *server.Passing) error {
	if p.Stanza.Kind() == stanza.Presence || p.Stanza.IsError() || p.Stanza.IsResponse() {
		return server.ErrTaken
	}
	return &server.Bounce{Condition: stanza.ServiceUnavailable, Cause: fmt.Errorf("%s blocks the sender", p.Account)}
}

func refused(c stanza.Condition) server.Answer { return server.Answer{Condition: c} }

func (f *feature) list(ctx context.Context, q *server.Request) server.Answer {
	if q.Set {
		return refused(stanza.BadRequest)
	}
	list, err := f.of(ctx, q.Account)
	if err != nil {
		return refused(stanza.InternalServerError)
	}
	f.remember(q.From)
	return server.Answer{Payload: element("blocklist", list)}
}

func (f *feature) block(ctx context.Context, q *server.Request) server.Answer {
	who, c := items(q)
	if c == stanza.NoCondition && len(who) == 0 {
		c = stanza.BadRequest
	}
	if c != stanza.NoCondition {
		return refused(c)
	}
	before, err := f.of(ctx, q.Account)
	if err == nil {
		err = f.Store.Block(ctx, q.Account, who)
		f.lists.Forget(q.Account)
	}
	switch {
	case errors.Is(err, ErrFull):
		return refused(stanza.ResourceConstraint)
	case err != nil:
		return refused(stanza.InternalServerError)
	}
	// A contact is told that the account is gone before nothing of it can be said to him any more; Show does not ask what is blocked.
	ctx = context.WithoutCancel(ctx)
	return server.Answer{Then: func() {
		for _, j := range f.reached(ctx, q.Account, who) {
			if !blocked(before, j) {
				f.Core.Show(ctx, q.Account, j, false)
			}
		}
		f.push(ctx, q.Account, element("block", who))
	}}
}

func (f *feature) unblock(ctx context.Context, q *server.Request) server.Answer {
	who, c := items(q)
	if c != stanza.NoCondition {
		return refused(c)
	}
	before, err := f.of(ctx, q.Account)
	if err == nil {
		err = f.Store.Unblock(ctx, q.Account, who)
		f.lists.Forget(q.Account)
	}
	if err != nil {
		return refused(stanza.InternalServerError)
	}
	freed := who
	if len(who) == 0 {
		freed = before
	}
	ctx = context.WithoutCancel(ctx)
	return server.Answer{Then: func() {
		for _, j := range f.reached(ctx, q.Account, freed) {
			if blocked(before, j) && !f.blocks(ctx, q.Account, j) {
				f.Core.Show(ctx, q.Account, j, true)
			}
		}
		f.push(ctx, q.Account, element("unblock", who))
	}}
}

// reached are addresses, and the contacts at those that are whole domains (§5).
func (f *feature) reached(ctx context.Context, account jid.JID, who []jid.JID) []jid.JID {
	list := slices.Clone(who)
	if !slices.ContainsFunc(who, jid.JID.IsDomain) {
		return list
	}
	for _, c := range f.Core.SeenBy(ctx, account) {
		if !slices.Contains(list, c) && slices.Contains(who, c.DomainJID()) {
			list = append(list, c)
		}
	}
	return list
}

// items reads the addresses of a set.
func items(q *server.Request) ([]jid.JID, stanza.Condition) {
	if !q.Set {
		return nil, stanza.BadRequest
	}
	var who []jid.JID
	for e := range q.Payload.Children() {
		j, err := jid.Parse(tree.Value(e, "jid"))
		switch {
		case !e.Is(nsBlocking, "item"):
			return nil, stanza.BadRequest
		case err != nil:
			return nil, stanza.JIDMalformed
		case len(who) == MaxBlocked:
			return nil, stanza.ResourceConstraint
		case !slices.Contains(who, j):
			who = append(who, j.Clone())
		}
	}
	return who, stanza.NoCondition
}

func element(name string, list []jid.JID) *xmlstream.Element {
	in := make([]*xmlstream.Element, len(list))
	for i, j := range list {
		in[i] = tree.New(nsBlocking, "item", tree.Attr("jid", j.String()))
	}
	return tree.New(nsBlocking, name, tree.With(in...))
}

// remember makes somebody who has asked for the list one who is told of changes.
func (f *feature) remember(full jid.JID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked[full.Clone()] = true
	if len(f.asked) <= f.limit {
		return
	}
	for j := range f.asked {
		if !f.connected(j) {
			delete(f.asked, j)
		}
	}
	f.limit = 2*len(f.asked) + 64
}

func (f *feature) connected(full jid.JID) bool {
	return slices.ContainsFunc(f.Core.Connected(full.Bare()), func(r server.Resource) bool { return r.JID == full })
}

// push tells those clients of an account that know the list.
func (f *feature) push(ctx context.Context, account jid.JID, e *xmlstream.Element) {
	for _, r := range f.Core.Connected(account) {
		f.mu.Lock()
		asked := f.asked[r.JID]
		f.mu.Unlock()
		if !asked {
			continue
		}
		if s, err := tree.IQ(stanza.IQSet, account, r.JID, rand.Text(), e); err == nil {
			_ = f.Core.Tell(ctx, s) // a client that is gone meanwhile asks again when it comes
		}
	}
}
