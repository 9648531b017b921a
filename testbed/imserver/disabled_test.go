package imserver_test

import (
	"testing"
	"time"

	"sallyport/testbed/client"
	"sallyport/testbed/imserver"
)

// Whose account is disabled or removed is disconnected at once, and nobody else is.
func TestDisabledAtOnce(t *testing.T) {
	t.Parallel()
	w := alone(t, "juliet", "romeo", "paris")
	juliet, romeo, paris := w.login("juliet", "balcony"), w.login("romeo", "orchard"), w.login("paris", "street")
	for _, c := range []struct {
		command string
		whose   *person
	}{{"disable", romeo}, {"remove", paris}} {
		if _, err := w.home.Command("user", c.command, c.whose.Bare()); err != nil {
			t.Fatal(err)
		}
		const atOnce = 40 * time.Second // less than what the server takes to see by itself
		_, err := c.whose.Expect(atOnce, func(e client.Event) bool { return e.Kind == "disconnected" })
		c.whose.must(err)
	}
	juliet.asks("get", imserver.Domain, `<ping xmlns="urn:xmpp:ping"/>`)
}
