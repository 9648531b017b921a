package dtls

import (
	"context"
	"errors"
	"time"

	"sallyport/links"
	"sallyport/links/custody"
	"sallyport/links/x2x"
)

const (
	// writeBytes is how much of a stream goes into one message.
	writeBytes = 16 << 10
	// lookAgain is how often a writer looks whether its reader is held up: nobody wakes it then.
	lookAgain = 5 * time.Second
)

// write gives the stream receipts, consignments and time, and sends what comes of it, until it is over.
func (st *strand) write() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	a := st.session.a
	for {
		out, next, more, end := st.turn(time.Now())
		st.send(out, end != nil)
		st.session.overhead(time.Now())
		switch {
		case end != nil:
			st.session.strandOver(end)
			return
		case more && a.Err() == nil:
			continue
		}
		wait := lookAgain
		if !next.IsZero() {
			wait = min(wait, max(time.Until(next), 0))
		}
		timer.Reset(wait)
		select {
		case <-st.wakeup:
		case <-timer.C:
		case <-a.ended:
			return
		}
	}
}

// send gives bytes to the lane; last words wait for room only so long.
func (st *strand) send(out []byte, last bool) {
	l := st.session.link
	ctx := l.ctx
	if last {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, lingerTime+2*l.profile.RoundTrip)
		defer stop()
	}
	for len(out) > 0 {
		n := min(len(out), writeBytes)
		if st.session.a.Send(ctx, st.lane, out[:n]) != nil {
			return // the reader will hear of it, too
		}
		st.session.said.Add(uint64(n)) //nolint:gosec // a length
		out = out[n:]
	}
}

// turn does what is due, and returns what is to be sent, when to look again, whether there is more at once, and the end when it has come.
func (st *strand) turn(now time.Time) (out []byte, next time.Time, more bool, end *x2x.Event) {
	var refused []refusal
	st.mu.Lock()
	st.settle(now)
	if st.session.closing.Load() {
		st.stream.Close(now)
	} else {
		refused, more = st.fill(now)
	}
	if d := st.stream.Deadline(); !d.IsZero() && !now.Before(d) {
		st.stream.Tick(now)
	}
	out, next = st.stream.Output(nil), st.stream.Deadline()
	var done []links.Consignment
	e, timed := st.stream.Timed()
	if timed {
		done = st.collect(&e)
		more = true
	}
	roomy := !st.stream.Paused()
	end = st.end
	st.mu.Unlock()
	if roomy {
		select {
		case st.roomy <- struct{}{}:
		default:
		}
	}
	for _, r := range refused {
		r.c.Reporter.Report(r.c.Token, r.d, r.cause)
	}
	if timed {
		st.handle(now, e, done)
	}
	return out, next, more, end
}

// settle gives the receipts to the stream, and tells it whether its silence is ours. Caller holds mu.
func (st *strand) settle(now time.Time) {
	st.qmu.Lock()
	receipts := st.receipts
	st.receipts = nil
	st.qmu.Unlock()
	for _, seq := range receipts {
		st.stream.Settled(now, seq)
	}
	if h := st.held.Load(); h != 0 {
		st.stream.Busy(time.Unix(0, h))
	} else {
		st.stream.Busy(time.Time{})
	}
}

// refusal is a consignment that the stream did not take for good.
type refusal struct {
	c     links.Consignment
	d     links.Disposition
	cause error
}

// fill encodes from the queue, a message at a time. Caller holds mu.
func (st *strand) fill(now time.Time) (refused []refusal, more bool) {
	l := st.session.link
	defer st.compressed()
	for st.stream.Pending() < writeBytes {
		w, ok := st.head()
		if !ok {
			return refused, false
		}
		d, cause, later := st.give(now, w.Consignment)
		if later {
			return refused, false
		}
		st.qmu.Lock()
		st.queue[0] = waiting{}
		st.queue = st.queue[1:]
		st.qmu.Unlock()
		l.tell(func() {
			l.free()
			if d == links.Unknown {
				l.traffic.StanzasOut++
			}
		})
		if d != links.Unknown {
			refused = append(refused, refusal{w.Consignment, d, cause})
		}
	}
	return refused, true
}

// head is the first of the queue. Only the writer takes it off.
func (st *strand) head() (w waiting, ok bool) {
	st.qmu.Lock()
	defer st.qmu.Unlock()
	if len(st.queue) == 0 {
		return w, false
	}
	return st.queue[0], true
}

// compressed counts what compression saved. Caller holds mu.
func (st *strand) compressed() {
	plain, saved := st.stream.Saved()
	if plain == st.plain {
		return
	}
	l := st.session.link
	l.tell(func() {
		l.traffic.Plain += plain - st.plain
		l.traffic.Saved += saved - st.saved
	})
	st.plain, st.saved = plain, saved
}

// give puts one consignment into the stream; later says that it has to wait. Caller holds mu.
func (st *strand) give(now time.Time, c links.Consignment) (d links.Disposition, cause error, later bool) {
	if e := c.Released.Expires(); !e.IsZero() && !now.Before(e) {
		return links.Expired, links.ErrExpired, false
	}
	list, err := x2x.List(st.session.link.cfg.Name, &c)
	if err != nil {
		return links.Failed, err, false
	}
	st.token++
	v, err := st.stream.Send(now, x2x.Item{Element: c.Released.Element(), Also: list, Token: st.token, Frame: c.Frame})
	switch {
	case v == custody.Transmit:
		st.flight[st.token] = c
		st.session.stanza(now)
		return links.Unknown, nil, false
	case v == custody.Already:
		return links.Delivered, nil, false
	case v == custody.Full || errors.Is(err, x2x.ErrNotRunning):
		return links.Unknown, nil, true
	case errors.Is(err, links.ErrNoCustody):
		return links.Returned, err, false
	}
	return links.Failed, err, false
}
