package imserver_test

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"sallyport/testbed/imserver"
)

// More messages wait for somebody than a client may leave unacknowledged. It gets all of them, in their order, as it acknowledges them, and
// stays connected; what is said to it meanwhile comes behind them.
func TestMoreWaitsThanMayBeUnacknowledged(t *testing.T) {
	t.Parallel()
	w := alone(t, "juliet", "romeo")
	w.more("\n[limits]\nunacked-stanzas = 20\n")
	juliet := w.rawLogin("juliet", "balcony")
	said := 0
	say := func(n int) {
		t.Helper()
		var list strings.Builder
		for range n {
			fmt.Fprintf(&list, "<message to='romeo@%s' type='chat' id='w%d'><body>word %d</body></message>", imserver.Domain, said, said)
			said++
		}
		if _, err := io.WriteString(juliet.conn, list.String()); err != nil {
			t.Fatal(err)
		}
		for taken := 0; taken < said; {
			var err error
			if taken, err = juliet.handled(); err != nil {
				t.Fatal(err)
			}
		}
	}
	say(100)
	romeo := w.rawLogin("romeo", "orchard")
	romeo.say(`<presence/>`)
	for heard := range 150 {
		if heard == 5 {
			say(50)
		}
		if m := romeo.until("</body>"); !strings.Contains(m, fmt.Sprintf("<body>word %d</body>", heard)) {
			t.Fatalf("in place of word %d he gets %s", heard, m)
		}
		if heard%5 == 4 { // his presence is one more
			romeo.say(fmt.Sprintf("<a xmlns='urn:xmpp:sm:3' h='%d'/>", heard+2))
		}
	}
}
