package c2s_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"sallyport/internal/xmpp/stream"
	"sallyport/server/bosh"
	"sallyport/server/c2s"
)

// What can wait has half of the room there is for what a client has not acknowledged, wherever the session is, and one stanza always.
func TestRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDen(t, func(c *c2s.Config) { c.Stream.Manage = stream.ManageConfig{MaxItems: 6, MaxBytes: 10_000} })
		c := d.dial()
		c.login()
		x := d.house.session()
		room := func(when string, few, many bool) {
			t.Helper()
			synctest.Wait()
			if x.Room(100) != few || x.Room(20_000) != many {
				t.Errorf("%s there is room for few bytes: %v, for many: %v", when, x.Room(100), x.Room(20_000))
			}
		}
		say := func(n int) {
			t.Helper()
			for range n {
				if v := x.Send(note(t, "1"), 1); v != stream.SendNow && v != stream.SendKept {
					t.Fatalf("sent: %v", v)
				}
			}
		}
		say(3)
		room("while nothing is acknowledged", true, true)
		c.say(enable)
		id := resumption.FindStringSubmatch(c.until("/>"))[1]
		room("with nothing on the way", true, true)
		say(2)
		room("with two", true, false)
		say(1)
		room("with three", false, false)
		c.say(`<a xmlns='urn:xmpp:sm:3' h='3'/>`)
		room("when they are acknowledged", true, true)
		say(3)
		d.house.later()
		c.say(`<message to='romeo@im.example'><body>o</body></message>`)
		synctest.Wait()
		_ = c.conn.Close()
		room("when it waits to be resumed", false, false)
		other := d.dial()
		other.authenticate()
		other.say(resume(id, 3))
		room("when it waits on its next connection", false, false)
		d.house.settle()
		other.until("<resumed")
		room("when it is back", false, false)
		other.say(`<a xmlns='urn:xmpp:sm:3' h='6'/>`)
		room("when all is acknowledged", true, true)
	})
}

// So it is of what a client has not asked for (XEP-0124).
func TestRoomOfRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDen(t, nil)
		a := d.overPipes(c2s.WebOptions{})
		a.login()
		x := d.house.session()
		large := strings.Repeat("o", 100_000)
		for n := 0; x.Room(len(large)); n++ {
			if v := x.Send(note(t, large), 1); v != stream.SendNow {
				t.Fatalf("after %d: %v", n, v)
			}
			if n > bosh.MaxWaiting/len(large) {
				t.Fatal("there is always room")
			}
		}
		a.ask("", "")
		if x.Room(len(large)) {
			t.Error("there is room before it is known what the client has")
		}
		x.Send(note(t, "more"), 1)
		a.ask("", "")
		synctest.Wait()
		if !x.Room(len(large)) {
			t.Error("there is no room although the client has all but the last word")
		}
		a.ask("type='terminate'", "")
		<-d.house.ends
	})
}
