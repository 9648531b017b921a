package login_test

import (
	"fmt"
	"strings"
	"testing"
)

// Who asks for a resource that another connection of the account has gets it, and the other is told why it ends (RFC 6120 §7.7.2.2); beyond the most
// that an account may have nobody gets one more, and those that are there stay.
func TestResources(t *testing.T) {
	h := running(t, "\n[server.limits]\nresources = 3\n", "juliet")
	begins := func() *strand {
		s := connects(t, h, true, only(tls13))
		if said := s.in(juliet("SCRAM-SHA-256", "")); !strings.HasPrefix(said, "<success") {
			t.Fatal(said)
		}
		s.begin()
		return s
	}
	asks := func(s *strand, resource string) string {
		s.say("<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>" + resource + "</resource></bind></iq>")
		return s.until("</iq>")
	}
	alive := func(s *strand) {
		s.say("<iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>")
		if said := s.until("id='p'", "</stream:stream>"); strings.Contains(said, "error") {
			t.Errorf("one that was there is told %s", said)
		}
	}
	first := begins()
	if said := asks(first, "desk"); !strings.Contains(said, "/desk</jid>") {
		t.Fatal(said)
	}
	second := begins()
	if said := asks(second, "desk"); !strings.Contains(said, "/desk</jid>") {
		t.Error(said)
	}
	if said := first.ends(); !strings.Contains(said, "<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>") {
		t.Errorf("the first is told %s", said)
	}
	all := []*strand{second}
	for i := range 2 {
		s := begins()
		if said := asks(s, fmt.Sprint("more", i)); !strings.Contains(said, "</jid>") {
			t.Error(said)
		}
		all = append(all, s)
	}
	if said := asks(begins(), "one too many"); !strings.Contains(said, "<error type='wait'><resource-constraint") {
		t.Errorf("one too many is told %s", said)
	}
	for _, s := range all {
		alive(s)
	}
}
