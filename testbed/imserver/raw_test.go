package imserver_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"sallyport/testbed/imserver"
	"sallyport/testbed/scenario"
)

// raw is a client that says bytes, over TLS from the first one, with stream management.
type raw struct {
	t    *testing.T
	conn net.Conn
	read string
}

const rawHello = `<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='` + imserver.Domain + `' version='1.0'>`

// rawStream has begun a stream.
func (w *world) rawStream() *raw {
	w.t.Helper()
	authority, err := os.ReadFile(w.home.CA)
	if err != nil {
		w.t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	conn, err := tls.Dial("tcp", w.home.Direct.String(), &tls.Config{RootCAs: roots, ServerName: imserver.Domain, NextProtos: []string{"xmpp-client"}})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = conn.Close() }) // it may be gone
	r := &raw{t: w.t, conn: conn}
	r.say(rawHello)
	return r
}

// rawLogin binds a resource, switches stream management on and is available.
func (w *world) rawLogin(name, resource string) *raw {
	w.t.Helper()
	r := w.rawKnown(name)
	r.until("</stream:features>")
	r.say(`<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>` + resource + `</resource></bind></iq><enable xmlns='urn:xmpp:sm:3'/>`)
	r.until("<enabled")
	return r
}

func (r *raw) say(text string) {
	r.t.Helper()
	if _, err := io.WriteString(r.conn, text); err != nil {
		r.t.Fatal(err)
	}
}

// until reads up to the words.
func (r *raw) until(words string) string {
	r.t.Helper()
	said, err := r.next(words)
	if err != nil {
		r.t.Fatalf("%v before %q: %s", err, words, r.read)
	}
	return said
}

func (r *raw) next(words string) (string, error) {
	_ = r.conn.SetReadDeadline(time.Now().Add(scenario.Patience)) // a connection that is gone says so at the read
	buf := make([]byte, 16<<10)
	for {
		if at := strings.Index(r.read, words); at >= 0 {
			said := r.read[:at+len(words)]
			r.read = r.read[at+len(words):]
			return said, nil
		}
		n, err := r.conn.Read(buf)
		r.read += string(buf[:n])
		if err != nil {
			return "", err
		}
	}
}

// handled asks how many stanzas the server has taken responsibility for, until it dies.
func (r *raw) handled() (h int, err error) {
	if _, err := io.WriteString(r.conn, `<r xmlns='urn:xmpp:sm:3'/>`); err != nil {
		return 0, err
	}
	if _, err := r.next("<a xmlns='urn:xmpp:sm:3' h='"); err != nil {
		return 0, err
	}
	text, err := r.next("'")
	if err != nil {
		return 0, err
	}
	_, err = fmt.Sscanf(text, "%d'", &h)
	return h, err
}

// What the server has acknowledged is there after it was killed in the middle of it (XEP-0198 §4, XEP-0160).
func TestKilled(t *testing.T) {
	t.Parallel()
	for name, begin := range stores {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			killed(t, begin(t, "juliet", "romeo"))
		})
	}
}

func killed(t *testing.T, w *world) {
	t.Helper()
	said := 0
	for round := range 3 {
		w.sayUntilKilled(&said, 40*(round+1))
		if err := w.home.Run(); err != nil {
			t.Fatal(err)
		}
	}
	romeo := w.rawLogin("romeo", "orchard")
	romeo.say(`<presence/>`)
	missing, seen := len(w.acked), map[string]bool{}
	for missing > 0 {
		m, err := romeo.next("</body>")
		if err != nil {
			t.Fatalf("%v, and %d of %d acknowledged messages are lost", err, missing, len(w.acked))
		}
		_, body, _ := strings.Cut(m, "<body>")
		if seen[body] {
			t.Errorf("%s came twice", body)
		}
		seen[body] = true
		if w.acked[body] {
			missing--
		}
	}
	t.Logf("%d said, %d acknowledged, %d delivered", said, len(w.acked), len(seen))
}

// sayUntilKilled says messages to somebody who is not there, and kills the server once so many are acknowledged.
func (w *world) sayUntilKilled(said *int, enough int) {
	w.t.Helper()
	r := w.rawLogin("juliet", "balcony")
	first, taken := *said, 0
	for taken < enough {
		var batch strings.Builder
		for range 10 {
			fmt.Fprintf(&batch, "<message to='romeo@%s' type='chat' id='w%d'><body>word %d</body></message>", imserver.Domain, *said, *said)
			*said++
		}
		r.say(batch.String())
		h, err := r.handled()
		if err != nil {
			w.t.Fatal(err)
		}
		taken = h
	}
	// Some more are on their way when it dies.
	var rest strings.Builder
	for range 200 {
		fmt.Fprintf(&rest, "<message to='romeo@%s' type='chat' id='w%d'><body>word %d</body></message>", imserver.Domain, *said, *said)
		*said++
	}
	r.say(rest.String())
	killed := make(chan struct{})
	go func() {
		w.home.Kill()
		close(killed)
	}()
	for {
		h, err := r.handled()
		if err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				w.t.Error(err)
			}
			break
		}
		taken = h
	}
	<-killed
	for i := range taken {
		w.acked[fmt.Sprintf("word %d</body>", first+i)] = true
	}
}
