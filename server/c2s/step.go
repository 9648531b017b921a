package c2s

import (
	"time"

	"go.uber.org/zap"

	"sallyport/internal/sasl"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stream"
	"sallyport/internal/xmpp/xmlstream"
)

// step is feed for all but the reader, who looks after what is left to do by itself.
func (l *link) step(in stream.Input) {
	l.feed(in)
	l.push()
	signal(l.poke)
}

// feed gives the machine one input and carries out what follows, or leaves it to the reader.
func (l *link) feed(in stream.Input) {
	l.mu.Lock()
	l.follow(l.m.Step(time.Now(), in))
}

// take is feed for what comes most often: a stanza that is only to be handed up. If it was not taken nothing happened. With more, others can
// be taken before those that wait are handed up.
func (l *link) take(now time.Time, ev *xmlstream.Event) (taken, more bool) {
	if ev.Kind != xmlstream.ElementEvent {
		return false, false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	a, ok := l.m.Receive(now, ev.Element, ev.Bytes)
	if !ok {
		return false, false
	}
	l.hold(a)
	return true, len(l.arrivals.list) < maxArrivals
}

// hold keeps a stanza until it is handed up; mu is held.
func (l *link) hold(a stream.Arrival) {
	if l.arrivals == nil {
		l.arrivals = someArrivals.Get().(*arrivals)
	}
	l.arrivals.list = append(l.arrivals.list, a)
}

// follow carries out what follows from a step, and gives mu back.
func (l *link) follow(outs []stream.Output) {
	was := l.released
	l.carryOut(outs)
	free := l.released != was
	l.arm()
	l.mu.Unlock()
	if free {
		l.server.release(l.addr)
	}
}

// carryOut is called with mu held.
func (l *link) carryOut(outs []stream.Output) {
	for _, o := range outs {
		switch o := o.(type) {
		case stream.Write:
			l.append(o.Data)
		case stream.Ping:
			l.pings++
		case stream.StartTLS:
			l.startTLS = true
		case stream.Compress:
			l.compress = true
		case stream.RestartDecoder: // only ever for what the reader has just given
			l.pipe.restart(o.Limits)
		case stream.SetLimits:
			l.pipe.limit(o.Limits)
		case stream.LookUp, stream.BindWanted, stream.TokenWanted, stream.ResumeWanted, stream.RegisterWanted:
			l.asks = append(l.asks, o)
		case stream.Deliver:
			l.hold(o.Arrival)
		case stream.SessionReturned:
			l.returned = o.Session
		case stream.Closed:
			l.closed = &o
			l.pipe.interrupt() // the reader has nothing to wait for any more
		default:
			l.tell(o)
		}
	}
	if !l.listed && l.m.Managed() {
		l.listed = true
		if id := l.m.Session().ID(); id != "" {
			l.server.park.list(l.of, id)
		}
	}
}

// tell is for what others want to know.
func (l *link) tell(o stream.Output) {
	switch o := o.(type) {
	case stream.Authenticated:
		l.released = true
		l.outcome(LoggedIn, o.Account, o.Mechanism)
		if o.Token != "" && l.server.cfg.Tokens != nil {
			l.asks = append(l.asks, o)
		}
	case stream.ClientReady:
		address := o.Address
		l.of.address.Store(&address)
		l.ready = true
	case stream.Resumed:
		l.note(Resumed, l.of.Address(), "")
	case stream.Fact:
		l.fact(o)
		return
	default: // its state, what it acknowledged or never will
	}
	l.server.cfg.Sessions.Event(l.of, o)
}

// maxFacts is how many lines one connection gets in the log: somebody who has not even logged in could fill the disk with them. The audit
// counts all, one line a minute.
const maxFacts = 20

// fact is for log and audit; mu is held.
func (l *link) fact(o stream.Fact) {
	if o.Kind == stream.FactResume && l.nobodys { // as every client does after a restart, or when it comes too late
		l.nobodys = false
		return
	}
	who := o.Remote.Bare()
	if who.IsZero() {
		who = l.asked
	}
	if l.facts++; l.facts <= maxFacts {
		l.server.cfg.Log.Warn("trouble with a client", zap.Stringer("fact", o.Kind), zap.String("detail", o.Detail),
			zap.Stringer("account", who), zap.Stringer("address", l.addr))
	}
	detail := o.Kind.String() + ": " + o.Detail
	switch o.Kind {
	case stream.FactAuthFailed:
		if o.Detail != sasl.TemporaryAuthFailure.String() { // that says nothing of the client
			l.outcome(LoginFailed, o.Remote, detail)
		}
	case stream.FactDowngrade:
		l.outcome(Downgraded, o.Remote, detail)
	case stream.FactMalformed: // the stream ends by it, and the audit is told of that
		l.ill = true
	default:
		l.note(Hostile, o.Remote, detail)
	}
}

func (l *link) note(w What, account jid.JID, detail string) {
	l.server.note(Observation{What: w, From: l.addr, Account: account.Bare(), Detail: detail})
}

// append puts one element behind what is to be written; mu is held.
func (l *link) append(data []byte) {
	if l.out == nil {
		l.out = spare()
	}
	l.out.data = append(l.out.data, data...)
	l.out.ends = append(l.out.ends, len(l.out.data))
	if l.taken != nil {
		l.taken.written++
	}
}

// writable reports whether there is something to write that need not wait for a handshake; mu is held.
func (l *link) writable() bool { return (l.out != nil || l.pings > 0) && !l.startTLS }

// send is Session.Send on this connection.
func (l *link) send(e *xmlstream.Element, form *xmlstream.Written, token uint64) stream.Verdict {
	own := spare()
	defer own.free()
	data, err := l.m.AppendWritten(own.data, e, form) // reads only what never changes
	if err != nil {
		return stream.SendTooBig
	}
	own.data = data
	l.mu.Lock()
	v := l.queue(data, stream.Item{Element: e, Bytes: len(data), Token: token})
	start := l.starts()
	l.mu.Unlock()
	if start {
		l.server.spawn(l.write)
	}
	return v
}

// queue puts a stanza behind what is to be written; mu is held.
func (l *link) queue(data []byte, it stream.Item) stream.Verdict {
	if l.out != nil && len(l.out.data)+len(data) > maxQueued {
		return stream.SendFull
	}
	if kept := l.waiting(); kept != nil { // the reader has not parked it yet
		return kept.Keep(time.Now(), it).Verdict
	}
	r := l.m.Send(time.Now(), it)
	if r.Verdict == stream.SendNow {
		l.append(data)
		if l.taken != nil && !l.m.Managed() {
			l.taken.waiting = append(l.taken.waiting, receipt{l.taken.written, it})
		}
	}
	if r.AskAck {
		l.append(l.m.AppendAckRequest(nil))
	}
	if l.m.Managed() { // else it only moves what is due
		l.arm()
	}
	return r.Verdict
}

// waiting is the session that the end of this connection has left to be resumed; mu is held.
func (l *link) waiting() *stream.Session {
	switch {
	case l.closed == nil:
		return nil
	case l.closed.Resume != nil:
		return l.closed.Resume
	}
	return l.returned
}

// leave gives out what is left when the connection has ended.
func (l *link) leave() (stream.Closed, *stream.Session) {
	l.mu.Lock()
	defer l.mu.Unlock()
	end, kept := *l.closed, l.waiting()
	if kept != nil {
		l.unreceived()
	} else {
		end.Unconfirmed = append(end.Unconfirmed, l.taken.rest()...)
	}
	l.returned, l.closed.Resume = nil, nil
	return end, kept
}

// session is that of the machine, or the one it has left behind.
func (l *link) session() *stream.Session {
	l.mu.Lock()
	defer l.mu.Unlock()
	if kept := l.waiting(); kept != nil {
		return kept
	}
	return l.m.Session()
}

func (l *link) mayResume(s *stream.Session) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.m.MayResume(s)
}

