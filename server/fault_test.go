package server_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"sallyport/internal/xmpp/jid"
	"sallyport/server"
	"sallyport/server/account"
	"sallyport/server/offline"
)

func (b *bed) breaks(err error) {
	b.store.mu.Lock()
	defer b.store.mu.Unlock()
	b.store.broken = err
}

// While the store does not answer, senders and clients are told so; afterwards everything goes on, and nothing came out of order.
func TestTheStoreDoesNotAnswer(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet", "romeo")
		romeo := b.online("romeo@im.example/garden")
		romeo.say(message("juliet@im.example", "chat", "1", "one"))
		b.breaks(errors.New("disk full"))
		romeo.say(message("juliet@im.example", "chat", "2", "two"))
		romeo.gets("id='2'…type='error'…internal-server-error")
		romeo.say("<presence type='subscribe' to='juliet@im.example'/>")
		romeo.gets("type='error'…internal-server-error")
		romeo.say(askRoster)
		romeo.gets("type='error'…internal-server-error")

		juliet := b.login("juliet@im.example/balcony")
		juliet.say("<presence/>")
		juliet.gets("type='error'…internal-server-error")
		b.breaks(nil)
		juliet.say("<presence/>")
		juliet.gets("<presence", "one")
		romeo.say(message("juliet@im.example", "chat", "3", "three"))
		juliet.gets("three")
		juliet.lose()

		romeo.say(message("juliet@im.example", "chat", "4", "four"))
		juliet = b.login("juliet@im.example/balcony")
		juliet.say(askRoster) // the roster is known, what waits cannot be read
		b.breaks(errors.New("disk full"))
		juliet.say("<presence/>")
		juliet.gets("<iq", "<presence")
		b.breaks(nil)
		romeo.say(message("juliet@im.example", "chat", "5", "five"))
		juliet.gets("four", "five")
		if romeo.settled != romeo.sent || juliet.settled != juliet.sent {
			t.Errorf("%d of %d, %d of %d settled", romeo.settled, romeo.sent, juliet.settled, juliet.sent)
		}
	})
}

// While there is no room, senders are told to try later.
func TestNoRoom(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet", "romeo")
		romeo := b.online("romeo@im.example/garden")
		b.breaks(fmt.Errorf("keep it: %w", account.ErrNoRoom))
		romeo.say(message("juliet@im.example", "chat", "1", "one"))
		romeo.gets("id='1'…type='wait'…resource-constraint")
		romeo.say("<presence type='subscribe' to='juliet@im.example'/>")
		romeo.gets("type='wait'…resource-constraint")
		romeo.say("<iq type='set' id='r'><query xmlns='jabber:iq:roster'><item jid='juliet@im.example'/></query></iq>")
		romeo.gets("id='r'…type='wait'…resource-constraint")
		b.breaks(nil)
		romeo.say(message("juliet@im.example", "chat", "2", "two"))
		juliet := b.login("juliet@im.example/balcony")
		juliet.say("<presence/>")
		juliet.gets("<presence", "two")
	})
}

// shy is a store that does not answer so many times.
type shy struct {
	offline.Store
	fails int
}

// OfflineAfter is offline.Store.
func (s *shy) OfflineAfter(ctx context.Context, owner jid.JID, after uint64) ([]offline.Entry, error) {
	if s.fails--; s.fails >= 0 {
		return nil, errors.New("busy")
	}
	return s.Store.OfflineAfter(ctx, owner, after)
}

// A client that takes messages again between two that come together gets the first of them first.
func TestNothingOvertakesWhatWasToWait(t *testing.T) {
	bubble(t, func(t *testing.T) {
		store, held := &shy{}, make(chan struct{})
		f := server.Feature{Name: "slow", Comes: func(_ context.Context, p *server.Passing) error {
			if p.Stanza.ID() == "0" {
				<-held
			}
			return nil
		}}
		b := newBed(t, func(c *server.Config) {
			store.Store, c.Offline = c.Offline, store
			c.Features = append(c.Features, f)
		}, "juliet", "romeo")
		romeo, juliet := b.online("romeo@im.example/garden"), b.login("juliet@im.example/balcony")
		store.fails = 3 // when she comes, and when the first two are looked at
		juliet.say("<presence/>")
		for _, id := range []string{"0", "1", "2"} {
			romeo.say(message("juliet@im.example", "chat", id, "m"+id))
		}
		close(held)
		juliet.gets("<presence", "m0", "m1", "m2")
	})
}

// What a client acknowledges while the store does not answer is not given to it, or to another, when it does again.
func TestWhatIsAcknowledgedWhileTheStoreDoesNotAnswer(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet", "romeo")
		romeo := b.online("romeo@im.example/garden")
		for _, body := range []string{"one", "two"} {
			romeo.say(message("juliet@im.example", "chat", body, body))
		}
		juliet := b.managed("juliet@im.example/balcony")
		juliet.say("<presence/>")
		juliet.gets("<presence", "one", "two")
		b.breaks(errors.New("no database"))
		juliet.ack()
		juliet.say("<presence><priority>-1</priority></presence>")
		b.breaks(nil)
		romeo.say(message("juliet@im.example", "chat", "three", "three"))
		juliet.say("<presence><priority>1</priority></presence>")
		juliet.gets("<priority>-1", "<priority>1", "three")
		b.breaks(errors.New("no database"))
		juliet.ack()
		b.breaks(nil)
		juliet.lose()
		juliet = b.managed("juliet@im.example/chamber")
		juliet.say("<presence/>")
		juliet.gets("<presence")
		if n := b.waiting("juliet@im.example"); n != 0 {
			t.Errorf("%d are still kept", n)
		}
	})
}
