package stream_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/stream"
)

// pieces is what the peer of the fuzz target may say, in any order.
var pieces = []string{
	helloFromA, helloFromB, openTags + ` to='b.example' id='x'>`, openTags + ` from='evil.example' to='b.example' id='y'>`,
	openTags + ` from='b.example' to='a.example' id='second'>`, openNoVersion + ` to='b.example'>`,
	noFeatures, startTLS, `<stream:features>` + external + `</stream:features>`, `<stream:features>` + dialback + `</stream:features>`,
	`<stream:features>` + external + dialback + `<bidi xmlns='urn:xmpp:features:bidi'/><sm xmlns='urn:xmpp:sm:3'/></stream:features>`,
	`<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>`, `<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>`, `<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>`,
	authEmpty, `<auth` + saslNS + ` mechanism='EXTERNAL'>ZXZpbC5leGFtcGxl</auth>`, `<auth` + saslNS + ` mechanism='EXTERNAL'/>`,
	`<response` + saslNS + `/>`, `<challenge` + saslNS + `/>`, `<success` + saslNS + `/>`, `<failure` + saslNS + `><invalid-authzid/></failure>`, `<abort` + saslNS + `/>`,
	`<bidi xmlns='urn:xmpp:bidi'/>`, `<bidi xmlns='urn:xmpp:features:bidi'/>`,
	`<db:result from='a.example' to='b.example'>k</db:result>`, `<db:result from='evil.example' to='b2.example'>k</db:result>`,
	`<db:result from='b.example' to='a.example'>k</db:result>`, `<db:result from='b.example' to='b.example'>k</db:result>`,
	`<db:result from='b.example' to='a.example' type='valid'/>`, `<db:result from='b.example' to='a.example' type='invalid'/>`,
	`<db:result from='b.example' to='a2.example' type='valid'/>`, `<db:result from='b2.example' to='a.example' type='error'/>`,
	`<db:result from='a.example' to='b.example' type='valid'/>`, `<db:result/>`,
	`<db:verify from='a.example' to='b.example' id='x'>k</db:verify>`, `<db:verify from='b.example' to='a.example' id='v' type='valid'/>`,
	`<db:verify from='a.example' to='b.example' id='v' type='valid'/>`,
	enable, `<enabled xmlns='urn:xmpp:sm:3' id='s' resume='true'/>`, `<resume xmlns='urn:xmpp:sm:3' previd='s' h='0'/>`,
	`<resumed xmlns='urn:xmpp:sm:3' previd='s' h='0'/>`, `<failed xmlns='urn:xmpp:sm:3' h='1'/>`, `<r xmlns='urn:xmpp:sm:3'/>`,
	`<a xmlns='urn:xmpp:sm:3' h='0'/>`, `<a xmlns='urn:xmpp:sm:3' h='1'/>`, `<a xmlns='urn:xmpp:sm:3' h='x'/>`,
	stanzaAB, stanzaBA, `<message from='x@evil.example' to='y@b.example'/>`, `<iq from='x@a.example' to='y@b.example' type='get'/>`,
	`<message from='x@a.example' to='y@b2.example'/>`, `<message from='y@b.example' to='a@@'/>`, `<message xmlns='jabber:client'/>`,
	`<stream:error><reset xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>`, `</stream:stream>`, ` `, `<`, `<x xmlns='urn:x'/>`,
}

// witness is what the fuzz target itself knows about proofs.
type witness struct {
	cert      names
	tls       bool
	confirmed map[string]bool // pair and id whose key was called valid after VerifyKey
	asked     map[string]bool
	said      string // everything the peer said
	id        string
}

// FuzzMachine feeds random conversations: never a panic, never a proven pair
// without its proof, never a stanza of another pair.
func FuzzMachine(f *testing.F) {
	at := func(s string) byte { return byte(slices.Index(pieces, s)) }
	f.Add([]byte{0, at(helloFromA), at(authEmpty), at(helloFromA), at(stanzaAB), at(enable)}, "")
	f.Add([]byte{2, at(helloFromB), 10, 19, at(helloFromB), 10, at(stanzaBA)}, "")
	f.Add([]byte{0, at(helloFromA), 24, 201, at(stanzaAB)}, "<x/>")
	f.Add([]byte{1, at(helloFromA), 11, 210, at(helloFromA), at(authEmpty), at(helloFromA), 220, 230}, "")
	f.Add([]byte{64, at(helloFromA), at(authEmpty), at(helloFromA), at(stanzaAB)}, "")
	f.Add([]byte{64, at(helloFromA), 24, 25, at(stanzaAB)}, "")
	f.Fuzz(func(t *testing.T, script []byte, tail string) {
		if len(script) == 0 || len(script) > 60 {
			return
		}
		w, s, k := fuzzWorld(t, script[0])
		for _, op := range script[1:] {
			k.id = s.m.ID()
			if int(op) < len(pieces) {
				k.said += pieces[op]
				s.other.wire = append(s.other.wire, pieces[op]...)
				w.run()
			} else {
				fuzzStep(w, s, k, op)
			}
			k.judge(t, s)
		}
		k.said += tail
		s.other.inject(tail)
		k.judge(t, s)
		w.advance(4 * time.Hour)
		k.judge(t, s)
		s.step(stream.Lost{})
		if s.closed == nil || !s.m.Deadline().IsZero() {
			t.Error("not closed after the loss")
		}
	})
}

