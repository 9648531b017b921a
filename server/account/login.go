package account

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"

	"sallyport/internal/xmpp/jid"
)

// What a login is told.
var (
	// ErrNotAuthorized: wrong password, or no such account; nobody can tell which.
	ErrNotAuthorized = errors.New("not authorized")
	// ErrDisabled: the password was right, the account may not log in.
	ErrDisabled = errors.New("the account is disabled")
)

// Challenge is what a login by password starts from: a credential, and what is said when the password was proved or
// not. For a name without account it holds a credential that no password satisfies. The zero value admits nobody.
type Challenge struct {
	// Credential has the salt and iterations to show, and the keys to check a proof against.
	Credential Credential
	JID        jid.JID // bare

	known bool
	state State
}

// Outcome turns the result of checking a proof against Credential into an answer: nil, ErrNotAuthorized, ErrDisabled.
func (c Challenge) Outcome(proved bool) error {
	switch {
	case !proved || !c.known:
		return ErrNotAuthorized
	case c.state != Enabled:
		return ErrDisabled
	}
	return nil
}

// Challenge prepares a SCRAM login. Its errors are those of the store only; they say nothing of the account.
func (d *Directory) Challenge(ctx context.Context, bare jid.JID, h Hash) (Challenge, error) {
	if !bare.IsBare() || h.New() == nil {
		return Challenge{}, errors.New("challenge: a bare address and a hash are needed")
	}
	// Both are looked up always, so that the way is the same with and without an account.
	domain, derr := d.Store.Domain(ctx, bare.Domain())
	a, err := d.Store.Account(ctx, bare)
	if derr != nil && !errors.Is(derr, ErrNotFound) {
		return Challenge{}, fmt.Errorf("challenge: %w", derr)
	}
	if err != nil && !errors.Is(err, ErrNotFound) {
		return Challenge{}, fmt.Errorf("challenge: %w", err)
	}
	c := Challenge{JID: bare, Credential: d.decoy(domain.Decoy, bare, h)}
	if own, ok := a.Credential(h); err == nil && ok {
		c.Credential, c.known, c.state = own, true, a.State
	}
	return c, nil
}

// Verify is a login that shows its password, as PLAIN does. It works as long for a name without account as for one with.
func (d *Directory) Verify(ctx context.Context, bare jid.JID, password string) error {
	c, err := d.Challenge(ctx, bare, SHA256)
	if err != nil {
		return err
	}
	prepared, err := Prepare(password)
	if err != nil {
		prepared = "" // no account has it; the work is done all the same
	}
	return c.Outcome(c.Credential.Matches(prepared) && err == nil)
}

// decoy is the credential of a name without account: always the same salt for it, and keys that nothing hashes to.
func (d *Directory) decoy(key []byte, bare jid.JID, h Hash) Credential {
	draw := func(what string, n int) []byte {
		var out []byte
		for i := byte(0); len(out) < n; i++ {
			m := hmac.New(sha256.New, key)
			_, _ = m.Write([]byte{byte(h), i}) // a hash never fails
			_, _ = m.Write([]byte(what + "\x00" + bare.String()))
			out = m.Sum(out)
		}
		return out[:n]
	}
	size := h.New()().Size()
	return Credential{
		Hash: h, Salt: draw("salt", saltBytes), Iterations: d.policy().iterations(),
		StoredKey: draw("stored", size), ServerKey: draw("server", size),
	}
}
