package gateway

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"sallyport/gateway/spool"
	"sallyport/gateway/thin"
	"sallyport/internal/xmpp/stanza"
	"sallyport/peering"
)

// store encodes what the flight carries, for the spool.
func (f *flight) store(a *peering.Arrival, class spool.Class) (err error) {
	f.class = class
	f.stored, err = peering.AppendArrival(nil, a)
	return err
}

// admit is reserve for peers that are sent to from the spool: is there room in it.
func (d *depot) admit(ctx context.Context, f *flight, a *peering.Arrival, r *peering.Released) {
	if d.needless(f, r) {
		return
	}
	err := f.store(a, d.class(&f.verdict, r.Stanza()))
	if err == nil {
		err = d.room(ctx, r.Peer(), f.class, len(f.stored))
	}
	if err == nil {
		f.keep = true
		return
	}
	f.cause = peering.Undelivered
	if errors.Is(err, spool.ErrFull) {
		f.cause = peering.Overloaded
	}
	if times, ok := d.g.throttle.Allow(d.g.now(), "no room in the spool for "+r.Peer()); ok {
		d.g.log.Warn("no room in the spool, stanzas are bounced", zap.String("peer", r.Peer()), zap.Uint32("times", times), zap.Error(err))
	}
}

// needless reports whether nothing of a release is worth sending on. Its decision is recorded as folded.
func (d *depot) needless(f *flight, r *peering.Released) bool {
	t := d.thinner(r.Peer())
	if t == nil {
		return false
	}
	f.folded = t.needless(r.Stanza())
	f.keep = f.folded != thin.NoReason
	return f.keep
}

// fold ends what is not worth sending.
func (d *depot) fold(f *flight) {
	d.g.counters.Superseded.Add(1)
	d.g.counters.Folded.Add(1)
	if f.mark != nil {
		d.refused(f)
		return
	}
	f.land()
}

// keep puts a release whose record is durable into the spool. Its sender hears that we have it when that is on disk.
func (d *depot) keep(f *flight, r *peering.Released) {
	if f.folded != thin.NoReason {
		d.fold(f)
		return
	}
	if f.copies != nil {
		f.copies.add(f, true, nil)
		return
	}
	e := d.entry(f, r)
	d.g.counters.Queued.Add(1)
	try := func(done func(error)) {
		if err := d.store().Append(e, func(_ spool.Number, err error) { done(err) }); err != nil {
			done(err)
		}
	}
	after := func(err error) { d.stored(f, err) }
	if f.mark != nil {
		d.commit(f.mark, job{try, after})
		return
	}
	try(after)
}

// entry is what is kept of a release.
func (d *depot) entry(f *flight, r *peering.Released) spool.Entry {
	s := r.Stanza()
	e := spool.Entry{
		Peer: r.Peer(), Class: f.class, Local: r.Local(), Remote: r.Remote(), To: r.To(), Kind: s.Kind(),
		Conversation: conversationOf(r.From(), r.To()), Stored: f.stored, Bytes: f.in.Bytes, Accepted: f.in.Time,
		Expires: expires(d.g.active(), f.class, f.in.Time, r.Expires()), Mark: f.mark, Latest: latest(s),
	}
	if t := d.thinner(r.Peer()); t != nil && t.paces(s) {
		e.Peer, e.Class, e.Latest = e.Peer+paced, spool.Routine, spool.Key{}
	}
	if e.Copy = d.copyKey(f, r); e.Copy != (spool.Key{}) {
		e.To = f.in.Stanza.To() // under which it is judged again
	}
	return e
}

// latest names what a newer presence makes needless: that of the same person to the same person, unless it is about a room.
func latest(s stanza.Stanza) spool.Key {
	switch s.Type() {
	case stanza.PresenceAvailable, stanza.PresenceUnavailable:
	default:
		return spool.Key{}
	}
	for child := range s.Element().Children() {
		if child.Local() == "x" { // of a room: joining, occupants
			return spool.Key{}
		}
	}
	return spool.KeyOf("presence", s.From().String(), s.To().String())
}

// stored is told by the spool that what a flight carried is on disk, or why it is not.
func (d *depot) stored(f *flight, err error) {
	g := d.g
	switch {
	case err == nil:
		if f.mark != nil {
			d.committed(f.mark)
		}
		f.land()
		return
	case errors.Is(err, spool.ErrFull):
		g.counters.Queued.Add(-1)
		g.counters.Bounced.Add(1)
		f.cause = peering.Overloaded
		if r, ok := f.verdict.Released(); ok {
			g.conversations.forget(&f.verdict.Effects, r.Stanza())
		}
		g.bounces.add(f, err)
		return
	case errors.Is(err, spool.ErrRepeated), errors.Is(err, spool.ErrEpoch): // a life of the peer that is over
		g.counters.Queued.Add(-1)
		g.counters.Accepted.Add(-1)
	default: // whether it is on disk is not known: neither acknowledged nor bounced
		g.counters.Queued.Add(-1)
		g.counters.InDoubt.Add(1)
	}
	f.in.Receipt = nil
	f.land()
}

// keepReply puts an error for somebody behind a peer of the spool into it. With mark it is also what a stanza under custody became,
// so that it is acknowledged when its answer is safe. ends are entries that the error is about. land is called once.
func (d *depot) keepReply(r *peering.Released, mark *spool.Mark, ends []spool.End, land func(error)) {
	stored, err := peering.StoreReply(r)
	if err != nil {
		land(err)
		return
	}
	now := d.g.now()
	s := r.Stanza()
	e := spool.Entry{
		Peer: r.Peer(), Class: spool.Routine, Local: r.Local(), Remote: r.Remote(), To: r.To(), Kind: s.Kind(),
		Conversation: conversationOf(r.From(), r.To()) | replyBit, Stored: stored, Accepted: now,
		Expires: expires(d.g.active(), spool.Routine, now, time.Time{}), Mark: mark, Ends: ends,
	}
	if err := d.store().Append(e, func(_ spool.Number, err error) { land(err) }); err != nil {
		land(err)
	}
}

// answer tells the sender of what came in under custody, or who is behind a peer of the spool, and lands the flight.
func (d *depot) answer(f *flight, reply *peering.Released) {
	if f.copies != nil {
		f.copies.add(f, false, reply)
		return
	}
	try := func(done func(error)) { d.keepReply(reply, f.mark, nil, done) }
	if f.mark == nil {
		try(func(err error) { d.answered(f, err) })
		return
	}
	d.commit(f.mark, job{try, func(err error) {
		if errors.Is(err, spool.ErrEntry) || errors.Is(err, peering.ErrNotReply) { // it cannot be kept; that it was refused can
			d.g.counters.RepliesLost.Add(1)
			d.refused(f)
			return
		}
		d.answered(f, err)
	}})
}

// refused notes that something under custody was refused, and nobody is told.
func (d *depot) refused(f *flight) {
	if f.copies != nil {
		f.copies.add(f, false, nil)
		return
	}
	try := func(done func(error)) {
		if err := d.store().Refused(*f.mark, done); err != nil {
			done(err)
		}
	}
	d.commit(f.mark, job{try, func(err error) { d.answered(f, err) }})
}

// answered is told that an answer is safe, or why it is not.
func (d *depot) answered(f *flight, err error) {
	switch {
	case err == nil && f.mark != nil:
		d.committed(f.mark)
	case err != nil:
		d.g.counters.RepliesLost.Add(1)
		if f.mark != nil || !errors.Is(err, spool.ErrFull) {
			f.in.Receipt = nil // the peer keeps what it sent
		}
	}
	f.land()
}
