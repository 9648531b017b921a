package imserver_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"sallyport/testbed/client"
	"sallyport/testbed/imserver"
	"sallyport/testbed/scenario"
)

const shutdown = "<stream:error><system-shutdown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>"

// Who talks while the server is told to end hears so, and everything that was said before he knew is there when it runs again: with
// acknowledgements (XEP-0198) and without.
func TestStoppedWhileTalking(t *testing.T) {
	t.Parallel()
	for name, begin := range stores {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := begin(t, "juliet", "romeo")
			w.more("\n[limits]\nclose-timeout = \"30s\"\n") // so that who is slow has the time to say all of it
			said := 0
			for round := range 4 {
				w.sayUntilStopped("romeo@"+imserver.Domain, &said, round%2 == 0)
				if err := w.home.Run(); err != nil {
					t.Fatal(err)
				}
			}
			romeo := w.rawLogin("romeo", "orchard")
			romeo.say(`<presence/>`)
			for seen := map[string]bool{}; len(seen) < said; {
				m, err := romeo.next("</body>")
				if err != nil {
					t.Fatalf("%v, and %d of %d messages are lost", err, said-len(seen), said)
				}
				_, body, _ := strings.Cut(m, "<body>")
				if seen[body] {
					t.Errorf("%s came twice", body)
				}
				seen[body] = true
			}
			w.commands("audit verify")
		})
	}
}

// sayUntilStopped says messages to somebody while the server is told to end, and goes when it hears of it.
func (w *world) sayUntilStopped(to string, said *int, managed bool) {
	w.t.Helper()
	r := w.rawKnown("juliet")
	r.until("</stream:features>")
	r.say(`<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>balcony</resource></bind></iq>`)
	if r.until("</iq>"); managed {
		r.say(`<enable xmlns='urn:xmpp:sm:3'/>`)
		r.until("<enabled")
	}
	stopped := make(chan error, 1)
	heard := make(chan string, 1)
	first, sure := *said, 0
	for *said < first+200 { // four times that is still kept for who is not there
		if *said == first+100 {
			for managed && sure == 0 {
				var err error
				if sure, err = r.handled(); err != nil {
					w.t.Fatal(err)
				}
			}
			go func() {
				began := time.Now()
				err := w.home.Stop()
				w.t.Logf("it took %s", time.Since(began).Round(time.Millisecond))
				stopped <- err
			}()
			go func() {
				told, err := r.next("</stream:stream>")
				if err != nil {
					told = err.Error() + ": " + r.read
				}
				heard <- told
			}()
		}
		var batch strings.Builder
		for range 10 {
			fmt.Fprintf(&batch, "<message to='%s' type='chat' id='w%d'><body>word %d</body></message>", to, *said, *said)
			*said++
		}
		if _, err := io.WriteString(r.conn, batch.String()); err != nil {
			w.t.Fatalf("after %d: %v", *said, err)
		}
	}
	told := <-heard
	if !strings.HasSuffix(told, shutdown) {
		w.t.Errorf("the end is %s", told)
	}
	if _, h, found := strings.Cut(told, "<a xmlns='urn:xmpp:sm:3' h='"); found {
		if _, err := fmt.Sscanf(h, "%d'", &sure); err != nil {
			w.t.Errorf("%v in %s", err, told)
		}
	}
	w.t.Logf("%d said, %d acknowledged", *said-first, sure)
	r.say("</stream:stream>")
	_ = r.conn.SetReadDeadline(time.Now().Add(scenario.Patience)) // a connection that is gone says so at the read
	if _, err := io.Copy(io.Discard, r.conn); errors.Is(err, os.ErrDeadlineExceeded) {
		w.t.Error("the connection does not end")
	}
	if err := <-stopped; err != nil {
		w.t.Error(err)
	}
}

// Who listens while the server is told to end has each word once: before he hears of it, or when he comes back.
func TestStoppedWhileListening(t *testing.T) {
	t.Parallel()
	w := alone(t, "juliet", "romeo")
	w.more("\n[limits]\nclose-timeout = \"30s\"\n")
	romeo := w.rawLogin("romeo", "orchard")
	romeo.say(`<presence/>`)
	romeo.until("<presence")
	seen := map[string]bool{}
	note := func(body string) {
		if seen[body] {
			t.Errorf("%s came twice", body)
		}
		seen[body] = true
	}
	listened := make(chan error, 1)
	go func() {
		told, err := romeo.next("</stream:stream>")
		parts := strings.Split(told, "</body>")
		for _, m := range parts[:len(parts)-1] {
			_, body, _ := strings.Cut(m, "<body>")
			note(body)
		}
		if err == nil { // the presence is one, too
			_, err = fmt.Fprintf(romeo.conn, "<a xmlns='urn:xmpp:sm:3' h='%d'/></stream:stream>", len(seen)+1)
		}
		listened <- err
	}()
	said := 0
	w.sayUntilStopped("romeo@"+imserver.Domain, &said, true)
	if err := <-listened; err != nil {
		t.Fatal(err)
	}
	t.Logf("%d said, %d heard before the end", said, len(seen))
	if err := w.home.Run(); err != nil {
		t.Fatal(err)
	}
	if romeo = w.rawLogin("romeo", "orchard"); len(seen) == said {
		return
	}
	for romeo.say(`<presence/>`); len(seen) < said; {
		m, err := romeo.next("</body>")
		if err != nil {
			t.Fatalf("%v, and %d of %d messages are lost", err, said-len(seen), said)
		}
		_, body, _ := strings.Cut(m, "<body>")
		note(body)
	}
}

// What is said to somebody of another server while this one is told to end still crosses.
func TestStoppedWhileCrossing(t *testing.T) {
	t.Parallel()
	w := beside(t, "juliet")
	bob, said := w.stranger("bob"), 0
	w.sayUntilStopped(bob.Bare(), &said, false)
	for n := range said {
		bob.hears(fmt.Sprintf("word %d", n))
	}
}

// A client that many use sees why it is disconnected, and comes back to what was said to it meanwhile.
func TestStoppedUnderSlixmpp(t *testing.T) {
	t.Parallel()
	w := alone(t, "juliet", "romeo")
	juliet, romeo := w.login("juliet", "balcony"), w.login("romeo", "orchard")
	juliet.says(romeo.Bare(), "before")
	romeo.hears("before")
	began := time.Now()
	if err := w.home.Stop(); err != nil {
		t.Fatal(err)
	}
	t.Logf("it took %s", time.Since(began).Round(time.Millisecond))
	for _, p := range []*person{juliet, romeo} {
		p.sees(func(e client.Event) bool { return e.Kind == "stream-error" && e.Condition == "system-shutdown" })
		p.sees(func(e client.Event) bool { return e.Kind == "disconnected" })
	}
	if err := w.home.Run(); err != nil {
		t.Fatal(err)
	}
	w.login("juliet", "balcony").says(romeo.Bare(), "after")
	w.login("romeo", "orchard").hears("after")
}
