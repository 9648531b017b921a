package account

import (
	"context"
	"errors"
	"fmt"

	"sallyport/internal/sasl"
	"sallyport/internal/xmpp/jid"
)

// Answer answers what a SASL mechanism with the hash h asks about an account; mechanisms without a hash name NoHash. It gives an
// error only when the store does; then the login fails for a while (temporary-auth-failure). Tokens are not kept here.
func (d *Directory) Answer(ctx context.Context, bare jid.JID, h Hash, q sasl.Question) (sasl.Reply, error) {
	if q.Want == sasl.WantStanding || q.Want == sasl.WantTokens {
		return d.known(ctx, bare) // an account may have no password at all
	}
	if h == NoHash {
		h = SHA256 // for a password in clear
	}
	c, err := d.Challenge(ctx, bare, h)
	if err != nil {
		return sasl.Reply{}, err
	}
	r := sasl.Reply{Standing: c.standing()}
	switch q.Want {
	case sasl.WantSecret:
		r.Secret = sasl.Secret{
			Salt: c.Credential.Salt, Iterations: c.Credential.Iterations,
			StoredKey: c.Credential.StoredKey, ServerKey: c.Credential.ServerKey,
		}
	case sasl.WantPassword:
		prepared, err := Prepare(string(q.Password))
		r.Right = c.Credential.Matches(prepared) && err == nil
	case sasl.Nothing, sasl.WantStanding, sasl.WantTokens:
		return sasl.Reply{}, nil
	default:
		return sasl.Reply{}, fmt.Errorf("a mechanism wants %d, which nobody knows", q.Want)
	}
	return r, nil
}

// known tells the standing of who proved by other means to be the account.
func (d *Directory) known(ctx context.Context, bare jid.JID) (sasl.Reply, error) {
	a, err := d.Store.Account(ctx, bare)
	switch {
	case errors.Is(err, ErrNotFound):
		return sasl.Reply{}, nil
	case err != nil:
		return sasl.Reply{}, fmt.Errorf("look up an account: %w", err)
	}
	return sasl.Reply{Standing: Challenge{known: true, state: a.State}.standing()}, nil
}

// standing is what the challenge knows of the account.
func (c Challenge) standing() sasl.Standing {
	switch {
	case !c.known:
		return sasl.Unknown
	case c.state == Enabled:
		return sasl.Good
	}
	return sasl.Disabled
}
