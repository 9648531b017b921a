package servertest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/server"
)

// Get asks a feature with an iq of type get; to is empty for the own account.
func Get(t testing.TB, f server.Feature, from, to, payload string) server.Answer {
	t.Helper()
	return Ask(t, f, "get", from, to, payload)
}

// Set asks a feature with an iq of type set.
func Set(t testing.TB, f server.Feature, from, to, payload string) server.Answer {
	t.Helper()
	return Ask(t, f, "set", from, to, payload)
}

// Ask routes one request to a feature.
func Ask(t testing.TB, f server.Feature, kind, from, to, payload string) server.Answer {
	t.Helper()
	q := request(t, kind, from, to, payload)
	for _, r := range f.IQ {
		if r.Space == q.Payload.Space() && (r.Local == "" || r.Local == q.Payload.Local()) && slices.Contains(r.At, q.At) {
			return r.Handle(t.Context(), q)
		}
	}
	t.Fatalf("%s takes no %s of {%s}%s to %q", f.Name, kind, q.Payload.Space(), q.Payload.Local(), to)
	return server.Answer{}
}

func request(t testing.TB, kind, from, to, payload string) *server.Request {
	t.Helper()
	asker := jid.MustParse(from)
	if to == "" {
		to = asker.Bare().String()
	}
	s := Stanza(t, "<iq from='"+from+"' to='"+to+"' type='"+kind+"' id='1'>"+payload+"</iq>")
	q := &server.Request{Stanza: s, Payload: s.Payload(), Set: s.Type() == stanza.IQSet, From: s.From(), Domain: s.To().DomainJID(), Local: true}
	switch {
	case s.To().IsDomain():
		q.At = server.AtServer
	case s.To() == asker.Bare():
		q.At, q.Account = server.AtAccount, s.To()
	default:
		q.At, q.Account = server.AtOthers, s.To().Bare()
	}
	return q
}

// Said gives an answer as one text: the payload, or the condition with what belongs to it.
func Said(t testing.TB, a server.Answer) string {
	t.Helper()
	if a.Condition == stanza.NoCondition {
		return Text(t, a.Payload)
	}
	return strings.TrimSpace(a.Condition.String() + " " + Text(t, a.App))
}

// Sends lets an account of a stanza's sender say it, and gives what goes on.
func Sends(t testing.TB, f server.Feature, text string) (string, error) {
	t.Helper()
	s := Stanza(t, text)
	p := &server.Passing{Account: s.From().Bare(), Stanza: s, Out: true, Self: s.From().Bare() == s.To().Bare()}
	err := Pass(t.Context(), f, p)
	return Text(t, p.Stanza.Element()), err
}

// Comes lets a stanza come to the account that it is for, and gives what is delivered.
func Comes(t testing.TB, f server.Feature, text string) (string, error) {
	t.Helper()
	s := Stanza(t, text)
	p := &server.Passing{Account: s.To().Bare(), Stanza: s, Self: s.From().Bare() == s.To().Bare()}
	err := Pass(t.Context(), f, p)
	return Text(t, p.Stanza.Element()), err
}

// Pass asks as the server does, which has messages pass together where the feature can do that.
func Pass(ctx context.Context, f server.Feature, p *server.Passing) error {
	ask := f.Comes
	if p.Out {
		ask = f.Sends
	}
	if f.Together == nil || p.Stanza.Kind() != stanza.Message {
		return ask(ctx, p)
	}
	list := []server.Passing{*p}
	f.Together(ctx, list)
	*p = list[0]
	return p.Err
}

// Condition gives the condition of an error that a sender is told, empty where he is told none.
func Condition(err error) string {
	var b *server.Bounce
	if errors.As(err, &b) {
		return b.Condition.String()
	}
	return ""
}
