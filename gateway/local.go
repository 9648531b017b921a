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
	taken room          // in all
	known room          // of back, when somebody looked
	more  chan struct{} // closed when there is more; nil while nobody waits
	ended bool

	waiting atomic.Bool // more is there
	_       [64]byte    // apart from what other processors write, see Counters
	back    struct{ stanzas, bytes atomic.Int64 }
}

// room is for stanzas.
type room struct{ stanzas, bytes int }

var _ links.Outlet = (*local)(nil)

func newLocal(to delivers, stanzas, bytes int) *local {
	return &local{to: to, stanzas: stanzas, bytes: bytes}
}

// Reserve implements links.Outlet. One stanza always has room where there is nothing else.
func (l *local) Reserve(ctx context.Context, _, _ jid.JID, bytes int) error {
	var patience <-chan time.Time
	for {
		more, err := l.take(bytes)
		if more == nil {
			return err
		}
		if patience == nil {
			t := time.NewTimer(localPatience)
			defer t.Stop()
			patience = t.C
		}
		select {
		case <-more:
		case <-patience:
			return context.DeadlineExceeded
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// take takes room, or says when to look again.
func (l *local) take(bytes int) (more <-chan struct{}, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		return nil, links.ErrClosed
	}
	if !l.fits(bytes) {
		if l.more == nil {
			l.more = make(chan struct{})
			l.waiting.Store(true)
		}
		if l.look(); !l.fits(bytes) { // after waiting was said: who gives back from now on tells
			return l.more, nil
		}
	}
	l.taken.stanzas++
	l.taken.bytes += bytes
	return nil, nil
}

// fits goes by what was known: there may be more room, never less.
func (l *local) fits(bytes int) bool {
	held := l.taken.stanzas - l.known.stanzas
	return held == 0 || held < l.stanzas && l.taken.bytes-l.known.bytes+bytes <= l.bytes
}

// look learns what was given back.
func (l *local) look() {
	l.known.stanzas = int(l.back.stanzas.Load())
	l.known.bytes = int(l.back.bytes.Load())
}

// Unreserve gives back the room of a Reserve that no Deliver will follow.
func (l *local) Unreserve(bytes int) {
	l.back.bytes.Add(int64(bytes))
	l.back.stanzas.Add(1)
	if l.waiting.Load() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.tell()
	}
}

// tell has who waits look again.
func (l *local) tell() {
	if l.more != nil {
		close(l.more)
		l.more = nil
		l.waiting.Store(false)
	}
}

// close lets nobody in any more. What has room is delivered all the same.
func (l *local) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	l.tell()
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
