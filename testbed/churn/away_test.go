package churn_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/testbed/imserver"
	"sallyport/testbed/postgres"
)

// TestKilledWhileTheyAreAway: who keeps no archive has lost the connection, and may come back for the session. What is said to him then, and
// what he had been sent and never acknowledged, is there after the server was killed, once.
func TestKilledWhileTheyAreAway(t *testing.T) {
	t.Parallel()
	for name, kept := range map[string]func(*testing.T) *postgres.Cluster{
		"sqlite": func(*testing.T) *postgres.Cluster { return nil }, "postgres": database,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := open(t, 10*time.Minute, kept(t))
			w.prefer()
			w.begin(1, dies)
			away := map[string]*session{"b0": w.goesAway("b0", dialAnyTCP), "b1": w.goesAway("b1", dialAnyWeb), "b2": w.goesAway("b2", dialAnyTCP)}
			sender := w.enter("a0", "sender")
			before := map[string][]*said{}
			for user, s := range away {
				before[user] = w.saysTo(sender, s, user+"@"+imserver.Domain)
			}
			for user, s := range away {
				if !eventually(func() bool { return s.heard(before[user]) }) {
					t.Fatalf("%s does not hear what is said to it", s)
				}
				s.conn().cut()
				if !eventually(func() bool { return w.noticed(s) }) {
					t.Fatalf("nobody notices that %s is gone", s)
				}
			}
			for user, s := range away {
				for _, to := range []string{user + "@" + imserver.Domain, s.full} {
					before[user] = append(before[user], w.saysTo(sender, s, to)...)
				}
			}
			w.home.Kill()
			w.runs()
			for user, list := range before {
				w.hasAll(user, list)
			}
			for s := range maps.Values(away) {
				s.conn().cut()
			}
			sender.conn().cut()
			w.readers.Wait()
		})
	}
}

func dialAnyTCP(w *world) (wire, error) { return dialTCP(w.home.Direct.String(), w.tls) }

func dialAnyWeb(w *world) (wire, error) { return dialWeb(w.webAt.String(), w.tls) }

// goesAway lets in somebody who acknowledges nothing.
func (w *world) goesAway(user string, dial func(*world) (wire, error)) *session {
	w.t.Helper()
	c, err := dial(w)
	if err != nil {
		w.t.Fatal(err)
	}
	s, err := w.come(user, "there", true, c)
	if err != nil {
		w.t.Fatal(err)
	}
	s.mu.Lock()
	s.mute = true
	s.mu.Unlock()
	w.say(s, "<presence/>")
	w.await(s, "get", imserver.Domain, ping)
	return s
}

// saysTo says some messages, and waits until the server has acknowledged them.
func (w *world) saysTo(sender, to *session, addr string) (list []*said) {
	w.t.Helper()
	for range 5 {
		m := w.compose(sender, to.account, addr, "chat")
		list = append(list, m)
		sender.mu.Lock()
		sender.sent = append(sender.sent, m)
		_ = sender.wire.write(m.raw) // what is not taken is missed below
		sender.mu.Unlock()
	}
	w.confirm(sender, nil)
	if !eventually(func() bool {
		w.book.mu.Lock()
		defer w.book.mu.Unlock()
		return !slices.ContainsFunc(list, func(m *said) bool { return !m.taken })
	}) {
		w.t.Fatalf("what is said to %s is not acknowledged", addr)
	}
	return list
}

// heard reports whether a client has got messages.
func (s *session) heard(list []*said) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !slices.ContainsFunc(list, func(m *said) bool { return !slices.Contains(s.got, m.body) })
}

// noticed reports whether the server knows that a session has lost its connection.
func (w *world) noticed(s *session) bool {
	log, err := os.ReadFile(w.home.Log())
	if err != nil {
		w.t.Fatal(err)
	}
	for line := range strings.SplitSeq(string(log), "\n") {
		if strings.Contains(line, "client's stream ended") && strings.Contains(line, fmt.Sprintf("%q", s.full)) {
			return true
		}
	}
	return false
}

// hasAll logs in and looks that all is there that waits, once.
func (w *world) hasAll(user string, list []*said) {
	w.t.Helper()
	s := w.enter(user, "collector")
	w.say(s, "<presence/>")
	w.marker(s)
	s.mu.Lock()
	got := slices.Clone(s.got)
	s.mu.Unlock()
	for _, m := range list {
		n := 0
		for _, body := range got {
			if body == m.body {
				n++
			}
		}
		w.book.mu.Lock()
		back := m.back
		w.book.mu.Unlock()
		if n != 1 || back {
			w.t.Errorf("it is there %d times: %s", n, m)
		}
	}
	_ = s.conn().leave() // or it is gone
}
