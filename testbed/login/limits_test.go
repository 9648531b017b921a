package login_test

import (
	"crypto/tls"
	"net"
	"strconv"
	"strings"
	"testing"

	"sallyport/testbed/imserver"
)

// in13 has a resource, and stream management, on TLS 1.3.
func in13(t *testing.T, h *imserver.Home) *strand {
	t.Helper()
	return entersFrom(t, source(), h, "juliet")
}

func entersFrom(t *testing.T, from net.Addr, h *imserver.Home, who string) *strand {
	t.Helper()
	s := connectsFrom(t, from, h, true, only(tls.VersionTLS13))
	a := juliet("SCRAM-SHA-256", "")
	a.user = who
	if said := s.in(a); !strings.HasPrefix(said, "<success") {
		t.Fatal(said)
	}
	s.begin()
	s.say("<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq><enable xmlns='urn:xmpp:sm:3' resume='true'/>")
	s.until("<enabled")
	s.until("/>")
	return s
}

func (s *strand) most() int {
	s.t.Helper()
	n, err := strconv.Atoi(between(s.features, "<limits xmlns='urn:xmpp:stream-limits:0'><max-bytes>", "<"))
	if err != nil {
		s.t.Fatal(s.features)
	}
	return n
}

// padded is an element of so many bytes.
func padded(begin, end string, size int) string {
	return begin + strings.Repeat("A", size-len(begin)-len(end)) + end
}

// What is announced to be the largest element (XEP-0478) is taken, and one byte more is not: before the login, and after it.
func TestLimits(t *testing.T) {
	h := running(t, "\n[server.limits]\nmax-stanza-bytes = 20000\n", "juliet")
	const begin, end = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='NOSUCH'>", "</auth>"
	s := connects(t, h, true, only(tls.VersionTLS13))
	most := s.most()
	s.say(padded(begin, end, most))
	if said := s.until("</failure>"); !strings.Contains(said, "<invalid-mechanism/>") {
		t.Errorf("the largest is told %s", said)
	}
	s.say(padded(begin, end, most+1))
	if said := s.ends(); !strings.Contains(said, "<stream:error><policy-violation") {
		t.Errorf("one byte more is told %s", said)
	}
	if most != 10_000 {
		t.Errorf("a stranger may say %d bytes", most)
	}

	s = in13(t, h)
	if s.most() != 20_000 {
		t.Errorf("announced %d", s.most())
	}
	const message, over = "<message id='large' to='" + imserver.Domain + "'><body>", "</body></message>"
	s.say(padded(message, over, s.most()) + "<r xmlns='urn:xmpp:sm:3'/>")
	s.until("<a xmlns='urn:xmpp:sm:3' h='1'/>")
	s.say(padded(message, over, s.most()+1))
	if said := s.ends(); !strings.Contains(said, "<stream:error><policy-violation") {
		t.Errorf("one byte more is told %s", said)
	}
}

// By default nobody logs in as before SASL (XEP-0078), nor is it offered: before the login nothing is a request, and after it nobody answers that one.
func TestLegacyLogin(t *testing.T) {
	h := running(t, "", "juliet")
	const asks = "<iq type='get' id='old'><query xmlns='jabber:iq:auth'><username>juliet</username></query></iq>"
	s := connects(t, h, true, only(tls.VersionTLS13))
	if strings.Contains(s.features, "iq-auth") {
		t.Errorf("offered %s", s.features)
	}
	s.say(asks)
	if said := s.ends(); !strings.Contains(said, "<stream:error><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>") {
		t.Errorf("said %s", said)
	}
	s = in13(t, h)
	if strings.Contains(s.features, "iq-auth") {
		t.Errorf("offered %s", s.features)
	}
	s.say(asks)
	if said := s.until("</iq>"); !strings.Contains(said, "<error type='cancel'><service-unavailable") || !strings.Contains(said, "id='old'") {
		t.Errorf("said %s", said)
	}
}
