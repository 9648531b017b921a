package imserver_test

import (
	"fmt"
	"strings"
	"testing"

	"sallyport/testbed/client"
)

// Who sends too many stanzas is told so, and disconnected when he goes on; others are not concerned.
func TestStanzaRate(t *testing.T) {
	t.Parallel()
	w := alone(t, "juliet", "romeo", "paris")
	w.more("\n[server.limits]\nstanza-rate = 4\n")
	juliet, romeo, paris := w.login("juliet", "balcony"), w.login("romeo", "orchard"), w.login("paris", "street")
	flood := func(n int) {
		t.Helper()
		var all strings.Builder
		for i := range n {
			fmt.Fprintf(&all, `<message to="%s" type="chat" id="f%d"><body>flood %d</body></message>`, romeo.Bare(), i, i)
		}
		juliet.must(juliet.SendRaw(all.String()))
	}
	flood(60) // forty may come at once
	e := juliet.sees(func(e client.Event) bool {
		return e.Kind == "message" && e.Type == "error" && e.Condition == "policy-violation"
	})
	if !strings.Contains(e.XML, `type="wait"`) || !strings.Contains(e.XML, "Wait before you send more.") {
		t.Errorf("she is told %s", e.XML)
	}
	romeo.hears("flood 1")
	paris.says(romeo.Bare(), "I am not concerned")
	romeo.hears("I am not concerned")
	flood(200)
	juliet.sees(func(e client.Event) bool { return e.Kind == "disconnected" })
	if heard := romeo.Received(func(e client.Event) bool { return strings.HasPrefix(e.Body, "flood") }); len(heard) > 100 {
		t.Errorf("he heard %d of them", len(heard))
	}
}
