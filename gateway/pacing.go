package gateway

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"sallyport/gateway/audit"
	"sallyport/gateway/delivery"
	"sallyport/gateway/spool"
	"sallyport/gateway/thin"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/peering"
)

// paced is where presence waits for its time. No peer has such a name. All of it is in the lowest lane there, whatever its
// precedence: what somebody said last must be known to be the last.
const paced = " (paced)"

// peerOf is the peer that a queue of the spool is for.
func peerOf(queue string) string { return strings.TrimSuffix(strings.TrimSuffix(queue, aside), paced) }

// pacedEntry is a presence that waits.
type pacedEntry struct {
	spool.Entry
	stanza   stanza.Stanza // as it would leave
	from, to jid.JID
	class    spool.Class
	leaving  bool // it has to wait no longer
}

// pacedToken is the name of whoever paces, to the spool.
const pacedToken = "pacing"

// paces reports whether a stanza goes by way of what waits.
func (t *thinner) paces(s stanza.Stanza) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.opts.Presence == thin.Whole && !t.draining {
		return false
	}
	return thin.Paced(s) || s.Type() == stanza.PresenceProbe && s.To().IsBare()
}

func (t *thinner) wakeUp() {
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// start begins, once there is a spool. Caller holds depot.mu.
func (t *thinner) start() {
	t.mu.Lock()
	running := t.running
	t.running = true
	t.mu.Unlock()
	if !running {
		t.d.background.Go(t.run)
	}
}

// run ends when sending ends.
func (t *thinner) run() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-t.d.quit:
			return
		case <-t.wake:
		case <-timer.C:
		}
		t.takeIn()
		if !t.carryOut() {
			return
		}
		timer.Reset(t.moveOut())
	}
}

// takenAtOnce bounds what is taken from the spool before it is dealt with.
const takenAtOnce = 256

// takeIn takes what came into the queue of what waits, and what has waited long enough.
func (t *thinner) takeIn() {
	d := t.d
	for n := 0; ; n++ {
		if n == takenAtOnce {
			t.wakeUp()
			return
		}
		t.mu.Lock()
		t.outs = t.presence.Due(t.outs, d.g.now())
		t.mu.Unlock()
		e, ok := d.store().NextIn(t.peer+paced, spool.Routine, pacedToken, d.g.now())
		if !ok {
			break
		}
		v, err := d.g.engine.RejudgeFor(e.Stored, nil, "")
		r, released := v.Released()
		switch {
		case err != nil:
			d.ends.addNow(conclusion{entry: e, how: spool.Damaged, why: err})
			continue
		case !released || v.ToPeer != t.peer:
			d.ends.addNow(conclusion{entry: e, how: spool.Refused, verdict: &v})
			continue
		}
		t.put(&e, &v, &r)
	}
	t.mu.Lock()
	if t.draining && len(t.entries) == 0 && t.opts.Presence == thin.Whole {
		t.draining = false
	}
	t.mu.Unlock()
}

func (t *thinner) put(e *spool.Entry, v *peering.Verdict, r *peering.Released) {
	class := t.d.class(v, r.Stanza())
	from, to := v.Addresses()
	t.mu.Lock()
	defer t.mu.Unlock()
	s, _, _ := thin.Strip(t.opts, r.Stanza())
	e.Stored = nil // the spool has it
	t.entries[uint64(e.Number)] = &pacedEntry{Entry: *e, stanza: s, from: from, to: to, class: class}
	t.outs = t.presence.Put(t.outs, t.d.g.now(), uint64(e.Number), s)
}

// carryOut ends what is dropped, with a record before, and sends what goes out on its way, in their order: should the power fail in
// between, nothing older is left of what was sent. False when nothing can be recorded.
func (t *thinner) carryOut() bool {
	t.mu.Lock()
	outs := t.outs
	t.outs = nil
	t.mu.Unlock()
	if err := t.recordDropped(outs); err != nil {
		t.d.g.auditDown(err)
		return false
	}
	for _, o := range outs {
		t.mu.Lock()
		e := t.entries[o.Token]
		if e == nil || e.leaving {
			t.mu.Unlock()
			continue
		}
		if o.Fate == thin.Sent {
			e.leaving = true
			t.outbox = append(t.outbox, o.Token)
			t.mu.Unlock()
			continue
		}
		delete(t.entries, o.Token)
		if o.Reason != thin.PresenceSuperseded { // nothing newer made it needless
			t.d.g.counters.Folded.Add(1)
		}
		t.stats.Spare(o.Reason, o.Bytes)
		t.spare("", uint64(max(o.Bytes, 0))) //nolint:gosec // a length
		t.mu.Unlock()
		t.d.mark(t.d.mine, spool.Number(o.Token))
		_ = t.d.store().Done(spool.Number(o.Token), spool.Superseded) // fails only when the spool has stopped, or it is ended
	}
	return true
}

