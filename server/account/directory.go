package account

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"sallyport/internal/xmpp/jid"
)

// decoyBytes is the length of a domain's key for names without account.
const decoyBytes = 32

// tries bounds how often a change is done again because somebody else was first.
const tries = 5

// Directory is the one way to accounts and groups for the command line, ad-hoc commands and logins. It is safe for
// concurrent use; it holds no state of its own but the policy that was set last.
type Directory struct {
	Store  Store
	Policy Policy           // until SetPolicy
	Random io.Reader        // crypto/rand.Reader but in tests
	Now    func() time.Time // time.Now but in tests
	// Leaves, where it is set, is told that an account is about to be removed; what it gives is called when it was.
	Leaves func(ctx context.Context, bare jid.JID) (gone func())

	changed atomic.Pointer[Policy]
}

// SetPolicy has another policy hold for passwords that are set from now on.
func (d *Directory) SetPolicy(p Policy) { d.changed.Store(&p) }

func (d *Directory) policy() Policy {
	if p := d.changed.Load(); p != nil {
		return *p
	}
	return d.Policy
}

// Add creates an enabled account. ErrExists, ErrPassword.
func (d *Directory) Add(ctx context.Context, bare jid.JID, password string) error {
	credentials, err := d.credentials(bare, password)
	if err != nil {
		return err
	}
	if err := d.ensure(ctx, bare.Domain()); err != nil {
		return err
	}
	now := d.Now()
	err = d.Store.CreateAccount(ctx, Account{JID: bare.Bare(), State: Enabled, Credentials: credentials, Created: now, Changed: now})
	return about("add", bare, err)
}

// SetPassword gives an account a new password, with new salts. ErrNotFound, ErrPassword.
func (d *Directory) SetPassword(ctx context.Context, bare jid.JID, password string) error {
	credentials, err := d.credentials(bare, password)
	if err != nil {
		return err
	}
	return about("set the password of", bare, d.change(ctx, bare, func(a *Account) { a.Credentials = credentials }))
}

// SetState enables or disables an account. ErrNotFound.
func (d *Directory) SetState(ctx context.Context, bare jid.JID, s State) error {
	return about("change", bare, d.change(ctx, bare, func(a *Account) { a.State = s }))
}

// SetClearance names the clearance of an account, empty for none. ErrNotFound.
func (d *Directory) SetClearance(ctx context.Context, bare jid.JID, name string) error {
	return about("change", bare, d.change(ctx, bare, func(a *Account) { a.Clearance = name }))
}

// SetCatalogue names the label catalogue of an account, empty for that of everybody. ErrNotFound.
func (d *Directory) SetCatalogue(ctx context.Context, bare jid.JID, name string) error {
	return about("change", bare, d.change(ctx, bare, func(a *Account) { a.Catalogue = name }))
}

// Remove removes an account with everything that is kept for it. ErrNotFound.
func (d *Directory) Remove(ctx context.Context, bare jid.JID) error {
	gone := func() {}
	if d.Leaves != nil {
		gone = d.Leaves(ctx, bare)
	}
	if err := d.Store.RemoveAccount(ctx, bare); err != nil {
		return about("remove", bare, err)
	}
	gone()
	return nil
}

// AddGroup creates an empty group. ErrExists.
func (d *Directory) AddGroup(ctx context.Context, domain, name, title string) error {
	if err := d.ensure(ctx, domain); err != nil {
		return err
	}
	if err := d.Store.PutGroup(ctx, Group{Domain: domain, Name: name, Title: title}); err != nil {
		return fmt.Errorf("add group %q of %s: %w", name, domain, err)
	}
	return nil
}

// ChangeGroup changes a group as change says, which may be called again when somebody else was faster. ErrNotFound.
func (d *Directory) ChangeGroup(ctx context.Context, domain, name string, change func(*Group) error) error {
	err := d.again(func() error {
		g, err := d.Store.Group(ctx, domain, name)
		if err != nil {
			return err
		}
		if err := change(&g); err != nil {
			return err
		}
		if len(g.Members) > MaxMembers {
			return fmt.Errorf("more than %d members", MaxMembers)
		}
		return d.Store.PutGroup(ctx, g)
	})
	if err != nil {
		return fmt.Errorf("change group %q of %s: %w", name, domain, err)
	}
	return nil
}

func (d *Directory) credentials(bare jid.JID, password string) ([]Credential, error) {
	if !bare.IsBare() {
		return nil, errors.New("an account has an address of the form name@domain")
	}
	prepared, err := Prepare(password)
	if err != nil {
		return nil, err
	}
	p := d.policy()
	if err := p.check(bare, prepared); err != nil {
		return nil, err
	}
	return newCredentials(d.Random, prepared, p.iterations())
}

// ensure makes a domain known, with a key for names without account.
func (d *Directory) ensure(ctx context.Context, domain string) error {
	key := make([]byte, decoyBytes)
	if _, err := io.ReadFull(d.Random, key); err != nil {
		return fmt.Errorf("draw a key: %w", err)
	}
	if _, err := d.Store.EnsureDomain(ctx, Domain{Name: domain, Created: d.Now(), Decoy: key}); err != nil {
		return fmt.Errorf("add domain %s: %w", domain, err)
	}
	return nil
}

func (d *Directory) change(ctx context.Context, bare jid.JID, change func(*Account)) error {
	return d.again(func() error {
		a, err := d.Store.Account(ctx, bare)
		if err != nil {
			return err
		}
		change(&a)
		a.Changed = d.Now()
		return d.Store.ReplaceAccount(ctx, a)
	})
}

// again does one change, a few times if others keep coming first.
func (d *Directory) again(once func() error) (err error) {
	for range tries {
		if err = once(); !errors.Is(err, ErrChanged) {
			return err
		}
	}
	return err
}

func about(what string, bare jid.JID, err error) error {
	if err != nil {
		return fmt.Errorf("%s %s: %w", what, bare, err)
	}
	return nil
}
