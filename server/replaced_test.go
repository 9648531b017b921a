package server_test

import (
	"context"
	"testing"
	"testing/synctest"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/stream"
	"sallyport/server"
)

// What a client says that another has replaced, and whose stream has not ended yet, is not taken, so it must not be acknowledged: the
// error that ends its stream comes with an acknowledgement of all that is settled.
func TestNothingOfWhoIsReplacedIsAcknowledged(t *testing.T) {
	for name, raw := range map[string]string{
		"a message": message("romeo@im.example", "chat", "1", "hello"),
		"a request": "<iq to='romeo@im.example/garden' type='set' id='q'><x xmlns='urn:test'/></iq>",
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := newBed(t, nil, "juliet", "romeo")
				romeo := b.online("romeo@im.example/garden")
				old := b.managed("juliet@im.example/balcony")
				old.over = true // its end takes a while
				b.managed("juliet@im.example/balcony")
				old.say(raw)
				romeo.gets()
				if old.settled != 0 {
					t.Error("it is acknowledged")
				}
				b.server.ClosedBy(old, stream.Closed{Cause: stream.OurError})
				old.say(raw)
				if romeo.gets(); old.settled != 0 {
					t.Error("it is acknowledged after the end")
				}
			})
		})
	}
}

// What waited behind a message when its client was replaced is not taken either; the message is.
func TestWhatWaitedOfWhoIsReplaced(t *testing.T) {
	bubble(t, func(t *testing.T) {
		kept := make(chan struct{})
		b := newBed(t, func(c *server.Config) {
			c.Features = append(c.Features, server.Feature{Name: "slow", Together: func(context.Context, []server.Passing) { <-kept }})
		}, "juliet", "romeo")
		romeo := b.login("romeo@im.example/garden")
		old := b.managed("juliet@im.example/balcony")
		old.over = true
		old.say(message("romeo@im.example/garden", "chat", "1", "hello"))
		old.say("<iq to='romeo@im.example/garden' type='set' id='q'><x xmlns='urn:test'/></iq>")
		b.managed("juliet@im.example/balcony")
		close(kept)
		romeo.gets("hello")
		if old.settled != 1 {
			t.Errorf("%d are acknowledged", old.settled)
		}
		b.server.ClosedBy(old, stream.Closed{Cause: stream.OurError})
	})
}

// Who does not heed that he sends too many is disconnected, and hears that what he sent last was not taken.
func TestWhatIsTooManyIsNotAcknowledged(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const burst = 10
		b := newBed(t, func(c *server.Config) { c.Limits.PerSecond = 1 }, "juliet")
		juliet := b.managed("juliet@im.example/balcony")
		for juliet.closed == stanza.NoStreamCondition && juliet.sent < 10*burst {
			juliet.put(message("juliet@im.example", "chat", "1", "hello"))
		}
		if synctest.Wait(); juliet.settled != juliet.sent-1 || juliet.sent < 2*burst {
			t.Errorf("%d of %d acknowledged", juliet.settled, juliet.sent)
		}
	})
}
