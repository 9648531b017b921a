package login_test

import (
	"fmt"
	"strings"
	"testing"

	"sallyport/testbed/imserver"
)

// pings asks the server so often, all at once, and counts what is answered and what is refused for coming too fast.
func (s *strand) pings(n int) (answered, refused int) {
	s.t.Helper()
	var all strings.Builder
	for i := range n {
		fmt.Fprintf(&all, "<iq type='get' id='p%d' to='%s'><ping xmlns='urn:xmpp:ping'/></iq>", i, imserver.Domain)
	}
	s.say(all.String())
	for i := range n {
		s.until(fmt.Sprintf("id='p%d'", i))
		switch said := s.until("'result'", "</iq>"); {
		case strings.HasSuffix(said, "'result'"):
			answered++
		case strings.Contains(said, "<error type='wait'><policy-violation"):
			refused++
		default:
			s.t.Errorf("told %s", said)
		}
	}
	return answered, refused
}

// Who has used up what an account, or an address, may send is refused on every connection that it has; others are not concerned.
func TestRates(t *testing.T) {
	for _, tc := range []struct {
		key         string
		sameAddress bool   // as the one that sent too much
		second      string // who it is that is refused, too
	}{
		{"account-stanza-rate", false, "juliet"},
		{"address-stanza-rate", true, "romeo"},
	} {
		t.Run(tc.key, func(t *testing.T) {
			h := running(t, "\n[server.limits]\n"+tc.key+" = 1\n", "juliet", "romeo", "paris") // ten may come at once
			address := source()
			first := entersFrom(t, address, h, "juliet")
			if !tc.sameAddress {
				address = source()
			}
			second := entersFrom(t, address, h, tc.second) // before that: what may come grows with the seconds of a login
			answered, refused := first.pings(18)
			if answered == 0 || refused == 0 {
				t.Errorf("%d are answered and %d refused", answered, refused)
			}
			if _, refused := second.pings(9); refused == 0 {
				t.Error("none is refused on another connection")
			}
			if _, refused := entersFrom(t, source(), h, "paris").pings(9); refused > 0 {
				t.Errorf("%d are refused to somebody else", refused)
			}
		})
	}
}
