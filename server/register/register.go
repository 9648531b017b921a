// Package register lets people change their passwords, remove their accounts, and, where that is switched on, make them (XEP-0077).
//
// Inside: [Service]: requests of who is logged in, and [Service.Fields] and [Service.Create] for streams that nobody has logged in
// to. Not inside: those streams; accounts (server/account); invitations (server/invite).
//
// It must never make an account that the configuration or an invitation does not allow, never make more of them for one address than the
// configuration says, and never do anything to an account but that of who asks.
package register

import (
	"context"
	"errors"
	"sync"
	"time"

	"sallyport/internal/xmpp/form"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/tree"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/server"
	"sallyport/server/account"
	"sallyport/server/invite"
)

// Space is the namespace; FeatureSpace that of the feature of streams on which accounts can be made (§8).
const (
	Space        = "jabber:iq:register"
	FeatureSpace = "http://jabber.org/features/iq-register"
)

// maxAddresses bounds how many addresses are remembered that have made accounts.
const maxAddresses = 10_000

// Config says what is allowed. The zero value allows nothing.
type Config struct {
	Directory *account.Directory
	Now       func() time.Time
	// Passwords may be changed, accounts removed by those who own them.
	Passwords, Removal bool
	// Removed is told of an account that was removed, to end its sessions; nil: nobody is.
	Removed func(account jid.JID)
	// Open: everybody may make an account, PerHour at most from one address.
	Open    bool
	PerHour int
	// Reserved reports a name that the configuration gives a role to: nobody may take it by himself, as if there were such an account. nil:
	// none.
	Reserved func(account jid.JID) bool
	// Invites: who has an invitation may make one; nil: nobody has.
	Invites *invite.Book
	// Befriend makes two accounts contacts of each other: who was invited, and by whom; nil: nobody does.
	Befriend func(ctx context.Context, a, b jid.JID) error
}

// Service answers. It is safe for concurrent use.
type Service struct {
	Config

	mu    sync.Mutex
	since time.Time      // when the hour began
	made  map[string]int // accounts in this hour, by address
}

// New makes it.
func New(c Config) *Service { return &Service{Config: c, made: make(map[string]int)} }

// Offered reports whether streams that nobody has logged in to announce registration.
func (s *Service) Offered() bool { return s.Open || s.Invites != nil }

// Feature answers who is logged in.
func (s *Service) Feature() server.Feature {
	f := server.Feature{Name: "registration"}
	if s.Passwords || s.Removal || s.Offered() {
		f.ServerFeatures = []string{Space}
		f.IQ = []server.IQRoute{{Space: Space, Local: "query", At: []server.Target{server.AtServer, server.AtAccount}, Handle: s.handle}}
	}
	return f
}

func refused(c stanza.Condition, text string) server.Answer {
	return server.Answer{Condition: c, Text: text}
}

func (s *Service) handle(ctx context.Context, q *server.Request) server.Answer {
	who := q.From.Bare()
	if !q.Local || q.Domain != who.DomainJID() {
		return refused(stanza.NotAllowed, "")
	}
	if !q.Set {
		return server.Answer{Payload: tree.New(Space, "query", tree.With(
			tree.New(Space, "registered"), tree.New(Space, "instructions", tree.Text("You have an account here.")),
			tree.New(Space, "username", tree.Text(who.Local())), tree.New(Space, "password"),
		))}
	}
	if q.Payload.Child(Space, "remove") != nil {
		return s.remove(ctx, q, who)
	}
	name, password := credentials(q.Payload)
	whose, err := jid.New(name, who.Domain(), "")
	switch {
	case name == "" || password == "":
		return refused(stanza.BadRequest, "") // §3.3
	case !s.Passwords || err != nil || whose != who:
		return refused(stanza.NotAllowed, "")
	}
	return told(s.Directory.SetPassword(ctx, who, password))
}

func (s *Service) remove(ctx context.Context, q *server.Request, who jid.JID) server.Answer {
	children := 0
	for range q.Payload.Children() {
		children++
	}
	switch {
	case children > 1:
		return refused(stanza.BadRequest, "") // §3.2.1
	case !s.Removal:
		return refused(stanza.NotAllowed, "")
	}
	a := told(s.Directory.Remove(ctx, who))
	if a.Condition == stanza.NoCondition && s.Removed != nil {
		a.Then = func() { s.Removed(who) }
	}
	return a
}

// told gives what is told of an error: of a password, what is wrong with it.
func told(err error) server.Answer {
	switch {
	case err == nil:
		return server.Answer{}
	case errors.Is(err, account.ErrPassword):
		return refused(stanza.NotAcceptable, "The password is too easy, or cannot be used.")
	case errors.Is(err, account.ErrExists):
		return refused(stanza.Conflict, "There is such an account.")
	case errors.Is(err, account.ErrNotFound):
		return refused(stanza.ItemNotFound, "")
	}
	return refused(stanza.InternalServerError, "")
}

