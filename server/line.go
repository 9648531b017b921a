package server

import (
	"sync"
	"sync/atomic"
)

const (
	// maxLine and maxLineBytes bound what one client has sent and nobody has begun with; as much again is under way.
	maxLine      = 64
	maxLineBytes = 256 << 10
)

// line is what a client has sent, in its order: messages wait until they are kept, and what is sent behind one waits for it, while the
// client's reader goes on. Where there is no message nothing waits here. The zero value is empty.
type line struct {
	queue[*sent]
	room  sync.Cond   // on queue.mu: what waited was taken
	bytes int         // that wait
	quick atomic.Bool // the features were with the last messages
}

// busy reports whether something waits or is under way. Only the client's reader adds to it, so for him it stays idle.
func (l *line) busy() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.running
}

// spawn is that of the account.
func (r *resource) spawn(f func()) bool { return r.user.spawn(f) }

// wait puts stanzas behind what was sent before: messages, and what comes behind one. It waits for room.
func (r *resource) wait(list ...*sent) {
	l := &r.line
	for len(list) > 0 {
		l.mu.Lock()
		l.room.L = &l.mu
		for l.running && l.full() {
			l.room.Wait()
		}
		n := 0
		for n < len(list) && (n == 0 || !l.full()) {
			l.bytes += list[n].arrival.Bytes
			l.items = append(l.items, list[n])
			n++
		}
		ok := l.start(r)
		l.mu.Unlock()
		for _, m := range list[:n] {
			if !ok { // the server has ended
				m.done()
			}
		}
		list = list[n:]
	}
}

// full: no more may wait; mu is held.
func (l *line) full() bool { return len(l.items) >= maxLine || l.bytes >= maxLineBytes }

// settle waits until everything is dealt with that is there now.
func (l *line) settle(r *resource) {
	if !l.busy() {
		return
	}
	last := &sent{by: r, after: make(chan struct{})}
	r.wait(last)
	<-last.after
}

// deal does what was sent. Messages that stand next to each other go through the features together.
func (r *resource) deal(list []*sent) {
	l := &r.line
	l.mu.Lock()
	for _, m := range list {
		l.bytes -= m.arrival.Bytes
	}
	if l.room.L != nil {
		l.room.Broadcast()
	}
	l.mu.Unlock()
	for len(list) > 0 {
		n := 0
		for n < len(list) && list[n].isMessage() {
			n++
		}
		switch first := list[0]; {
		case n > 0:
			r.user.server.sendMessages(r, list[:n])
		case first.after != nil, r.left():
			first.done()
		default:
			r.user.server.deal(first)
		}
		list = list[max(n, 1):]
	}
}

// done is for what nothing is done about. A stanza of that kind is not settled: nobody has taken it, so its client must not hear so.
func (m *sent) done() {
	if m.after != nil {
		close(m.after)
	}
}
