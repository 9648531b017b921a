package sis

import "time"

// keepAlive is one end's S_KEEP_ALIVE with one peer. Whatever is heard proves that the peer
// is there, the answer as well as anything else.
type keepAlive struct {
	heard    time.Time // anything, last
	asked    time.Time // our last S_KEEP_ALIVE
	waiting  bool      // for its answer
	answered time.Time // our last answer
}

// hear notes that something came from the peer. The wait is over, but an answer may still
// come and is one until then (see receive).
func (k *keepAlive) hear(now time.Time) { k.heard = now }

// ask notes that S_KEEP_ALIVE is sent.
func (k *keepAlive) ask(now time.Time) { k.asked, k.waiting = now, true }

// receive takes an S_KEEP_ALIVE and reports whether it is to be answered.
func (k *keepAlive) receive(now time.Time) bool {
	wasWaiting := k.waiting && now.Sub(k.asked) <= KeepAliveAnswer
	k.waiting = false
	if wasWaiting {
		return false
	}
	if !k.answered.IsZero() && now.Sub(k.answered) < KeepAliveAnswer {
		return false
	}
	k.answered = now
	return true
}

// answerBy is when the peer is given up, zero if it is not being waited for.
func (k *keepAlive) answerBy() time.Time {
	if !k.waiting || k.heard.After(k.asked) {
		return time.Time{}
	}
	return k.asked.Add(KeepAliveAnswer)
}

// askAt is when a silent peer that is not being waited for is to be asked.
func (k *keepAlive) askAt(silence time.Duration) time.Time {
	at := k.heard.Add(silence)
	if earliest := k.asked.Add(KeepAliveInterval); !k.asked.IsZero() && at.Before(earliest) {
		return earliest
	}
	return at
}
