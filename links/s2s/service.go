package s2s

import "time"

// bind makes s the stream that serves the queue, unless another does.
func (q *queue) bind(s *serverStream) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed || q.state == served && q.stream != s || q.resume != nil || q.taker != nil && q.taker != s {
		return false
	}
	q.taker = nil
	q.state, q.stream, q.failures, q.refusal, q.lastErr = served, s, 0, nil, nil
	return true
}

// unbind ends the service by s. It reports whether something waits for another stream.
func (q *queue) unbind(s *serverStream) (need bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.stream != s {
		return false
	}
	q.state, q.stream = unserved, nil
	return q.head < len(q.items) || q.resume != nil
}

// orphan is unbind for a pair whose lost session may come back: until then nobody dials.
func (q *queue) orphan(s *serverStream, until time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.stream == s {
		q.state, q.stream, q.retry = waiting, nil, until
	}
}

// flaps counts streams that die young, and says when the next must wait.
func (q *queue) flaps(young bool) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !young {
		q.shorts = 0
		return false
	}
	q.shorts++
	return q.shorts > shortLives
}

// alone ends a search on a shared stream: the pair needs one of its own.
func (q *queue) alone() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ownOnly = true
	if q.state == connecting {
		q.state = unserved
	}
}

// keep remembers the session to resume with the next stream; false when there is one already, or the queue is closed.
func (q *queue) keep(now time.Time, f *flight) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed || q.resume != nil {
		return false
	}
	q.resume, q.lostAt = f, now
	if q.state != connecting { // whoever served meanwhile stops
		q.state, q.stream = unserved, nil
	}
	return true
}

// untake: the stream that was to resume has ended.
func (q *queue) untake(s *serverStream) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.taker == s {
		q.taker = nil
	}
}

// takeResume gives the session to resume away: to a new stream, or, when it was lost before a time, to be given up (s is nil).
func (q *queue) takeResume(s *serverStream, lostBefore time.Time) *flight {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.resume == nil || !lostBefore.IsZero() && !q.lostAt.Before(lostBefore) {
		return nil
	}
	f := q.resume
	q.resume, q.taker = nil, s
	return f
}

// retire closes a queue that had nothing to do for a number of looks.
func (q *queue) retire(looks int) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed || q.state != unserved || q.head < len(q.items) || q.promised > 0 || q.waiters > 0 || q.resume != nil {
		q.idle = 0
		return false
	}
	q.idle++
	q.closed = q.idle > looks
	return q.closed
}

// leftOver ends a search that found a stream which does not serve; it reports whether that is so. The stream may have been lost by now,
// and another search be under way: that is left alone.
func (q *queue) leftOver(search uint64) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.state != connecting || q.search != search {
		return false
	}
	q.state = unserved
	return true
}

// claim begins a search for a stream; false when one is under way, or it is too early.
func (q *queue) claim(now time.Time) (search uint64, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed || q.state == connecting || q.state == served || q.state == waiting && now.Before(q.retry) {
		return 0, false
	}
	q.state = connecting
	q.search++
	return q.search, true
}

// wait ends a search without success: nothing is tried before retry. A refusal is what Reserve says meanwhile.
func (q *queue) wait(search uint64, retry time.Time, err, refusal error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.state != connecting || q.search != search {
		return
	}
	q.state, q.retry, q.lastErr, q.refusal = waiting, retry, err, refusal
	q.failures++
	q.freed()
}

// due reports whether the time of waiting is over; a queue with nothing in it goes idle instead.
func (q *queue) due(now time.Time) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.state != waiting || now.Before(q.retry) {
		return false
	}
	if q.head == len(q.items) && q.resume == nil {
		q.state, q.refusal = unserved, nil
		return false
	}
	return true
}
