// Package invite lets people invite others to become contacts, and administrators others to have an account (XEP-0379, XEP-0401).
//
// Inside: [Book], which makes invitations and takes them; the commands for them; subscriptions that are granted because they come with
// an invitation. Not inside: making accounts (server/register asks [Book.Use]), pages on the web.
//
// It must never keep a token (the store has digests), never let an invitation be used twice for the same thing or after its time, and
// never tell whether a token was wrong, used or too old.
package invite

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"time"

	"sallyport/internal/xmpp/form"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/tree"
	"sallyport/server"
	"sallyport/server/command"
)

const (
	nsPreauth = "urn:xmpp:pars:0"
	nsInvite  = "urn:xmpp:invite"

	// MaxOpen is how many invitations of one inviter may be open at a time.
	MaxOpen = 50
	// Grace is for how long an invitation that has expired can still be used by who has shown it in time.
	Grace = time.Hour

	maxToken = 128 // bytes that are looked at
)

// What a store says.
var (
	ErrToken = errors.New("no such invitation, or it was used or is too old")
	ErrFull  = errors.New("too many invitations are open")
)

// Purpose is what an invitation is for. They are bits, and stored.
type Purpose int64

// The purposes.
const (
	Contact Purpose = 1 << iota // a subscription to the inviter is granted
	Account                     // an account may be made
)

// Invite is one invitation.
type Invite struct {
	Domain  string
	Digest  string  // of its token
	Inviter jid.JID // bare
	For     Purpose // all that it can be used for
	Local   string  // with Account: the name of the account, empty for any
	Expires time.Time
	Used    Purpose // all that it was used for
}

// Store keeps invitations. What it has changed is durable when it returns without error.
type Store interface {
	// PutInvite adds one, unless its inviter has most that have not expired. ErrFull.
	PutInvite(ctx context.Context, i Invite, most int, now time.Time) error
	// UseInvite uses one for a purpose, or tells without using it (look). ErrToken. What has expired is known for Grace all the same.
	UseInvite(ctx context.Context, domain, digest string, p Purpose, now time.Time, look bool) (Invite, error)
	// InviteNamed reports whether an invitation that is open has the name of an account.
	InviteNamed(ctx context.Context, domain, local string, now time.Time) (bool, error)
}

// Terms are on which invitations are made.
type Terms struct {
	Keep time.Duration // how long an invitation is open [7 days]
	// Page is where invitations are explained, as "https://a.example/invite#"; the token is added. Empty: nowhere.
	Page string
	// Accounts: an invitation of a contact is one to make an account, too.
	Accounts bool
}

// Config is what invitations need.
type Config struct {
	Store Store
	Now   func() time.Time
	// Terms are asked for each time; nil: the zero value.
	Terms func() Terms
	// MayInvite reports whether an account may invite contacts, MayCreate accounts; nil: nobody may.
	MayInvite, MayCreate func(ctx context.Context, account jid.JID) bool
	// Approve grants a subscription before it is asked for (RFC 6121 §3.4), and asks for one in turn.
	Approve func(ctx context.Context, account, contact jid.JID) error
}

// Book makes and takes invitations. It is safe for concurrent use.
type Book struct{ Config }

// New makes it.
func New(c Config) *Book { return &Book{c} }

func (b *Book) terms() (t Terms) {
	if b.Terms != nil {
		t = b.Terms()
	}
	if t.Keep <= 0 {
		t.Keep = 7 * 24 * time.Hour
	}
	return t
}

// Feature grants subscriptions that come with an invitation of who is asked.
func (b *Book) Feature() server.Feature {
	return server.Feature{Name: "invitations", AccountFeatures: []string{nsPreauth}, Comes: b.comes}
}

