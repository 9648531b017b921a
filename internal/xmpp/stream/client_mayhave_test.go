package stream_test

import (
	"fmt"
	"strings"
	"testing"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stream"
	"sallyport/internal/xmpp/xmlstream"
)

// What waited for a client that it may not have any more is not written when it resumes, and comes out; the count is that of what was.
func TestResumeWithoutWhatItMayNotHave(t *testing.T) {
	x, id := managedClient(t, nil)
	for n := range uint64(4) {
		x.send(n)
	}
	x.step(stream.Lost{Cause: "reset"})
	y := direct(t, func(c *stream.ClientConfig) {
		c.Rand = seeded(8)
		c.MayHave = func(client jid.JID, e *xmlstream.Element) bool {
			if client != userDesk {
				t.Errorf("asked for %s", client)
			}
			n, _ := e.Attr("id")
			return n != "1" && n != "2"
		}
	})
	y.park, y.now = x.park, x.now
	y.say(helloClient)
	y.say(plainAuth("user", "pencil"))
	y.say(helloClient)
	said := y.say(resume(id, 1))
	if !strings.Contains(said, "<resumed ") || strings.Count(said, "<message") != 1 || !strings.Contains(said, "id='3'") {
		t.Errorf("said %s", said)
	}
	if got := fmt.Sprint(x.acked, y.acked, y.unsure); got != "[] [0] [1 2]" {
		t.Errorf("acknowledged before and after, and unconfirmed: %s", got)
	}
	if y.send(5) != stream.SendNow {
		t.Error("nothing more can be sent")
	}
	if y.say(`<a xmlns='urn:xmpp:sm:3' h='3'/>`); fmt.Sprint(y.acked) != "[0 3 5]" {
		t.Errorf("acknowledged %v", y.acked)
	}
}
