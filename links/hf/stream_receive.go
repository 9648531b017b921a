package hf

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"sallyport/internal/xmpp/stanza"
	"sallyport/links"
	"sallyport/links/custody"
	"sallyport/links/x2x"
	"sallyport/s5066/sis"
)

// outcome implements machine: what is refused, or of which nobody knows, is sent again.
func (l *streamLine) outcome(now time.Time, id uint64, o outcome) {
	l.now = now
	if !l.done(id) {
		return
	}
	for _, st := range l.lanes {
		f := st.atNode[id]
		if f == nil {
			continue
		}
		delete(st.atNode, id)
		if o.confirmed {
			l.refusals = 0
			st.known = st.known || f.s == st.s
			return
		}
		if f.s == st.s && st.s != nil {
			st.again = append(st.again, f)
		}
		if o.unsent {
			return
		}
		l.refusals++
		l.retryAt = now.Add(min(l.profile.RetryFirst()<<min(l.refusals-1, 10), l.profile.RetryMost()))
		if l.refusals >= maxRefusals {
			l.fail("the node could not deliver: " + o.reason.String())
		}
		return
	}
}

// heard implements machine.
func (l *streamLine) heard(now time.Time, p *sis.UnidataIndication) {
	l.now = now
	c, err := parseChunk(p.Data)
	switch {
	case err != nil || len(p.Damaged)+len(p.Missing) > 0:
		l.tell(event{kind: noticed, word: NoticeMalformed, detail: "U_PDU out of shape", bytes: len(p.Data)})
		return
	case int(c.stream) >= l.count:
		l.tell(event{kind: noticed, word: NoticeReset, detail: fmt.Sprintf("stream %d was never agreed", c.stream)})
		if !c.reset {
			l.refuse(c.stream, c.generation)
		}
		return
	}
	l.refusals, l.retryAt = 0, time.Time{} // it is there
	st := l.lanes[c.stream]
	if c.reset {
		if st.s != nil && (c.generation == st.ours || c.generation == 0 && st.known) {
			l.close(now, st, "reset by the peer")
		}
		return
	}
	if l.known(now, st, &c) {
		l.data(now, st, &c)
	}
}

// known reports that a chunk is of the stream that is open, or opens one.
func (l *streamLine) known(now time.Time, st *strand, c *chunk) bool {
	switch {
	case c.brief && (st.s == nil || st.theirs == 0):
		l.tell(event{kind: noticed, word: NoticeReset, detail: "a stream that is not open here"})
		l.refuse(st.lane, 0)
		return false
	case c.brief && c.check == st.latest:
		l.tell(event{kind: noticed, word: NoticeRepeated, detail: "bytes that came before", bytes: len(c.data)})
		return false
	case c.brief && !c.proven(st.theirs, st.expected, st.ours):
		l.tell(event{kind: noticed, word: NoticeMalformed, detail: "not what comes next of the stream, or changed on the way", bytes: len(c.data)})
		l.refuse(st.lane, 0)
		return false
	case c.brief:
		st.latest = c.check
		return true
	case st.s != nil && st.ours == c.generation: // if it is the peer's by chance, it begins another
		l.tell(event{kind: noticed, word: NoticeReflected, detail: "a chunk of our own stream came back as the peer's"})
		l.refuse(st.lane, c.generation)
		return false
	case st.s != nil && st.theirs == c.generation && c.open && c.paired != 0 && c.paired != st.ours && !l.cfg.Custody():
		// It counts what came of another stream of ours: without custody nothing else says which stanzas it acknowledges.
		l.close(now, st, "the peer's stream answers one of ours that is over")
		return false
	case st.s != nil && st.theirs == c.generation:
		return true
	case slices.Contains(st.dead, c.generation):
		l.tell(event{kind: noticed, word: NoticeRepeated, detail: "of a stream that is over", bytes: len(c.data)})
		return false
	case !c.open, c.paired != 0 && (st.s == nil || c.paired != st.ours):
		l.tell(event{kind: noticed, word: NoticeReset, detail: "a stream that nobody opened"})
		l.refuse(st.lane, c.generation)
		return false
	}
	if now.Sub(st.since) > opensWhile {
		st.since, st.opens = now, 0
	}
	if st.opens++; st.opens > maxOpens {
		l.tell(event{kind: noticed, word: NoticeReset, detail: "the peer opens streams faster than is good"})
		return false
	}
	switch { // the peer has begun anew
	case st.s == nil || st.theirs == 0:
	case st.expected > 0:
		l.close(now, st, "the peer opened another stream in its place")
	default: // nothing of the former one was used
		st.bury(st.theirs)
		st.held, st.bytes, st.hole = nil, 0, time.Time{}
	}
	if st.s == nil {
		l.open(now, st)
	}
	st.theirs = c.generation
	return true
}

