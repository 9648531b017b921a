package stream_test

import (
	"testing"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/stream"
)

// A peer that has proven its own domain may send from another one only where the
// configuration says that it speaks for it.
func TestRelaySpeaksForOthers(t *testing.T) {
	const message = `<message from='x@corp.example' to='y@b.example'/>`
	for _, c := range []struct {
		name   string
		relays func(remote, from jid.JID) bool
		ok     bool
	}{
		{"nobody relays", nil, false},
		{"this peer relays that domain", func(remote, from jid.JID) bool { return remote == domA && from.Domain() == "corp.example" }, true},
		{"this peer relays another domain", func(_, from jid.JID) bool { return from.Domain() == "bank.example" }, false},
		{"another peer relays that domain", func(remote, _ jid.JID) bool { return remote == domA2 }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := raw(t, stream.NewResponder(stream.Config{
				Local: domB, Rand: seeded(7), Secret: stream.NewSecret("secret of b.example"), Hosted: hosts(domB, domB2),
				Policy: policyOf(everything), OfferTLS: true, Relays: c.relays,
			}), "b", names{domA})
			for _, bytes := range []string{helloFromA, authEmpty, helloFromA} {
				w.a.inject(bytes)
			}
			w.a.inject(message)
			if !c.ok {
				w.b.wantError(t, stanza.StreamInvalidFrom)
				return
			}
			if len(w.b.got) != 1 || w.b.got[0].Pair != (stream.Pair{Local: domB, Remote: domA}) {
				t.Fatalf("got %+v", w.b.got)
			}
			if from := w.b.got[0].Stanza.From(); from.Domain() != "corp.example" {
				t.Errorf("from %s", from)
			}
		})
	}
}
