package c2s_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/stream"
	"sallyport/server/c2s"
)

// Of two that resume the same session at the same moment exactly one wins (D20); later it can be taken over again.
func TestResumeAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDen(t, nil)
		_, id := parked(t, d)
		d.house.session().Send(note(t, "once"), 1)
		rivals := []*client{d.dial(), d.dial()}
		for _, r := range rivals {
			r.authenticate()
		}
		for _, r := range rivals {
			r.say(resume(id, 0))
		}
		said := rivals[0].until("/>") + rivals[1].until("/>")
		if strings.Count(said, "<resumed") != 1 || strings.Count(said, "<item-not-found") != 1 {
			t.Errorf("got %s", said)
		}
		time.Sleep(2 * time.Second)
		third := d.dial()
		third.authenticate()
		third.say(resume(id, 1))
		third.until("<resumed")
	})
}

// A35: a start tag that never ends, before authentication.
func TestDribble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDen(t, nil)
		c := d.dial()
		began := time.Now()
		go func() {
			for i := range len(hello) {
				if _, err := c.conn.Write([]byte{hello[i]}); err != nil {
					return
				}
				time.Sleep(10 * time.Second)
			}
		}()
		if said := c.until("</stream:stream>"); !strings.Contains(said, "<connection-timeout") || time.Since(began) != time.Minute {
			t.Errorf("after %v: %s", time.Since(began), said)
		}
		_ = c.conn.Close()
		time.Sleep(time.Minute)
	})
}

// A client that never acknowledges: it takes no more than the limit, and all comes out at its end (D18).
func TestNeverAcks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDen(t, func(c *c2s.Config) { c.Stream.Manage.MaxItems = 10 })
		c := d.dial()
		c.managed()
		s := d.house.session()
		for i := range 10 {
			if v := s.Send(note(t, "x"), uint64(i)); v != stream.SendNow {
				t.Fatalf("send %d: %v", i, v)
			}
		}
		if v := s.Send(note(t, "x"), 10); v != stream.SendFull {
			t.Errorf("one too many: %v", v)
		}
		s.Close(stream.Close{Condition: stanza.StreamResourceConstraint})
		c.until("<resource-constraint")
		if end := <-d.house.ends; len(end.Unconfirmed) != 10 || end.Condition != stanza.StreamResourceConstraint {
			t.Errorf("ended %+v", end)
		}
	})
}

// Connections that come, fail and go leave nothing (D14); goleak looks at the end, too.
func TestLoginsLeaveNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDen(t, nil)
		before := runtime.NumGoroutine()
		for i := range 300 {
			c := d.dialFrom(fmt.Sprintf("10.0.%d.%d", i/250, i%250))
			c.say(hello + plain("wrong"))
			c.until("</failure>")
			_ = c.conn.Close()
		}
		synctest.Wait()
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := runtime.NumGoroutine(); n > before+5 {
			t.Errorf("%d goroutines, %d before", n, before)
		}
	})
}