// credentials reads name and password, from a form where there is one.
func credentials(q *xmlstream.Element) (name, password string) {
	if x := q.Child(form.Space, "x"); x != nil {
		f, err := form.Submitted(x, Space)
		if err != nil {
			return "", ""
		}
		return f.Value("username"), f.Value("password")
	}
	if e := q.Child(Space, "username"); e != nil {
		name = e.Text()
	}
	if e := q.Child(Space, "password"); e != nil {
		password = e.Text()
	}
	return name, password
}

// Fields is what has to be filled in to make an account (§3.1.1), as a form, too (§4): Dino knows nothing else.
func (s *Service) Fields() *xmlstream.Element {
	const ask = "Choose a name and a password."
	f := form.Typed("form", Space,
		form.Field{Var: "username", Type: "text-single", Label: "Name", Required: true},
		form.Field{Var: "password", Type: "text-private", Label: "Password", Required: true})
	f.Title, f.Instructions = "A new account", ask
	return tree.New(Space, "query", tree.With(
		tree.New(Space, "instructions", tree.Text(ask)), tree.New(Space, "username"), tree.New(Space, "password"), f.Element(),
	))
}

// Applicant is somebody on a stream that nobody has logged in to.
type Applicant struct {
	Domain  jid.JID
	Address string    // of the network, without port
	Token   string    // of an invitation, or empty
	Shown   time.Time // when the token was found good, if that was before; zero: now
}

// Create makes the account that a query asks for. The answer is for the applicant's stream.
func (s *Service) Create(ctx context.Context, by Applicant, query *xmlstream.Element) (jid.JID, server.Answer) {
	if !s.Offered() {
		return jid.JID{}, refused(stanza.NotAllowed, "")
	}
	name, password := credentials(query)
	who, err := jid.New(name, by.Domain.Domain(), "")
	switch {
	case name == "" || password == "":
		return jid.JID{}, refused(stanza.NotAcceptable, "") // §3.1.1
	case err != nil:
		return jid.JID{}, refused(stanza.JIDMalformed, "")
	}
	var i invite.Invite
	book := s.bookOf(by)
	if book != nil {
		i, err = book.Look(ctx, who.Domain(), by.Token, invite.Account)
	}
	invited := i.Digest != "" && err == nil && (i.Local == "" || i.Local == who.Local())
	switch {
	case !invited && !s.Open:
		return jid.JID{}, refused(stanza.Forbidden, "An invitation is needed.")
	case !invited && !s.room(by.Address):
		return jid.JID{}, refused(stanza.ResourceConstraint, "Too many accounts were made from there.")
	}
	if s.Reserved != nil && s.Reserved(who) {
		return jid.JID{}, told(account.ErrExists)
	}
	if i.Local == "" || !invited {
		if a := s.free(ctx, who); a.Condition != stanza.NoCondition {
			return jid.JID{}, a
		}
	}
	if a := told(s.Directory.Add(ctx, who, password)); a.Condition != stanza.NoCondition {
		return jid.JID{}, a
	}
	if invited {
		if a := s.used(ctx, book, who, by.Token); a.Condition != stanza.NoCondition {
			return jid.JID{}, a
		}
		if s.Befriend != nil && i.For&invite.Contact != 0 {
			_ = s.Befriend(ctx, i.Inviter, who) // they can still add each other
		}
	}
	return who, server.Answer{}
}

// bookOf is the book in which an applicant's token is looked up, nil without one: it counts whether it was good when it was shown.
func (s *Service) bookOf(by Applicant) *invite.Book {
	if s.Invites == nil || by.Token == "" {
		return nil
	}
	if by.Shown.IsZero() {
		return s.Invites
	}
	return s.Invites.At(by.Shown)
}

// free refuses a name that an invitation of somebody else has, as if there were such an account (XEP-0445 §5).
func (s *Service) free(ctx context.Context, who jid.JID) server.Answer {
	if s.Invites == nil {
		return server.Answer{}
	}
	named, err := s.Invites.Named(ctx, who)
	if err == nil && named {
		err = account.ErrExists
	}
	return told(err)
}

// used uses the invitation up, and takes the account back when somebody else was faster.
func (s *Service) used(ctx context.Context, book *invite.Book, who jid.JID, token string) server.Answer {
	if _, err := book.Use(ctx, who.Domain(), token, invite.Account); err != nil {
		if err := s.Directory.Remove(ctx, who); err != nil {
			return refused(stanza.InternalServerError, "")
		}
		return refused(stanza.Forbidden, "An invitation is needed.")
	}
	return server.Answer{}
}

// room counts an account of an address; false where it has made enough in this hour. When there are too many addresses to count, nobody
// makes any.
func (s *Service) room(address string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := s.Now(); now.Sub(s.since) >= time.Hour {
		s.since = now
		clear(s.made)
	}
	if n, known := s.made[address]; n >= s.PerHour || !known && len(s.made) >= maxAddresses {
		return false
	}
	s.made[address]++
	return true
}
