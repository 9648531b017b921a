package store_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"testing"
	"time"

	"sallyport/internal/sasl"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stream"
	"sallyport/server/account"
	"sallyport/server/store"
	"sallyport/server/token"
)

// wallet is a book of tokens whose time goes on by a second with every token.
type wallet struct {
	*token.Book
	t   *testing.T
	now time.Time
}

func newWallet(t *testing.T, s *store.Store) *wallet {
	w := &wallet{t: t, now: moment(1_000_000)}
	w.Book = &token.Book{Store: s, Random: rand.Reader, Now: func() time.Time { return w.now }}
	return w
}

// grant asks for a token of an agent; empty: none.
func (w *wallet) grant(who jid.JID, agent string, rotate bool) string {
	w.t.Helper()
	w.now = w.now.Add(time.Second)
	g, err := w.Grant(context.Background(), stream.TokenWanted{Account: who, Agent: agent, Mechanism: sasl.TokenExpr, Rotate: rotate})
	if err != nil {
		w.t.Fatal(err)
	}
	return g.Token
}

func (w *wallet) tokens(who jid.JID, agent, mechanism string) []sasl.Token {
	w.t.Helper()
	list, err := w.Tokens(context.Background(), stream.LookUp{Account: who, Agent: agent, Mechanism: mechanism})
	if err != nil {
		w.t.Fatal(err)
	}
	return list
}

// want holds those that are good against values, which are as many as there are.
func (w *wallet) want(list []sasl.Token, values ...string) {
	w.t.Helper()
	list = slices.DeleteFunc(list, func(t sasl.Token) bool { return t.Over })
	ok := len(list) == len(values)
	for i := range list {
		ok = ok && list[i].Value == values[i]
	}
	if !ok {
		w.t.Errorf("there are %d tokens, want %d, or others", len(list), len(values))
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p place) {
		s, juliet := withOwner(t, p)
		w := newWallet(t, s)
		phone := w.grant(juliet, "phone", false)
		desk := w.grant(juliet, "desk", false)
		if phone == "" || phone == desk {
			t.Error("tokens are alike")
		}
		w.want(w.tokens(juliet, "phone", sasl.TokenExpr), phone)
		w.want(w.tokens(juliet, "phone", sasl.TokenEndP))
		w.want(w.tokens(jid.MustParse("nobody@a.example"), "phone", sasl.TokenExpr))
		if got := w.grant(juliet, "phone", true); got != "" {
			t.Error("a fresh token was replaced")
		}
		if w.grant(juliet, "", false) != "" {
			t.Error("a token for no agent")
		}
		w.grant(jid.MustParse("nobody@a.example"), "phone", false) // nothing is kept and nothing is wrong
		w.want(w.tokens(jid.MustParse("nobody@a.example"), "phone", sasl.TokenExpr))

		w.now = w.now.Add(25 * time.Hour)
		next := w.grant(juliet, "phone", true)
		both := w.tokens(juliet, "phone", sasl.TokenExpr)
		w.want(both, next, phone) // the answer may be lost: the old one is good until the new one is used
		used := func(id string, void bool) {
			t.Helper()
			if err := w.Used(t.Context(), stream.Authenticated{Account: juliet, Token: id, Void: void}); err != nil {
				t.Fatal(err)
			}
		}
		used(both[1].ID, false)
		w.want(w.tokens(juliet, "phone", sasl.TokenExpr), next, phone)
		used(both[0].ID, false)
		w.want(w.tokens(juliet, "phone", sasl.TokenExpr), next)
		used("unknown", true)
		used("", true)
		w.want(w.tokens(juliet, "phone", sasl.TokenExpr), next)
		used(both[0].ID, true)
		w.want(w.tokens(juliet, "phone", sasl.TokenExpr))
		w.want(w.tokens(juliet, "desk", sasl.TokenExpr), desk)
		w.now = w.now.Add(token.DefaultLifetime)
		w.want(w.tokens(juliet, "desk", sasl.TokenExpr))
		if list := w.tokens(juliet, "desk", sasl.TokenExpr); len(list) != 1 || !list[0].Over || list[0].Value != desk { // who has it is told
			t.Errorf("of what has expired there is %d", len(list))
		}
		if w.grant(juliet, "desk", true) == "" {
			t.Error("what has expired is not replaced")
		}
		if list := w.tokens(juliet, "desk", sasl.TokenExpr); len(list) != 1 || list[0].Over {
			t.Errorf("it is kept beside the new one: %d", len(list))
		}
	})
}

