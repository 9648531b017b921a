package thin

import (
	"time"

	"sallyport/internal/xmpp/stanza"
	"sallyport/links/fanout"
)

// Thinner is everything that is done for one thin link, in a row: strip, presence, capabilities, copies. Owned by one goroutine.
type Thinner struct {
	o        Options
	presence *Presence
	caps     *Caps
	merger   *Merger
	stats    Stats
	outs     []Out // between the steps
}

// New makes one that has seen nothing.
func New(o Options) *Thinner {
	o = o.withDefaults()
	return &Thinner{o: o, presence: NewPresence(o), caps: NewCaps(o.MaxContacts), merger: NewMerger(o.MergeWindow)}
}

// Put takes one stanza at a time that does not go back, and appends what came out. Every token comes out exactly once, now or later. A
// token that did not come out yet waits; see Next.
func (t *Thinner) Put(dst []Out, now time.Time, token uint64, s stanza.Stanza) []Out {
	t.stats.In++
	dst = t.Due(dst, now)
	out, cuts, worth := Strip(t.o, s)
	t.stats.addAll(cuts)
	if !worth {
		t.stats.Dropped++
		return append(dst, Out{Token: token, Stanza: s, Reason: cuts.First(), Bytes: size(s.Element(), s.ContentNS())})
	}
	t.outs = t.presence.Put(t.outs[:0], now, token, out)
	return t.pass(dst, now)
}

// pass takes what came out of presence through the rest.
func (t *Thinner) pass(dst []Out, now time.Time) []Out {
	for _, o := range t.outs {
		if o.Fate != Sent {
			dst = append(dst, t.count(o))
			continue
		}
		if t.o.Caps {
			var saved int
			if o.Stanza, saved = t.caps.Leaving(o.Stanza); saved > 0 {
				t.stats.add(CapsUnchanged, saved)
			}
		}
		from := len(dst)
		dst = t.merger.Put(dst, now, o.Token, o.Stanza)
		t.countFrom(dst[from:])
	}
	t.outs = t.outs[:0]
	return dst
}

func (t *Thinner) count(o Out) Out {
	switch o.Fate {
	case Sent:
		t.stats.Sent++
	case Merged:
		t.stats.Merged++
		t.stats.add(o.Reason, o.Bytes)
	case Dropped:
		t.stats.Dropped++
		t.stats.add(o.Reason, o.Bytes)
	}
	return o
}

func (t *Thinner) countFrom(outs []Out) {
	for _, o := range outs {
		t.count(o)
	}
}

// Due appends what has waited long enough.
func (t *Thinner) Due(dst []Out, now time.Time) []Out {
	t.outs = t.presence.Due(t.outs[:0], now)
	dst = t.pass(dst, now)
	from := len(dst)
	dst = t.merger.Due(dst, now)
	t.countFrom(dst[from:])
	return dst
}

// Next is when Due has something to do; the zero time is never.
func (t *Thinner) Next() time.Time {
	a, b := t.presence.Next(), t.merger.Next()
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// Flush appends everything that waits, at once.
func (t *Thinner) Flush(dst []Out, now time.Time) []Out {
	t.outs = t.presence.Flush(t.outs[:0], now)
	dst = t.pass(dst, now)
	from := len(dst)
	dst = t.merger.Flush(dst)
	t.countFrom(dst[from:])
	return dst
}

// Heard takes what came from the far side; see Presence.Heard.
func (t *Thinner) Heard(s stanza.Stanza) {
	t.presence.Heard(s)
	t.caps.Heard(s)
}

// Lost takes what was sent and did not arrive; see Presence.Lost.
func (t *Thinner) Lost(s stanza.Stanza) {
	t.presence.Lost(s)
	t.caps.Lost(s)
}

// Stats returns the counters.
func (t *Thinner) Stats() Stats { return t.stats }

// Latest returns the parts of the key under which a newer presence replaces one that waits in the spool; ok is false for what nothing
// replaces. Subscriptions, probes and what rooms say are not replaced.
func Latest(s stanza.Stanza) (parts []string, ok bool) {
	if !Paced(s) {
		return nil, false
	}
	return []string{"presence", s.From().String(), s.To().String()}, true
}

// Fleeting reports what is of worth only at once: a message that has nothing but chat states (XEP-0085).
func Fleeting(s stanza.Stanza) bool {
	_, cuts, worth := Strip(Options{ChatStates: true, Typing: true}, s)
	return !worth && cuts.First() != NoReason
}

// CopyKey returns the key under which copies of a groupchat message merge in the spool; ok is false for what has no copies.
func CopyKey(s stanza.Stanza) (sum [32]byte, ok bool) { return fanout.Digest(s) }
