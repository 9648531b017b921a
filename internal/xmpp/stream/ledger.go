package stream

import "sync"

// ledger counts inbound stanzas and how many of them are settled without a
// gap. Its mutex is the only lock in the package: receipts come from the
// goroutines that carried the stanza on, also after the stream is gone.
type ledger struct {
	mu       sync.Mutex
	received uint64 // Seq of the newest arrival; Seq starts at 1
	done     uint64 // every Seq up to here is settled
	base     uint64 // received when counting for the peer began
	told     uint64 // done at the last <a/>
	asked    bool   // an <r/> was answered while something was unsettled
	counting bool
	ackEvery uint64
	early    []bool // early[i]: Seq done+1+i is settled; ring by shifting, see settled
	first    int    // index of Seq done+1 in early
}

func (l *ledger) arrived() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.received++
	return l.received
}

// arrivedUnder is arrived as long as fewer are unsettled.
func (l *ledger) arrivedUnder(unsettled int) (seq uint64, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.received-l.done >= uint64(unsettled) { //nolint:gosec // a limit
		return 0, false
	}
	l.received++
	return l.received, true
}

func (l *ledger) start() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.base, l.counting = l.received, true
	l.told = max(l.done, l.base)
}

func (l *ledger) settled(seq uint64) (ackDue bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if seq <= l.done || seq > l.received {
		return false // settled twice, or never handed out
	}
	if seq == l.done+1 && len(l.early) == l.first {
		l.done++ // the usual case: in order, nothing waits
		l.early, l.first = l.early[:0], 0
		return l.due()
	}
	at := l.first + int(seq-l.done-1)
	for len(l.early) <= at {
		l.early = append(l.early, false)
	}
	l.early[at] = true
	for l.first < len(l.early) && l.early[l.first] {
		l.first++
		l.done++
	}
	if l.first > 1024 && 2*l.first > len(l.early) { // move the rest down now and then
		l.early = append(l.early[:0], l.early[l.first:]...)
		l.first = 0
	}
	return l.due()
}

// due decides whether the peer should hear <a/> unasked: when all it asked for is settled, and every ackEvery.
func (l *ledger) due() bool {
	if l.asked && l.done == l.received {
		return true
	}
	return l.counting && l.ackEvery > 0 && l.done >= l.told+l.ackEvery
}

func (l *ledger) handled() uint32 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.h()
}

func (l *ledger) h() uint32 {
	if l.done < l.base {
		return 0
	}
	return uint32(l.done - l.base)
}

// tell returns the h for an <a/>; answering says that the peer asked.
func (l *ledger) tell(answering bool) uint32 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if answering {
		l.asked = true
	}
	if l.done == l.received {
		l.asked = false
	}
	l.told = l.done
	return l.h()
}

// stale reports whether an <a/> would tell the peer something new.
func (l *ledger) stale() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.counting && l.done > l.told
}

func (l *ledger) unsettled() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return int(l.received - l.done)
}

// await makes settled report when nothing is unsettled any more: somebody wants to resume.
func (l *ledger) await() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked = true
}
