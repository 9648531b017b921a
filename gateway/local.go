package gateway

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/links"
	"sallyport/peering"
	"sallyport/server"
)

// localPatience is how long Reserve waits for room.
const localPatience = 30 * time.Second

// delivers is what takes what was released to the users of this node; *server.Server is one. It does not block.
type delivers interface {
	Deliver(r peering.Released, done server.Delivered)
}

// rewrites is delivers for who can use what has been written of a stanza already.
type rewrites interface {
	DeliverWritten(r peering.Released, form *xmlstream.Written, done server.Delivered)
}

var _ rewrites = (*server.Server)(nil)

// local is the way to the server of this node, as a link is the way to a neighbour. Room is counted for all users together: the server
// reports when something is durable, or written to whom it was for, and never waits for a client that does not read.
type local struct {
	to      delivers
	stanzas int // that may wait
	bytes   int

	mu    sync.Mutex
	held  int // stanzas for which room was taken
	size  int
	room  chan struct{} // closed and replaced when there is more; nil while nobody waits
	ended bool
}

var _ links.Outlet = (*local)(nil)

func newLocal(to delivers, stanzas, bytes int) *local {
	return &local{to: to, stanzas: stanzas, bytes: bytes}
}

// Reserve implements links.Outlet. One stanza always has room where there is nothing else.
func (l *local) Reserve(ctx context.Context, _, _ jid.JID, bytes int) error {
	var patience <-chan time.Time
	for {
		l.mu.Lock()
		switch {
		case l.ended:
			l.mu.Unlock()
			return links.ErrClosed
		case l.held == 0 || l.held < l.stanzas && l.size+bytes <= l.bytes:
			l.held++
			l.size += bytes
			l.mu.Unlock()
			return nil
		}
		if l.room == nil {
			l.room = make(chan struct{})
		}
		room := l.room
		l.mu.Unlock()
		if patience == nil {
			t := time.NewTimer(localPatience)
			defer t.Stop()
			patience = t.C
		}
		select {
		case <-room:
		case <-patience:
			return context.DeadlineExceeded
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Unreserve gives back the room of a Reserve that no Deliver will follow.
func (l *local) Unreserve(bytes int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held--
	l.size -= bytes
	if l.room != nil {
		close(l.room)
		l.room = nil
	}
}

// close lets nobody in any more. What has room is delivered all the same.
func (l *local) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	if l.room != nil {
		close(l.room)
		l.room = nil
	}
}

// declined is an error of the server with the condition that the sender is told: what does not say one is a fault of ours.
func declined(err error) error {
	var b *server.Bounce
	if errors.As(err, &b) {
		return err
	}
	return &server.Bounce{Condition: stanza.InternalServerError, Cause: err}
}

// Deliver implements links.Outlet. Token is the number of bytes that were reserved.
func (l *local) Deliver(c links.Consignment) {
	if err := c.Released.Check(linkLocal, c.Released.Remote()); err != nil {
		l.Unreserve(int(c.Token))
		c.Reporter.Report(c.Token, links.Failed, errors.Join(links.ErrRefused, err))
		return
	}
	d := &delivering{local: l, token: c.Token, reporter: c.Reporter}
	if to, ok := l.to.(rewrites); ok {
		to.DeliverWritten(c.Released, c.Written, d.done)
		return
	}
	l.to.Deliver(c.Released, d.done)
}

// delivering is a stanza that the server has, until it says what became of it.
type delivering struct {
	local    *local
	token    uint64
	reporter links.Reporter
	over     atomic.Bool
}

func (d *delivering) done(err error) {
	if d.over.Swap(true) {
		return
	}
	d.local.Unreserve(int(d.token))
	if err != nil {
		d.reporter.Report(d.token, links.Failed, declined(err))
		return
	}
	d.reporter.Report(d.token, links.Delivered, nil)
}