// fuzzWorld picks role, policy and channel by the bits of one byte.
func fuzzWorld(t *testing.T, bits byte) (*world, *side, *witness) {
	k := &witness{confirmed: map[string]bool{}, asked: map[string]bool{}}
	p := everything
	if bits&4 != 0 {
		p.Auth = stream.AllowDialback
	}
	if bits&8 != 0 {
		p.Auth = stream.AllowExternal
	}
	if bits&16 != 0 {
		p.TLS = stream.AllowPlain
	}
	p.ManageUnasked = bits&32 != 0
	k.cert = names{domA}
	if bits&2 != 0 {
		k.cert = names{domB}
	}
	if bits&64 != 0 {
		k.cert = nobody
	}
	var cert stream.Certificate
	if bits&1 == 0 {
		cert, k.tls = k.cert, true
	}
	make := rawResponder
	if bits&2 != 0 {
		make = rawInitiator
	}
	w := make(t, p, cert)
	s := w.b
	if bits&2 != 0 {
		s = w.a
	}
	w.authority = func(o stream.VerifyKey) stream.Outcome {
		k.asked[o.Local.String()+o.Remote.String()+o.ID] = true
		return neverAnswer
	}
	return w, s, k
}

func fuzzStep(w *world, s *side, k *witness, op byte) {
	domains := []jid.JID{domA, domB, evil, domB2}
	local, remote := domains[op%4], domains[op/4%4]
	switch {
	case op >= 240:
		w.advance(time.Duration(op-239) * 7 * time.Second)
	case op >= 230:
		s.step(stream.Prove{Local: local, Remote: remote})
	case op >= 225:
		s.step(stream.Verify{Local: local, Remote: remote, ID: "v", Key: "k"})
	case op >= 222:
		s.step(stream.AckDue{})
	case op == 221:
		s.step(stream.SessionFound{ID: "s"})
	case op == 220:
		_, outs := s.m.Detach(w.now)
		s.do(outs)
	case op >= 212:
		s.send(local, remote, uint64(op))
	case op >= 208:
		if s.wantTLS {
			k.tls, s.wantTLS = true, false
		}
		s.step(stream.Secured{TLS: stream.TLSFacts{Peer: k.cert}})
	case op == 207:
		s.step(stream.Close{Condition: stanza.StreamReset})
	case op == 206:
		s.step(stream.Close{})
	default:
		id := s.m.ID()
		if op%5 == 0 {
			id = "stale"
		}
		name := local.String() + remote.String() + id
		if k.asked[name] {
			k.confirmed[name] = true
		}
		s.step(stream.Verified{Local: local, Remote: remote, ID: id, Outcome: stream.KeyValid})
	}
	w.run()
}

// judge compares every proven pair with what was really proven.
func (k *witness) judge(t *testing.T, s *side) {
	t.Helper()
	for _, a := range s.auth {
		pair := a.Local.String() + a.Remote.String()
		ok := false
		switch {
		case a.Method == stream.ByExternal && s.name == "b", a.Method == stream.ByCertificateDialback, a.Method == stream.ByServerCertificate:
			ok = k.tls && k.cert.Proves(a.Remote)
		case a.Method == stream.ByExternal:
			ok = k.tls && strings.Contains(k.said, "<success") && strings.Contains(s.sent, "<auth ")
		case a.Method == stream.ByResolution:
			ok = strings.Contains(k.said, "<success") || strings.Contains(k.said, "type='valid'")
		case a.Direction == stream.Outbound && strings.Contains(s.sent, "<db:result from='"+a.Local.String()+"' to='"+a.Remote.String()+"'>"):
			ok = strings.Contains(k.said, "from='"+a.Remote.String()+"' to='"+a.Local.String()+"' type='valid'")
		default: // dialback towards us, or its reverse
			for name := range k.confirmed {
				ok = ok || strings.HasPrefix(name, pair)
			}
		}
		if !ok {
			t.Errorf("%s: %v %v authorised %v without proof; certificate %v, confirmed %v, said %s", s.name, a.Pair, a.Direction, a.Method, k.cert, k.confirmed, k.said)
		}
	}
	for _, a := range s.got {
		if !slices.ContainsFunc(s.auth, func(p stream.Authorised) bool { return p.Direction == stream.Inbound && p.Remote == a.Pair.Remote }) && s.ready != nil {
			t.Errorf("stanza of %v, authorised %+v", a.Pair, s.auth)
		}
	}
}