func digest(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// Make makes an invitation and gives its token.
func (b *Book) Make(ctx context.Context, inviter jid.JID, p Purpose, local string) (token string, expires time.Time, err error) {
	token, expires = rand.Text(), b.Now().Add(b.terms().Keep)
	i := Invite{Domain: inviter.Domain(), Digest: digest(token), Inviter: inviter.Bare(), For: p, Local: local, Expires: expires}
	if err := b.Store.PutInvite(ctx, i, MaxOpen, b.Now()); err != nil {
		return "", time.Time{}, fmt.Errorf("make an invitation of %s: %w", inviter.Bare(), err)
	}
	return token, expires, nil
}

// At is the book at a time: whether an invitation has expired is looked at as of then (XEP-0445 §4).
func (b *Book) At(t time.Time) *Book {
	as := *b
	as.Now = func() time.Time { return t }
	return &as
}

// Named reports whether the name of an account belongs to who has an invitation that is open (XEP-0445 §5).
func (b *Book) Named(ctx context.Context, account jid.JID) (bool, error) {
	named, err := b.Store.InviteNamed(ctx, account.Domain(), account.Local(), b.Now())
	if err != nil {
		return false, fmt.Errorf("look for invitations of %s: %w", account, err)
	}
	return named, nil
}

// Use uses an invitation once for a purpose. ErrToken.
func (b *Book) Use(ctx context.Context, domain, token string, p Purpose) (Invite, error) {
	return b.use(ctx, domain, token, p, false)
}

// Look tells of an invitation that can be used. ErrToken.
func (b *Book) Look(ctx context.Context, domain, token string, p Purpose) (Invite, error) {
	return b.use(ctx, domain, token, p, true)
}

func (b *Book) use(ctx context.Context, domain, token string, p Purpose, look bool) (Invite, error) {
	if token == "" || len(token) > maxToken {
		return Invite{}, ErrToken
	}
	return b.Store.UseInvite(ctx, domain, digest(token), p, b.Now(), look)
}

// comes looks for invitations in subscriptions (XEP-0379 §3.4).
func (b *Book) comes(ctx context.Context, p *server.Passing) error {
	if p.Stanza.Type() != stanza.PresenceSubscribe {
		return nil
	}
	e := p.Stanza.Element().Child(nsPreauth, "preauth")
	if e == nil {
		return nil
	}
	token := tree.Value(e, "token")
	i, err := b.Look(ctx, p.Account.Domain(), token, Contact)
	if err != nil || i.Inviter != p.Account {
		return nil //nolint:nilerr // it is a subscription like any other
	}
	if _, err := b.Use(ctx, p.Account.Domain(), token, Contact); err == nil {
		_ = b.Approve(ctx, p.Account, p.Stanza.From().Bare()) // else the inviter is asked
	}
	return nil
}

// Commands are those of XEP-0401 §3 and §4.
func (b *Book) Commands() []command.Command {
	return []command.Command{
		{Node: nsInvite + "#invite", Name: "Invite a contact", May: b.local(b.MayInvite), Run: b.invite},
		{Node: nsInvite + "#create-account", Name: "Invite somebody to have an account", May: b.local(b.MayCreate), Form: accountForm, Run: b.createAccount},
	}
}

// local lets accounts of the domain through that may.
func (b *Book) local(may func(context.Context, jid.JID) bool) func(ctx context.Context, who, domain jid.JID) bool {
	return func(ctx context.Context, who, domain jid.JID) bool {
		return may != nil && who.Local() != "" && who.DomainJID() == domain && may(ctx, who.Bare())
	}
}

func (b *Book) invite(ctx context.Context, who, _ jid.JID, _ form.Form) (command.Result, error) {
	p, query, accounts := Contact, "?roster;preauth=", b.terms().Accounts
	if accounts {
		p |= Account
	}
	token, expires, err := b.Make(ctx, who, p, "")
	if errors.Is(err, ErrFull) {
		return command.Result{}, fmt.Errorf("%w: %w", command.ErrForm, ErrFull)
	}
	if err != nil {
		return command.Result{}, err
	}
	query += token
	if accounts {
		query += ";ibr=y"
	}
	return b.result(address(who.Bare())+query, token, expires), nil
}

func accountForm(context.Context, jid.JID, jid.JID) (form.Form, error) {
	return form.Form{Type: "form", Fields: []form.Field{{Var: "username", Label: "Name of the account", Type: "text-single"}}}, nil
}

func (b *Book) createAccount(ctx context.Context, who, domain jid.JID, f form.Form) (command.Result, error) {
	whose := domain
	if name := f.Value("username"); name != "" {
		var err error
		if whose, err = jid.New(name, domain.Domain(), ""); err != nil {
			return command.Result{}, fmt.Errorf("%w: this cannot be the name of an account", command.ErrForm)
		}
	}
	token, expires, err := b.Make(ctx, who, Account, whose.Local())
	if errors.Is(err, ErrFull) {
		return command.Result{}, fmt.Errorf("%w: %w", command.ErrForm, ErrFull)
	}
	if err != nil {
		return command.Result{}, err
	}
	return b.result(address(whose)+"?register;preauth="+token, token, expires), nil
}

// address is the start of a URI (RFC 5122).
func address(j jid.JID) string {
	if j.Local() == "" {
		return "xmpp:" + j.Domain()
	}
	return "xmpp:" + url.PathEscape(j.Local()) + "@" + j.Domain()
}

func (b *Book) result(uri, token string, expires time.Time) command.Result {
	f := form.Typed("result", nsInvite+"#invitation", form.Field{Var: "uri", Type: "text-single", Label: "Invitation", Values: []string{uri}})
	if page := b.terms().Page; page != "" {
		f.Fields = append(f.Fields, form.Field{Var: "landing-url", Type: "text-single", Label: "Page that explains it", Values: []string{page + token}})
	}
	f.Fields = append(f.Fields, form.Field{Var: "expire", Type: "text-single", Label: "Good until", Values: []string{expires.UTC().Format("2006-01-02T15:04:05Z")}})
	return command.Result{Form: &f}
}
