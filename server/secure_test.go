package server_test

import (
	"errors"
	"strings"
	"testing"

	"sallyport/internal/xmpp/stream"
)

// park has a client lose its connection; it may come back.
func (c *client) park() {
	c.goes(true)
	c.bed.settles()
}

// unpark has it back.
func (c *client) unpark() {
	c.goes(false)
	c.bed.settles()
}

func (c *client) goes(away bool) {
	c.mu.Lock()
	c.parked = away
	ledger := stream.NewSession(stream.ManageConfig{})
	ledger.StartOutbound()
	for _, it := range c.unacked {
		ledger.Sent(it)
	}
	c.mu.Unlock()
	if away {
		c.bed.server.EventOf(c, stream.Closed{Cause: stream.ConnLost, Resume: ledger})
	} else {
		c.bed.server.EventOf(c, stream.Resumed{})
	}
}

// durable are the messages that a crash would leave, in their order.
func (b *bed) durable(account string) string {
	b.settles()
	b.store.mu.Lock()
	defer b.store.mu.Unlock()
	var all []string
	for who, list := range b.store.waiting {
		for _, e := range list {
			if who.Local() == account {
				_, body, _ := strings.Cut(string(e.Stanza), "<body>")
				body, _, _ = strings.Cut(body, "</body>")
				all = append(all, body)
			}
		}
	}
	return strings.Join(all, " ")
}

// What is for a client that is away is not taken where it cannot be kept: its session is memory, and a crash would lose what its sender
// was told has arrived.
func TestWhatCannotBeKeptForWhoIsAwayIsRefused(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet", "romeo")
		romeo, juliet := b.online("romeo@im.example/garden"), b.managed("juliet@im.example/balcony")
		juliet.say("<presence/>")
		juliet.park()
		b.store.full = true
		for _, to := range []string{"juliet@im.example", "juliet@im.example/balcony"} {
			romeo.say(message(to, "chat", "1", "one"))
			romeo.gets("id='1'…type='error'…service-unavailable")
		}
		b.store.full = false
		b.breaks(errors.New("no disk"))
		romeo.say(message("juliet@im.example", "chat", "2", "two"))
		romeo.gets("id='2'…type='error'…internal-server-error")
		b.breaks(nil)
		romeo.say(message("juliet@im.example", "chat", "3", "three"))
		romeo.gets()
		if got := b.durable("juliet"); got != "three" {
			t.Errorf("kept is %q", got)
		}
		juliet.unpark()
		juliet.gets("<presence", "three")
		juliet.ack()
		if got := b.durable("juliet"); got != "" {
			t.Errorf("kept is still %q", got)
		}
	})
}

// What was written to a client that has lost its connection since may never have arrived, and is kept until it is acknowledged.
func TestWhatALostConnectionMayNotHaveBroughtIsKept(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet", "romeo")
		romeo, juliet := b.online("romeo@im.example/garden"), b.managed("juliet@im.example/balcony")
		juliet.say("<presence/>")
		romeo.say(message("juliet@im.example", "chat", "0", "zero"))
		juliet.ack()
		for _, body := range []string{"one", "two"} {
			romeo.say(message("juliet@im.example", "chat", body, body))
		}
		romeo.say("<message to='juliet@im.example' type='chat' id='n'><body>not kept</body><no-store xmlns='urn:xmpp:hints'/></message>")
		puts := b.store.puts
		juliet.park()
		romeo.say(message("juliet@im.example", "chat", "three", "three"))
		if got := b.durable("juliet"); got != "one two three" || b.store.puts != puts+2 {
			t.Errorf("kept is %q after %d changes", got, b.store.puts-puts)
		}
		second := b.managed("juliet@im.example/chamber")
		second.say("<presence/>")
		second.gets("<presence", "<presence") // the first one may still come back
		juliet.unpark()
		juliet.ack()
		if got := b.durable("juliet"); got != "" {
			t.Errorf("kept is still %q", got)
		}
		romeo.gets()
	})
}

// The same where the last of two that still has a connection ends, and leaves it to the one that has none.
func TestWhatIsLeftToWhoIsAwayIsKept(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet", "romeo")
		romeo, away, here := b.online("romeo@im.example/garden"), b.managed("juliet@im.example/balcony"), b.managed("juliet@im.example/chamber")
		for _, c := range []*client{away, here} {
			c.say("<presence/>")
		}
		away.park()
		romeo.say(message("juliet@im.example", "chat", "1", "one"))
		if got := b.durable("juliet"); got != "" {
			t.Errorf("kept is %q although a client has been given it", got)
		}
		here.lose()
		if got := b.durable("juliet"); got != "one" {
			t.Errorf("kept is %q", got)
		}
		away.unpark()
		away.ack()
		if got := b.durable("juliet"); got != "" {
			t.Errorf("kept is still %q", got)
		}
	})
}