// XEP-0484 §3.5: a new token voids those that nobody has used; the one in use stays, whoever changed the password before.
func TestTokensThatWereLost(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p place) {
		s, juliet := withOwner(t, p)
		w := newWallet(t, s)
		d := &account.Directory{Store: s, Random: rand.Reader, Now: time.Now}
		before := w.grant(juliet, "phone", false)
		if err := d.SetPassword(t.Context(), juliet, "long enough 1"); err != nil {
			t.Fatal(err)
		}
		if list := w.tokens(juliet, "phone", sasl.TokenExpr); len(list) != 1 || !list[0].Over || list[0].Value != before {
			t.Errorf("of what is void there is %d", len(list))
		}
		inUse := w.grant(juliet, "phone", false)
		w.grant(juliet, "phone", false)
		w.grant(juliet, "phone", false)
		other := w.grant(juliet, "desk", false)
		next := w.grant(juliet, "phone", false)
		w.want(w.tokens(juliet, "phone", sasl.TokenExpr), next, inUse)
		w.want(w.tokens(juliet, "desk", sasl.TokenExpr), other)
	})
}

// A changed password voids them, another change of the account does not; a removed account takes them with it.
func TestTokensEnd(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p place) {
		s, juliet := withOwner(t, p)
		w := newWallet(t, s)
		d := &account.Directory{Store: s, Random: rand.Reader, Now: time.Now}
		if err := d.SetPassword(t.Context(), juliet, "long enough 1"); err != nil {
			t.Fatal(err)
		}
		phone := w.grant(juliet, "phone", false)
		if err := d.SetClearance(t.Context(), juliet, "secret"); err != nil {
			t.Fatal(err)
		}
		w.want(w.tokens(juliet, "phone", sasl.TokenExpr), phone)
		if err := d.SetPassword(t.Context(), juliet, "long enough 2"); err != nil {
			t.Fatal(err)
		}
		w.want(w.tokens(juliet, "phone", sasl.TokenExpr))
		w.want(w.tokens(juliet, "phone", sasl.TokenExpr))
		again := w.grant(juliet, "phone", false)
		w.want(w.tokens(juliet, "phone", sasl.TokenExpr), again)
		if err := d.Remove(t.Context(), juliet); err != nil {
			t.Fatal(err)
		}
		w.want(w.tokens(juliet, "phone", sasl.TokenExpr))
	})
}

// Of an agent and of an account only so many are kept, the newest.
func TestTokensAreBounded(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p place) {
		s, juliet := withOwner(t, p)
		w := newWallet(t, s)
		var last string
		for range token.MaxOfAgent + 2 {
			last = w.grant(juliet, "phone", false)
		}
		list := w.tokens(juliet, "phone", sasl.TokenExpr)
		if len(list) != token.MaxOfAgent || list[0].Value != last {
			t.Errorf("%d tokens of an agent", len(list))
		}
		for i := range token.MaxOfAccount {
			w.grant(juliet, fmt.Sprint("agent", i), false)
		}
		w.want(w.tokens(juliet, "phone", sasl.TokenExpr))
		if n := len(w.tokens(juliet, "agent0", sasl.TokenExpr)); n != 1 {
			t.Errorf("%d tokens of the first of the others", n)
		}
	})
}
