package churn_test

import (
	"fmt"
	"slices"
	"time"

	"sallyport/testbed/imserver"
	"sallyport/testbed/scenario"
)

// collect takes what waits for somebody, twice: the second time there is nothing.
func (w *world) collect(user string) {
	w.t.Helper()
	for turn := range 2 {
		s := w.enter(user, "collector")
		w.book.collects(s)
		w.await(s, "set", "", "<unblock xmlns='urn:xmpp:blocking'/>")
		w.say(s, "<presence/>")
		w.marker(s)
		s.mu.Lock()
		h, n := s.h, len(s.got)
		s.mu.Unlock()
		if turn == 1 && n > 1 {
			w.book.fault("AGAIN %s has %d messages", s, n-1)
		}
		s.ack(h)
		w.await(s, "get", imserver.Domain, ping)
		if turn == 1 && archived[user] {
			w.readArchive(s)
		}
		_ = s.conn().leave() // or it is gone
		if !eventually(func() bool { return !s.alive() }) {
			w.book.fault("%s does not end", s)
		}
	}
}

// await asks, and waits for the answer.
func (w *world) await(s *session, typ, to, payload string) {
	w.t.Helper()
	answered := make(chan struct{})
	w.ask(s, typ, to, payload, func(bool) { close(answered) })
	select {
	case <-answered:
	case <-time.After(scenario.Patience):
		w.t.Fatalf("%s has no answer to %s", s, payload)
	}
}

// marker comes behind everything that waited.
func (w *world) marker(s *session) {
	w.t.Helper()
	mark := fmt.Sprintf("marker %d", w.serial.Add(1))
	w.say(s, fmt.Sprintf("<message type='chat' to='%s@%s' id='x'><body>%s</body></message>", s.account, imserver.Domain, mark))
	if !eventually(func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return slices.Contains(s.got, mark)
	}) {
		w.t.Fatalf("%s does not get what it has said to itself", s)
	}
}
