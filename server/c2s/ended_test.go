package c2s_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/stream"
	"sallyport/server/c2s"
)

// busy is a house that keeps a reader until it may go on.
type busy struct {
	*house
	goOn chan struct{}
}

func (b *busy) Arrived(s *c2s.Session, list []stream.Arrival) {
	<-b.goOn
	b.house.Arrived(s, list)
}

// Whoever ends a session ends it, also where its connection is lost at the same moment: it neither waits to be resumed, nor does somebody
// get it who has asked for it meanwhile. What was sent to it is given back at once.
func TestEndedWhileItIsLost(t *testing.T) {
	for _, resumed := range []bool{false, true} {
		name := map[bool]string{false: "nobody comes back", true: "somebody comes back"}[resumed]
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var b *busy
				d := newDen(t, func(c *c2s.Config) {
					b = &busy{c.Sessions.(*house), make(chan struct{})}
					c.Sessions = b
				})
				c := d.dial()
				id := c.managed()
				x := d.house.session()
				c.say(`<message to='romeo@im.example'><body>o</body></message>`)
				synctest.Wait() // the reader is busy with it
				_ = c.conn.Close()
				x.Send(note(t, "1"), 7) // which finds out that the connection is lost
				synctest.Wait()
				x.Close(stream.Close{Condition: stanza.StreamConflict})
				synctest.Wait()
				if resumed {
					other := d.dial()
					other.authenticate()
					other.say(resume(id, 0))
					if got := other.until("/></failed>"); !strings.Contains(got, "<item-not-found") {
						t.Errorf("who asks for it is told %s", got)
					}
				}
				close(b.goOn)
				synctest.Wait()
				select {
				case end := <-d.house.ends:
					if end.Condition != stanza.StreamConflict || len(end.Unconfirmed) == 0 || end.Unconfirmed[0].Token != 7 {
						t.Errorf("it ended %+v", end)
					}
				default:
					t.Error("it waits to be resumed")
				}
			})
		})
	}
}

// While a session waits on its next connection until all that came by the last one is settled, what is sent to it is tracked, and who
// sends is told so: or he would take for delivered what nobody has.
func TestManagedWhileItIsResumed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDen(t, nil)
		c := d.dial()
		id := c.managed()
		x := d.house.session()
		d.house.later()
		c.say(`<message to='romeo@im.example'><body>o</body></message>`)
		synctest.Wait()
		other := d.dial()
		other.authenticate()
		other.say(resume(id, 0))
		synctest.Wait()
		managed := x.Managed()
		if v := x.Send(note(t, "1"), 7); v != stream.SendKept || !managed {
			t.Errorf("sent: %v, managed: %v", v, managed)
		}
		_ = other.conn.Close() // and it has not even begun
		synctest.Wait()
		if managed := x.Managed(); !managed {
			t.Error("not managed when it waits again")
		}
		d.house.settle()
		time.Sleep(time.Hour) // virtual: longer than any session waits
		synctest.Wait()
		if end := <-d.house.ends; len(end.Unconfirmed) != 1 || end.Unconfirmed[0].Token != 7 {
			t.Errorf("it ended %+v", end)
		}
	})
}
