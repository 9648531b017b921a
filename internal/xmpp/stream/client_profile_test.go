package stream_test

import (
	"strings"
	"testing"

	"sallyport/internal/sasl"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/stream"
)

// XEP-0388 §2.4: in the middle of authentication a client sends its response, or gives up; whatever else it sends ends the stream.
func TestClientSASL2InTheMiddle(t *testing.T) {
	t.Parallel()
	first := authenticate2("SCRAM-SHA-1", "n,,n=user,r=client-nonce", "")
	for name, said := range map[string]string{
		"another request": first, "a request of another mechanism": authenticate2("PLAIN", "\x00user\x00pencil", ""),
		"the other profile": plainAuth("user", "pencil"),
	} {
		x := direct(t, nil)
		x.say(helloClient)
		x.say(first)
		if x.ends(x.say(said), stanza.StreamNotAuthorized); len(x.auth) > 0 {
			t.Errorf("%s: authenticated %+v", name, x.auth)
		}
	}
	x := direct(t, nil)
	x.say(helloClient)
	x.say(first)
	x.fails(x.say(`<abort`+nsSASL2+`/>`), sasl.Aborted)
	contains(t, x.say(authenticate2("PLAIN", "\x00user\x00pencil", "")), "<success")
}

// XEP-0388 §2.3: whom a certificate with two accounts logs in is the one that the header named, and nobody else.
func TestClientSASL2CertificateOfTwo(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, from, authzid, who string }{
		{"named by the header", "other@b.example", "", "other@b.example"},
		{"named twice", "other@b.example", "other@b.example", "other@b.example"},
		{"named differently", "other@b.example", "user@b.example", ""},
		{"not in the certificate", "third@b.example", "", ""},
		{"not in the certificate, which has whom the request names", "third@b.example", "user@b.example", ""},
		{"named by the request", "", "user@b.example", "user@b.example"},
		{"not named", "", "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			x := newEdge(t, nil)
			x.tls.Accounts = []jid.JID{user, jid.MustParse("other@b.example")}
			x.step(stream.Start{TLS: &x.tls})
			from := ""
			if tc.from != "" {
				from = ` from='` + tc.from + `'`
			}
			x.say(clientTags + from + ` to='b.example'>`)
			initial := base(tc.authzid)
			said := x.say(`<authenticate` + nsSASL2 + ` mechanism='EXTERNAL'><initial-response>` + initial + `</initial-response></authenticate>`)
			switch {
			case tc.who == "" && (len(x.auth) > 0 || !strings.Contains(said, "<failure")):
				t.Errorf("said %s, authenticated %+v", said, x.auth)
			case tc.who != "" && (len(x.auth) != 1 || x.auth[0].Account.String() != tc.who):
				t.Errorf("said %s, authenticated %+v", said, x.auth)
			}
		})
	}
}