// data takes a chunk in its turn, or holds it until that comes.
func (l *streamLine) data(now time.Time, st *strand, c *chunk) {
	ahead := int32(c.offset - st.expected) //nolint:gosec // modulo is meant
	switch {
	case ahead < 0:
		l.tell(event{kind: noticed, word: NoticeRepeated, detail: "bytes that came before", bytes: len(c.data)})
		return
	case ahead > maxAhead || c.offset > maxOffset:
		l.close(now, st, "bytes far from where the stream is")
		return
	case ahead > 0:
		if _, twice := st.held[c.offset]; twice || st.bytes+len(c.data) > maxAhead {
			return
		}
		if st.held == nil {
			st.held = make(map[uint32][]byte)
		}
		if len(st.held) == 0 {
			st.hole = now
		}
		st.held[c.offset] = bytes.Clone(c.data)
		st.bytes += len(c.data)
		return
	}
	s := st.s
	for data, ok := c.data, true; ok && st.s == s; data, ok = st.held[st.expected] {
		if _, was := st.held[st.expected]; was {
			delete(st.held, st.expected)
			st.bytes -= len(data)
		}
		if len(data) == 0 {
			break
		}
		st.expected += uint32(len(data)) //nolint:gosec // at most an MTU
		s.Feed(now, data)
		l.drain(now, st)
	}
	if len(st.held) == 0 {
		st.hole = time.Time{}
	} else {
		st.hole = now
	}
	l.say(now, st)
}

// drain takes what came of bytes, or of time.
func (l *streamLine) drain(now time.Time, st *strand) {
	for st.s != nil {
		e := st.s.Next(now)
		switch e.Kind {
		case x2x.None:
			return
		case x2x.Arrived:
			l.seq++
			l.receipts[l.seq] = receipt{st.s, e.Seq, l.carried, l.carried.Arrived(e.Frame)}
			l.tell(event{kind: arrived, stanza: e.Stanza, malformed: e.Malformed, also: e.Also, frame: e.Frame, seq: l.seq, bytes: e.Bytes})
		case x2x.Greeted:
			if e.Epoch != l.peer { // what is in hand of another epoch is never settled
				l.peer, l.carried = e.Epoch, &custody.Carried{}
			}
			l.tell(event{kind: greeted, epoch: e.Epoch, marks: e.Marks})
		case x2x.Confirmed:
			l.broken = 0
			for _, t := range e.Tokens {
				delete(st.flight, t)
			}
			var cause error
			if e.Unproven {
				cause = links.ErrUnconfirmed
			}
			l.tell(event{kind: reported, tokens: e.Tokens, disposition: links.Delivered, cause: cause})
		case x2x.Noticed:
			l.tell(event{kind: noticed, word: e.Word, detail: e.Detail, bytes: e.Bytes})
		case x2x.Ended:
			if e.Ours && e.Condition != stanza.NoStreamCondition {
				l.broken++ // it was broken on purpose, or by somebody else
			}
			l.over(now, st, &e)
		}
	}
}

// tick implements machine.
func (l *streamLine) tick(now time.Time) {
	l.now = now
	l.pass(now)
	for _, st := range l.lanes {
		keep := st.waiting[:0]
		for _, it := range st.waiting {
			if it.expired(now) || !l.cfg.Custody() && now.Sub(it.since) >= l.cfg.Age {
				l.report(it.token, links.Expired, links.ErrExpired)
				continue
			}
			keep = append(keep, it)
		}
		clear(st.waiting[len(keep):])
		st.waiting = keep
		if st.s == nil || !l.live {
			continue
		}
		if d := st.s.Deadline(); !d.IsZero() && !now.Before(d) {
			st.s.Tick(now)
			l.drain(now, st)
			l.say(now, st)
		}
		if st.s != nil && !st.hole.IsZero() && !now.Before(l.holeAt(st)) {
			l.close(now, st, "bytes that never came")
		}
		if st.s != nil && st.offset > maxOffset {
			l.close(now, st, "as many bytes as one stream has")
		}
	}
}

// holeAt is when missing bytes are missed too long.
func (l *streamLine) holeAt(st *strand) time.Time {
	return st.hole.Add(4 * l.profile.AnswerTimeout(st.bytes))
}

// deadline implements machine.
func (l *streamLine) deadline() (at time.Time) {
	ahead := func(t time.Time) {
		if t.After(l.now) {
			at = sooner(at, t)
		}
	}
	ahead(l.giver.deadline())
	ahead(l.retryAt)
	for _, st := range l.lanes {
		for i := range st.waiting {
			ahead(st.waiting[i].expires)
			if !l.cfg.Custody() {
				ahead(st.waiting[i].since.Add(l.cfg.Age))
			}
		}
		if len(st.waiting) > 0 {
			ahead(st.openAt)
		}
		if len(st.pending) > 0 {
			ahead(st.first.Add(l.profile.Gather()))
		}
		if st.s != nil && l.live {
			ahead(st.s.Deadline())
		}
		if !st.hole.IsZero() {
			ahead(l.holeAt(st))
		}
	}
	return at
}

// backlog implements machine.
func (l *streamLine) backlog() (b links.Backlog) {
	for _, st := range l.lanes {
		b.Stanzas += len(st.waiting)
		b.Bytes += len(st.pending)
		for i := range st.waiting {
			b.Oldest = sooner(b.Oldest, st.waiting[i].since)
		}
		if st.s != nil {
			items, bytes := st.s.Unconfirmed()
			b.Unconfirmed += items
			b.UnconfirmedBytes += bytes
		}
	}
	b.Unsettled = len(l.receipts)
	return b
}
