// Package token keeps the tokens that clients log in with the next time, without their password (FAST, XEP-0484): who is
// given one, for how long it is good, when it is replaced.
//
// Inside: [Book], which the login asks, and the interface [Store] that server/store implements.
// Not inside: the HT mechanisms (internal/sasl), the stream (internal/xmpp/stream), SQL.
//
// It must never give a token that does not end, keep an unbounded number of them, or let one outlive the password under
// which it was given: a changed password voids all. A token is a secret in clear, as the mechanisms need it: who reads
// the store can log in until it ends, which is why it is bound to one agent and one mechanism and is replaced often.
package token

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"time"

	"sallyport/internal/sasl"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stream"
)

// Limits on what is kept of one account.
const (
	// MaxOfAgent is how many tokens of an agent are good for a mechanism: the one in use, and its successor (XEP-0484 §5.1).
	MaxOfAgent = 2
	// MaxOfAccount is how many are kept in all; the oldest go.
	MaxOfAccount = 100
)

// Times that a Book takes where it is told none.
const (
	DefaultLifetime = 14 * 24 * time.Hour
	DefaultRotate   = 24 * time.Hour
)

// Token is one token as it is kept.
type Token struct {
	Account   jid.JID // bare
	ID        string
	Agent     string // of the client (XEP-0388)
	Mechanism string
	Value     string
	Issued    time.Time
	Expires   time.Time
	Over      bool // it has expired, or the account has another password now; only read
}

// Store keeps tokens. What it has changed is durable when it returns without error.
type Store interface {
	// AddToken adds a token of an account, under the password that it has now, and removes what is over or too much: of those of its
	// agent and mechanism the oldest stays beside it, which may be in use. Without the account nothing is added and nothing is wrong.
	AddToken(ctx context.Context, t Token) error
	// Tokens gives those of an agent for a mechanism, up to sasl.MaxTokens: those that are good now, the newest first, then those that
	// are over, as those are that were added under another password.
	Tokens(ctx context.Context, account jid.JID, agent, mechanism string, now time.Time) ([]Token, error)
	// VoidTokens removes those of the token's agent that are older than it; with all, those that are not, too.
	VoidTokens(ctx context.Context, account jid.JID, id string, all bool) error
}

// Book gives and looks up tokens. It is safe for concurrent use.
type Book struct {
	Store    Store
	Random   io.Reader        // crypto/rand.Reader but in tests
	Now      func() time.Time // time.Now but in tests
	Lifetime time.Duration    // of a token [DefaultLifetime]
	Rotate   time.Duration    // age at which one is replaced [DefaultRotate]
}

// Tokens gives what an agent may prove with a mechanism.
func (b *Book) Tokens(ctx context.Context, q stream.LookUp) ([]sasl.Token, error) {
	kept, err := b.Store.Tokens(ctx, q.Account, q.Agent, q.Mechanism, b.Now())
	if err != nil {
		return nil, fmt.Errorf("tokens of %s: %w", q.Account, err)
	}
	list := make([]sasl.Token, 0, len(kept))
	for _, t := range kept {
		list = append(list, sasl.Token{ID: t.ID, Value: t.Value, Over: t.Over})
	}
	return list, nil
}

// Grant makes a token for an agent that asked, or whose token is old; the zero answer is none.
func (b *Book) Grant(ctx context.Context, q stream.TokenWanted) (stream.TokenGranted, error) {
	now := b.Now()
	if q.Agent == "" || !sasl.IsToken(q.Mechanism) {
		return stream.TokenGranted{}, nil
	}
	if q.Rotate {
		kept, err := b.Store.Tokens(ctx, q.Account, q.Agent, q.Mechanism, now)
		if err != nil {
			return stream.TokenGranted{}, fmt.Errorf("replace a token of %s: %w", q.Account, err)
		}
		if len(kept) > 0 && !kept[0].Over && now.Sub(kept[0].Issued) < orElse(b.Rotate, DefaultRotate) {
			return stream.TokenGranted{}, nil
		}
	}
	t := Token{Account: q.Account, Agent: q.Agent, Mechanism: q.Mechanism, Issued: now, Expires: now.Add(orElse(b.Lifetime, DefaultLifetime))}
	var err error
	if t.ID, err = b.draw(12); err == nil {
		t.Value, err = b.draw(32)
	}
	if err == nil {
		err = b.Store.AddToken(ctx, t)
	}
	if err != nil {
		return stream.TokenGranted{}, fmt.Errorf("grant a token to %s: %w", q.Account, err)
	}
	return stream.TokenGranted{Token: t.Value, Expiry: t.Expires.UTC().Format(time.RFC3339)}, nil
}

// Used voids what a login by a token makes void: older ones, and itself where the client wants that (XEP-0484 §3.5).
func (b *Book) Used(ctx context.Context, a stream.Authenticated) error {
	if a.Token == "" {
		return nil
	}
	if err := b.Store.VoidTokens(ctx, a.Account, a.Token, a.Void); err != nil {
		return fmt.Errorf("void tokens of %s: %w", a.Account, err)
	}
	return nil
}

func (b *Book) draw(n int) (string, error) {
	if b.Random == nil {
		return "", errors.New("no source of randomness")
	}
	raw := make([]byte, n)
	if _, err := io.ReadFull(b.Random, raw); err != nil {
		return "", fmt.Errorf("draw a token: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(raw), nil
}

func orElse(d, def time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return def
}
