package stream_test

import (
	"testing"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stream"
	"sallyport/internal/xmpp/xmlstream"
)

const (
	openTags   = `<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' xmlns:db='jabber:server:dialback' version='1.0'`
	helloFromA = `<?xml version='1.0'?>` + openTags + ` from='a.example' to='b.example'>`
	helloFromB = `<?xml version='1.0'?>` + openTags + ` from='b.example' to='a.example' id='idOfB'>`
	noFeatures = `<stream:features/>`
	startTLS   = `<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>`
	external   = `<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>EXTERNAL</mechanism></mechanisms>`
	dialback   = `<dialback xmlns='urn:xmpp:features:dialback'><errors/></dialback>`
	authEmpty  = `<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>=</auth>`
	stanzaAB   = `<message from='x@a.example' to='y@b.example' id='m1'><body>hi</body></message>`
	stanzaBA   = `<message from='y@b.example' to='x@a.example' id='m1'><body>hi</body></message>`
)

// everything is a policy that allows all methods and features, over TLS.
var everything = stream.Policy{
	Auth: stream.AllowExternal | stream.AllowCertificateDialback | stream.AllowDialback, Bidi: true, Manage: true,
}

// rawResponder is our responder b facing a peer a whose bytes the test writes.
// With a certificate the stream is direct TLS, with nil it is in clear.
func rawResponder(t *testing.T, p stream.Policy, cert stream.Certificate) *world {
	t.Helper()
	return raw(t, stream.NewResponder(stream.Config{
		Local: domB, Rand: seeded(7), Secret: stream.NewSecret("secret of b.example"), Hosted: hosts(domB, domB2),
		Policy: policyOf(p), OfferTLS: true,
	}), "b", cert)
}

// rawInitiator is our initiator a facing a peer b whose bytes the test writes.
func rawInitiator(t *testing.T, p stream.Policy, cert stream.Certificate) *world {
	t.Helper()
	return raw(t, stream.NewInitiator(stream.Config{
		Local: domA, Remote: domB, Rand: seeded(8), Secret: stream.NewSecret("secret of a.example"), Hosted: hosts(domA, domA2),
		Policy: policyOf(p),
	}), "a", cert)
}

func raw(t *testing.T, m *stream.Machine, name string, cert stream.Certificate) *world {
	w := &world{t: t, now: epoch, park: stream.NewPark(10)}
	us := &side{w: w, name: name, m: m}
	them := &side{w: w, name: "peer"}
	us.other, them.other = them, us
	us.dec = xmlstream.NewDecoder(xmlstream.Options{Limits: xmlstream.PreAuthLimits(), ContentNS: xmlstream.NSServer})
	w.a, w.b = them, us
	if name == "a" {
		w.a, w.b = us, them
	}
	start := stream.Start{}
	if cert != nil {
		start.TLS = &stream.TLSFacts{Peer: cert}
	}
	us.step(start)
	w.run()
	return w
}

// names of nobody: TLS is up and the certificate proves nothing.
var nobody = names{}

// authenticated is a raw responder whose peer has passed EXTERNAL for a.example.
func authenticated(t *testing.T, p stream.Policy) *world {
	t.Helper()
	w := rawResponder(t, p, names{domA})
	w.a.inject(helloFromA)
	w.a.inject(authEmpty)
	w.a.inject(helloFromA)
	if w.b.ready == nil || !w.b.has(stream.Pair{Local: domB, Remote: domA}, stream.Inbound, stream.ByExternal) {
		t.Fatalf("EXTERNAL did not authenticate: %+v, facts %+v, sent %s", w.b.closed, w.b.notes, w.b.sent)
	}
	return w
}

// connected is a raw initiator whose peer has accepted EXTERNAL.
func connected(t *testing.T, p stream.Policy, features string) *world {
	t.Helper()
	w := rawInitiator(t, p, names{domB})
	w.b.inject(helloFromB + `<stream:features>` + external + `<bidi xmlns='urn:xmpp:features:bidi'/>` + dialback + `</stream:features>`)
	w.b.inject(`<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>`)
	w.b.inject(helloFromB + `<stream:features>` + features + `</stream:features>`)
	return w
}

func pairOf(local, remote jid.JID) stream.Pair { return stream.Pair{Local: local, Remote: remote} }
