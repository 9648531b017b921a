package server_test

import (
	"context"
	"testing"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/stream"
	"sallyport/internal/xmpp/tree"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/server"
)

// Who binds together with logging in is told how far his archive goes (XEP-0386 §3.2); nobody else is, and no error stands in the way.
func TestBoundTellsOfTheArchive(t *testing.T) {
	ends := tree.New("urn:xmpp:mam:2", "metadata")
	for name, tc := range map[string]struct {
		want   stream.BindWanted
		answer server.Answer
		told   []*xmlstream.Element
	}{
		"together with logging in":    {stream.BindWanted{Inline: true}, server.Answer{Payload: ends}, []*xmlstream.Element{ends}},
		"by a request":                {stream.BindWanted{}, server.Answer{Payload: ends}, nil},
		"the archive cannot be asked": {stream.BindWanted{Inline: true}, server.Answer{Condition: stanza.InternalServerError}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := newBed(t, func(c *server.Config) {
					c.Features = append(c.Features, server.Feature{Name: "archive", IQ: []server.IQRoute{{
						Space: "urn:xmpp:mam:2", Local: "metadata", At: []server.Target{server.AtAccount},
						Handle: func(_ context.Context, q *server.Request) server.Answer {
							if q.From.String() != "juliet@im.example/1" || q.Account != q.From.Bare() || !q.Local || q.Set {
								t.Errorf("asked %+v", q)
							}
							return tc.answer
						},
					}}})
				}, "juliet")
				want := tc.want
				want.Account, want.Resource = jid.MustParse("juliet@im.example"), "1"
				in, ok := b.server.BindTo(&client{bed: b, address: jid.MustParse("juliet@im.example/1")}, want).(stream.Bound)
				if !ok || len(in.Answers) != len(tc.told) || len(tc.told) == 1 && !in.Answers[0].Equal(tc.told[0]) {
					t.Errorf("bound with %+v", in)
				}
			})
		})
	}
}
