package x2x_test

import (
	"strings"
	"testing"
	"time"

	"sallyport/links/custody"
	"sallyport/links/x2x"
)

// A peer that answered before it had what was asked for is asked again: it may have been started anew meanwhile, behind a carrier that
// lives on, and would never say a word (found by simulation over radio).
func TestManagedAsksAgain(t *testing.T) {
	const none = "<a xmlns='urn:xmpp:sm:3' h='0'/>"
	s := streamFor(x2x.Managed)
	it := x2x.Item{Element: element(t, "<message from='v@b.example' to='u@a.example'><body>x</body></message>"), Token: 1}
	if v, err := s.Send(epoch0, it); v != custody.Transmit || err != nil {
		t.Fatal(v, err)
	}
	asked, answers := 0, 0
	now := epoch0
	for range 100 {
		if strings.Contains(string(s.Output(nil)), "<r ") {
			if asked++; answers < 3 {
				answers++
				s.Feed(now, []byte(none))
			}
		}
		if got := say(events(s, now)); got != "" {
			if !strings.HasPrefix(got, "ended") || asked != 4 || now.Sub(epoch0) > time.Hour {
				t.Errorf("%q after %v, asked %d times", got, now.Sub(epoch0), asked)
			}
			return
		}
		if now = s.Deadline(); now.IsZero() {
			break
		}
		s.Tick(now)
	}
	t.Errorf("asked %d times, and then never again", asked)
}