// detach takes the session away from a connection that somebody comes back from; nil: there is none.
func (l *link) detach() *stream.Session {
	l.mu.Lock()
	defer l.push()
	defer l.mu.Unlock()
	if kept := l.waiting(); kept != nil {
		l.returned, l.closed.Resume = nil, nil
		return kept
	}
	l.unreceived()
	kept, outs := l.m.Detach(time.Now())
	l.carryOut(outs)
	return kept
}

// adopt makes this the connection of an older session.
func (l *link) adopt(x *Session, found stream.SessionFound) {
	l.mu.Lock()
	l.of, l.listed = x, true
	l.mu.Unlock()
	l.feed(found)
}

// arm sets the timer to what the machine wants; mu is held. Ticks that come early are harmless.
func (l *link) arm() {
	at := l.m.Deadline()
	if at.IsZero() || !l.due.IsZero() && !at.Before(l.due) {
		return
	}
	l.due = at
	l.timer.Reset(time.Until(at))
}

func (l *link) tick() {
	l.mu.Lock()
	l.due = time.Time{}
	l.mu.Unlock()
	l.step(stream.Tick{})
}

func (l *link) stopTimer() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.timer.Stop()
}

// push has somebody write what there is.
func (l *link) push() {
	l.mu.Lock()
	start := l.starts()
	l.mu.Unlock()
	if start {
		l.server.spawn(l.write)
	}
}

// starts: there is something to write and nobody does, so that the caller has somebody do it; mu is held.
func (l *link) starts() bool {
	if l.writing || !l.writable() {
		return false
	}
	l.writing = true
	return true
}

// write writes until nothing is left.
func (l *link) write() {
	for {
		l.flush()
		l.mu.Lock()
		if !l.writable() {
			l.writing = false
			l.mu.Unlock()
			return
		}
		l.mu.Unlock()
	}
}

// flush writes what there is. While a handshake is due nothing is written that was not before it.
func (l *link) flush() {
	l.wmu.Lock()
	defer l.wmu.Unlock()
	l.mu.Lock()
	out, pings := l.out, l.pings
	l.out, l.pings = nil, 0
	l.mu.Unlock()
	if pings > 0 {
		l.pipe.ping()
	}
	if out == nil {
		return
	}
	err := l.pipe.write(out.data, out.ends)
	out.free()
	if err != nil {
		l.step(stream.Lost{Cause: cause(err)})
	}
}

// hangUp says the last words and closes.
func (l *link) hangUp() {
	l.flush()
	end := stream.Closed{}
	if c := l.end(); c != nil {
		end = *c
	}
	l.wmu.Lock()
	defer l.wmu.Unlock()
	l.pipe.hangUp(end)
}
