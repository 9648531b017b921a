package entity

import (
	"context"
	"errors"
	"strconv"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/tree"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/server"
	"sallyport/server/account"
)

// MaxStatus bounds the status text that is kept, in bytes; a longer one is not.
const MaxStatus = 1024

// Seen is when the last resource of an account went.
type Seen struct {
	At     time.Time
	Status string // of its unavailable presence
}

// Store keeps when accounts were last there. What it has changed is durable when it returns without error.
type Store interface {
	// PutSeen replaces what is kept for an account. account.ErrNotFound without the account.
	PutSeen(ctx context.Context, owner jid.JID, s Seen) error
	// Seen gives what is kept. account.ErrNotFound where there is nothing.
	Seen(ctx context.Context, owner jid.JID) (Seen, error)
}

// LastConfig is what Last needs. All of it.
type LastConfig struct {
	Store Store
	Core  server.Core
	// MaySee reports whether somebody is subscribed to the presence of an account.
	MaySee func(ctx context.Context, account, who jid.JID) bool
	Now    func() time.Time
}

// Last tells how long ago an account was there, to those who see its presence, and how long the server has been up (XEP-0012).
func Last(c LastConfig) server.Feature {
	l := &last{LastConfig: c, since: c.Now()}
	return server.Feature{
		Name:            "last activity",
		ServerFeatures:  []string{nsLast},
		AccountFeatures: []string{nsLast},
		Sends:           l.sends,
		Unavailable:     l.unavailable,
		IQ: []server.IQRoute{{
			Space: nsLast, Local: "query", At: []server.Target{server.AtAccount, server.AtOthers, server.AtServer}, Handle: l.answer,
		}},
	}
}

type last struct {
	LastConfig
	since time.Time
}

// sends keeps the time and the words of who goes. Who is lost without words is kept by unavailable.
func (l *last) sends(ctx context.Context, p *server.Passing) error {
	if p.Stanza.Type() != stanza.PresenceUnavailable || p.Stanza.To() != p.Account && !p.Stanza.To().IsZero() {
		return nil
	}
	for _, r := range l.Core.Resources(p.Account) {
		if r.JID != p.Stanza.From() {
			return nil // somebody is still there
		}
	}
	status := ""
	if e := p.Stanza.Element().Child(xmlstream.NSServer, "status"); e != nil && len(e.Text()) <= MaxStatus {
		status = e.Text()
	}
	// It is not worth refusing a presence that it cannot be kept.
	_ = l.Store.PutSeen(ctx, p.Account, Seen{At: l.Now(), Status: status})
	return nil
}

func (l *last) unavailable(ctx context.Context, r server.Resource) {
	owner := r.JID.Bare()
	for _, other := range l.Core.Resources(owner) {
		if other.JID != r.JID {
			return
		}
	}
	if was, err := l.Store.Seen(ctx, owner); err == nil && l.Now().Sub(was.At) < time.Second {
		return // its own words were kept just now
	}
	_ = l.Store.PutSeen(ctx, owner, Seen{At: l.Now()}) // nobody waits for it
}

func (l *last) answer(ctx context.Context, q *server.Request) server.Answer {
	if q.Set {
		return refused(stanza.NotAllowed)
	}
	if q.At == server.AtServer {
		return seconds(l.Now().Sub(l.since), "")
	}
	if q.At == server.AtOthers && !l.MaySee(ctx, q.Account, q.From.Bare()) {
		return refused(stanza.ServiceUnavailable)
	}
	if len(l.Core.Resources(q.Account)) > 0 {
		return seconds(0, "") // §4
	}
	s, err := l.Store.Seen(ctx, q.Account)
	switch {
	case errors.Is(err, account.ErrNotFound):
		return refused(stanza.ItemNotFound)
	case err != nil:
		return refused(stanza.InternalServerError)
	}
	return seconds(l.Now().Sub(s.At), s.Status)
}

func seconds(d time.Duration, status string) server.Answer {
	n := strconv.FormatInt(int64(max(d, 0)/time.Second), 10)
	e := tree.New(nsLast, "query", tree.Attr("seconds", n))
	if status != "" {
		e = tree.New(nsLast, "query", tree.Attr("seconds", n), tree.Text(status))
	}
	return server.Answer{Payload: e}
}
