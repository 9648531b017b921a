package server_test

import (
	"fmt"
	"testing"
	"testing/synctest"
)

// Room is that of a session which is narrow.
func (c *client) Room(int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.most == 0 || len(c.unacked) < c.most
}

// acks acknowledges the first n stanzas.
func (c *client) acks(n int) {
	c.mu.Lock()
	items := c.unacked[:n:n]
	c.unacked = c.unacked[n:]
	c.mu.Unlock()
	c.bed.server.EventOf(c, ackedItems(items))
	synctest.Wait()
}

// A client with more messages waiting than it may leave unacknowledged gets them as it acknowledges, and what comes behind them in its
// order: giving it all of them would end its session, with the same at the next login.
func TestMoreWaitsThanAClientMayHaveAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet", "romeo")
		romeo := b.online("romeo@im.example/garden")
		for n := range 7 {
			romeo.say(message("juliet@im.example", "chat", fmt.Sprint(n), fmt.Sprintf("word %d", n)))
		}
		juliet := b.managed("juliet@im.example/balcony")
		juliet.most = 4
		juliet.say("<presence/>")
		juliet.gets("<presence", "word 0", "word 1", "word 2")
		romeo.say(message("juliet@im.example", "chat", "7", "word 7"))
		juliet.gets()
		juliet.acks(3)
		juliet.gets("word 3", "word 4", "word 5")
		juliet.acks(4)
		juliet.gets("word 6", "word 7")
		romeo.say(message("juliet@im.example", "chat", "8", "word 8"))
		juliet.gets("word 8")
		juliet.acks(3)

		romeo.say(message("juliet@im.example", "chat", "9", "word 9"))
		juliet.say("<presence><priority>-1</priority></presence>")
		romeo.say(message("juliet@im.example", "chat", "10", "word 10"))
		juliet.drain()
		juliet.acks(2) // it is not given any more for that
		juliet.gets()
		juliet.say("<presence/>")
		juliet.gets("<presence", "word 10")
	})
}

// The same where somebody else was lost who had them.
func TestMoreOfALostClientThanAnotherMayHaveAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet", "romeo")
		romeo := b.online("romeo@im.example/garden")
		for n := range 4 {
			romeo.say(message("juliet@im.example", "chat", fmt.Sprint(n), fmt.Sprintf("word %d", n)))
		}
		lost, other := b.managed("juliet@im.example/balcony"), b.managed("juliet@im.example/chamber")
		lost.say("<presence/>")
		lost.drain()
		other.say("<presence/>")
		other.drain()
		other.acks(len(other.unacked))
		other.most = 2
		lost.over = true
		b.server.EventOf(lost, unconfirmedItems(lost.unacked))
		other.gets("word 0", "word 1")
		romeo.say(message("juliet@im.example", "chat", "4", "word 4"))
		other.gets()
		other.acks(2)
		other.gets("word 2", "word 3")
		other.acks(2)
		other.gets("word 4")
	})
}

// What cannot wait goes to such a client at once: it is there.
func TestWhatCannotWaitGoesPastWhatWaits(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet", "romeo")
		romeo := b.online("romeo@im.example/garden")
		for n := range 2 {
			romeo.say(message("juliet@im.example", "chat", fmt.Sprint(n), fmt.Sprintf("word %d", n)))
		}
		juliet := b.managed("juliet@im.example/balcony")
		juliet.most = 2
		juliet.say("<presence/>")
		juliet.gets("<presence", "word 0")
		romeo.say("<message to='juliet@im.example' type='chat'><body>never kept</body><no-store xmlns='urn:xmpp:hints'/></message>")
		romeo.say("<message to='juliet@im.example' type='chat'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>")
		romeo.say(message("juliet@im.example", "headline", "h", "news"))
		juliet.gets("never kept", "composing", "news")
		romeo.gets()
		juliet.acks(5)
		juliet.gets("word 1")
	})
}
