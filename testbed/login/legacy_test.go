package login_test

import (
	"crypto/tls"
	"os"
	"strings"
	"testing"

	"sallyport/testbed/imserver"
)

// Where it is configured, clients from before SASL log in (XEP-0078), those of before XMPP 1.0 as well; never in clear, and no faster than
// others when they guess.
func TestLegacyLoginOn(t *testing.T) {
	h := running(t, "\n[server.login]\nlegacy = true\n", "juliet")
	login := func(password string) string {
		return "<iq type='set' id='old' to='" + imserver.Domain + "'><query xmlns='jabber:iq:auth'><username>juliet</username><password>" + password +
			"</password><resource>desk</resource></query></iq>"
	}
	const good = "<iq from='" + imserver.Domain + "' id='old' type='result'/>"
	asks := func(s *strand) {
		t.Helper()
		s.say("<iq type='get' id='v' to='" + imserver.Domain + "'><query xmlns='jabber:iq:version'/></iq>")
		if said := s.until("</iq>"); !strings.Contains(said, "Sallyport") || !strings.Contains(said, "to='juliet@"+imserver.Domain+"/desk'") {
			t.Errorf("said %s", said)
		}
	}

	s := connects(t, h, true, only(tls.VersionTLS13))
	if !strings.Contains(s.features, "<auth xmlns='http://jabber.org/features/iq-auth'/>") {
		t.Errorf("offered %s", s.features)
	}
	s.say(login("wrong"))
	if said := s.until("</iq>"); !strings.Contains(said, "<error code='401' type='auth'><not-authorized") {
		t.Errorf("said %s", said)
	}
	s.say(login(imserver.Password))
	s.until(good)
	asks(s)

	s = &strand{t: t, from: source()}
	s.dial(h.Direct)
	s.shake(h, only(tls.VersionTLS13))
	s.say("<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='" + imserver.Domain + "'>")
	if said := s.until("'>"); strings.Contains(said, " version='1.0' ") {
		t.Errorf("greeted with %s", said)
	}
	s.say(login(imserver.Password))
	if said := s.until(good); strings.Contains(said, "features") {
		t.Errorf("said %s", said)
	}
	asks(s)

	s = &strand{t: t, from: source()}
	s.dial(h.Clients)
	s.say(open)
	if said := s.until("</stream:features>"); strings.Contains(said, "iq-auth") {
		t.Errorf("in clear it offers %s", said)
	}
	s.say(login(imserver.Password))
	if said := s.ends(); !strings.Contains(said, "<stream:error><not-authorized") {
		t.Errorf("in clear: %s", said)
	}

	trail, err := h.Command("audit", "show", "--json")
	log, err2 := os.ReadFile(h.Log())
	if err != nil || err2 != nil || strings.Contains(string(trail)+string(log), imserver.Password) {
		t.Errorf("a password is written down, or %v, %v", err, err2)
	}
	if !strings.Contains(string(trail), "XEP-0078") {
		t.Error("the record does not say how they logged in")
	}
}