// recordDropped waits until the records are durable.
func (t *thinner) recordDropped(outs []thin.Out) error {
	var all sync.WaitGroup
	var last failure
	for _, o := range outs {
		t.mu.Lock()
		e := t.entries[o.Token]
		t.mu.Unlock()
		if o.Fate == thin.Sent || e == nil || e.leaving {
			continue
		}
		g := t.d.g
		rec := audit.Record{
			Kind: audit.Settlement, Outcome: delivery.Superseded.String(), Reason: o.Reason.String(), ToPeer: t.peer, Time: g.now(), Node: g.node,
			Serial: uint64(e.Number), Size: uint64(max(e.Bytes, 0)), From: e.from.String(), To: e.to.String(),
		}
		describeStanza(&rec, e.stanza, nil, &xmlstream.Written{})
		all.Add(1)
		if _, err := g.audit.Append(&rec, recordedDrop{&all, &last}, 0); err != nil {
			return err
		}
	}
	all.Wait()
	return last.err
}

type failure struct {
	mu  sync.Mutex
	err error
}

type recordedDrop struct {
	all  *sync.WaitGroup
	last *failure
}

// Durable implements audit.Committed.
func (r recordedDrop) Durable(_, _ uint64, err error) {
	r.last.mu.Lock()
	r.last.err = errors.Join(r.last.err, err)
	r.last.mu.Unlock()
	r.all.Done()
}

// moveOut moves what has to wait no longer, and says when to look again.
func (t *thinner) moveOut() time.Duration {
	wait := time.Minute
	if !t.flush() {
		wait = retryFull
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if next := t.presence.Next(); !next.IsZero() {
		wait = min(wait, max(next.Sub(t.d.g.now()), time.Millisecond))
	}
	return wait
}

// flush moves what is in the outbox into the queue of the peer. False when it has to be tried again.
func (t *thinner) flush() bool {
	for {
		t.mu.Lock()
		if len(t.failed) > 0 {
			if t.moving == 0 {
				t.outbox = append(t.failed, t.outbox...)
				t.failed = nil
			}
			t.mu.Unlock()
			return false
		}
		if len(t.outbox) == 0 {
			t.mu.Unlock()
			return true
		}
		number := t.outbox[0]
		e := t.entries[number]
		t.mu.Unlock()
		if e == nil {
			t.mu.Lock()
			t.outbox = t.outbox[1:]
			t.mu.Unlock()
			continue
		}
		if !t.move(number, e) {
			return false
		}
	}
}

// move moves one entry. Until that is durable it stays where it is.
func (t *thinner) move(number uint64, e *pacedEntry) bool {
	s := t.d.store()
	stored, err := s.Stored(e.Number)
	if errors.Is(err, spool.ErrUnknown) { // somebody has ended it
		t.mu.Lock()
		t.outbox = t.outbox[1:]
		delete(t.entries, number)
		t.presence.Lost(e.stanza)
		t.mu.Unlock()
		return true
	}
	if err != nil {
		return false
	}
	goes := e.Entry
	goes.Stored, goes.Class, goes.Latest = stored, e.class, latest(e.stanza)
	t.mu.Lock()
	t.outbox = t.outbox[1:]
	t.moving++
	t.mu.Unlock()
	err = t.d.move(&goes, t.peer, func(_ spool.Number, err error) { t.moved(number, err) })
	if err != nil {
		t.moved(number, err)
	}
	return err == nil
}

// moved is told that one is in the queue of the peer, or why it is not.
func (t *thinner) moved(number uint64, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.moving--
	if err != nil {
		t.failed = append(t.failed, number)
		slices.Sort(t.failed)
	} else {
		delete(t.entries, number)
	}
	t.wakeUp()
}
