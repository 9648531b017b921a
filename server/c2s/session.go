package c2s

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stream"
	"sallyport/internal/xmpp/xmlstream"
)

// atOnce is within what time two connections that resume the same session do so at the same moment: then the first one
// keeps it (bad-inputs D20). Later somebody may have lost that one, too.
const atOnce = time.Second

// Session is what a client has logged in to. It stays the same when the client comes back on another connection
// (XEP-0198 §5). Any goroutine may call its exported methods; none of them calls Sessions back before it returns.
type Session struct {
	server  *Server
	addr    netip.Addr // of its first connection
	address atomic.Pointer[jid.JID]

	mu   sync.Mutex      // before link.mu
	link *link           // the connection; nil while parked, and after the end
	kept *stream.Session // while parked
	end  stream.Closed   // of the connection that was lost
	came time.Time       // when it was last resumed
	over bool            // Closed was told, or will be
	ends *stream.Close   // somebody has ended it: whatever becomes of the connection meanwhile, nobody comes back for it

	// Of the table.
	id    string // under which it can be resumed
	bytes int    // counted while parked
	timer *time.Timer
}

// Address is the full address of the client, zero before a resource is bound.
func (x *Session) Address() jid.JID {
	if a := x.address.Load(); a != nil {
		return *a
	}
	return jid.JID{}
}

// Remote is the network address that the client first came from.
func (x *Session) Remote() netip.Addr { return x.addr }

// Send writes a stanza (in jabber:server) or says why not. It does not wait for the client. SendKept means that the
// client is not there now: the stanza waits for it to resume, and comes out in Closed if it does not.
func (x *Session) Send(e *xmlstream.Element, token uint64) stream.Verdict {
	return x.SendWritten(e, nil, token)
}

// SendWritten is Send where form may hold what has been written of the same element. It is not looked at after the return.
func (x *Session) SendWritten(e *xmlstream.Element, form *xmlstream.Written, token uint64) stream.Verdict {
	x.mu.Lock()
	defer x.mu.Unlock()
	switch {
	case x.link != nil:
		return x.link.send(e, form, token)
	case x.kept == nil:
		return stream.SendClosed
	}
	data, err := xmlstream.AppendElement(nil, e, xmlstream.NSServer)
	if err != nil {
		return stream.SendTooBig
	}
	if !x.server.park.grow(x, len(data)) {
		return stream.SendFull
	}
	return x.kept.Keep(time.Now(), stream.Item{Element: e, Bytes: len(data), Token: token}).Verdict
}

// Settled tells that responsibility for an arrival has passed on.
func (x *Session) Settled(a *stream.Arrival) {
	due := a.Session.Settled(a.Seq)
	x.mu.Lock()
	l := x.link
	x.mu.Unlock()
	if l == nil {
		return
	}
	if due {
		x.server.spawn(func() { l.step(stream.AckDue{}) })
	}
	signal(l.poke)
}

// Close ends the session, with a stream error where in names one. One that waits to be resumed ends at once.
func (x *Session) Close(in stream.Close) {
	x.mu.Lock()
	l := x.link
	x.ends = &in
	if l == nil && x.kept != nil {
		end := x.finish()
		x.server.spawn(func() { x.server.cfg.Sessions.Closed(x, end) })
	}
	x.mu.Unlock()
	if l != nil {
		x.server.spawn(func() { l.step(in) })
	}
}

// finish ends a parked session; x.mu is held.
func (x *Session) finish() stream.Closed {
	end := x.end
	end.Resume, end.Unconfirmed = nil, x.kept.TakeUnacked()
	if x.ends != nil {
		end.Condition, end.Detail = x.ends.Condition, x.ends.Text
	}
	x.kept, x.over = nil, true
	x.server.park.forget(x)
	return end
}

// lost takes the session from a connection that has ended: it is parked, or it is over and end the last word.
func (x *Session) lost(l *link) (end stream.Closed, over bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.link != l {
		return end, false // it has been taken over
	}
	x.link = nil
	end, kept := l.leave()
	if kept == nil {
		x.over = true
		x.server.park.forget(x)
		return end, true
	}
	x.kept, x.end = kept, end
	if x.ends != nil || !x.server.park.put(x, kept) {
		return x.finish(), true
	}
	end.Resume, end.Unconfirmed = kept, nil
	x.server.note(Observation{What: Parked, From: l.addr, Account: x.Address().Bare()})
	x.server.cfg.Sessions.Event(x, end)
	x.timer = time.AfterFunc(kept.Within(), func() { x.expire(kept) })
	return end, false
}

// expire ends a session that nobody has resumed in time.
func (x *Session) expire(kept *stream.Session) {
	x.mu.Lock()
	if x.kept != kept {
		x.mu.Unlock()
		return
	}
	end := x.finish()
	x.mu.Unlock()
	x.server.note(Observation{What: Expired, From: x.addr, Account: x.Address().Bare()})
	x.server.cfg.Sessions.Closed(x, end)
}

// expireNow ends it because others of the account are waiting, too.
func (x *Session) expireNow() {
	x.mu.Lock()
	kept := x.kept
	x.mu.Unlock()
	if kept != nil {
		x.expire(kept)
	}
}

// resume gives the session to a connection that has proved to be of the same account. False: it may not have it, or
// somebody else was faster.
func (x *Session) resume(l *link, id string) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.over || x.ends != nil || x.link == l || x.server.park.find(id) != x {
		return false
	}
	kept := x.kept
	if x.link != nil {
		if time.Since(x.came) < atOnce {
			return false
		}
		kept = x.link.session()
	}
	if !l.mayResume(kept) {
		return false
	}
	if x.link != nil {
		if kept = x.link.detach(); kept == nil {
			return false
		}
	}
	x.server.park.take(x)
	x.kept, x.link, x.came = nil, l, time.Now()
	l.adopt(x, stream.SessionFound{ID: id, Session: kept})
	return true
}
