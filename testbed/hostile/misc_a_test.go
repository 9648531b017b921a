package hostile_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sallyport/gateway/audit"
)

// endOf finds the record of the end of a connection.
func endOf(address string) func(*audit.Entry) bool {
	return func(e *audit.Entry) bool { return e.StanzaID == address && e.Rule == "stream-down" }
}

// externalEntities: A04. The file is a pipe, at which a reader would still wait; the host is a listener that nobody calls.
func externalEntities(t *testing.T, w *world) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := unix.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	trap, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer trap.Close()
	called := make(chan error, 1)
	go func() {
		c, err := trap.Accept()
		if err == nil {
			_ = c.Close()
		}
		called <- err
	}()
	for i, uri := range []string{"file://" + pipe, "http://" + trap.Addr().String() + "/"} {
		for _, in := range []string{"<!ENTITY x SYSTEM '%s'>", "<!DOCTYPE m [<!ENTITY x SYSTEM '%s'>]><body>&x;</body>"} {
			t.Run(fmt.Sprintf("%d", i+1), func(t *testing.T) {
				for _, s := range allSplits {
					w.play(t, variant{"", message(fmt.Sprintf(in, uri)), streamError("restricted-xml")}, s)
				}
				w.playHeader(t, variant{"", fmt.Sprintf("<!DOCTYPE m [<!ENTITY x SYSTEM '%s'>]>", uri) + bareHeader, streamError("restricted-xml")}, whole, true)
			})
		}
	}
	if f, err := os.OpenFile(pipe, os.O_WRONLY|unix.O_NONBLOCK, 0); !errors.Is(err, unix.ENXIO) {
		_ = f.Close()
		t.Errorf("somebody has opened the file: %v", err)
	}
	_ = trap.Close()
	if err := <-called; err == nil {
		t.Error("somebody has called the host")
	}
}

// anyCase: B10. UTF-8 in any letter case, and no encoding at all, are right.
func anyCase(t *testing.T, w *world) {
	for _, encoding := range []string{" encoding='UTF-8'", " encoding='utf-8'", ` encoding="Utf-8"`, ""} {
		t.Run(encoding, func(t *testing.T) {
			r := w.dial(t, w.outside)
			r.say("<?xml version='1.0'" + encoding + "?>" + strings.NewReplacer("$FROM", "lane0.evil.example", "$TO", "b.example").Replace(bareHeader))
			r.hear("</stream:features>")
			r.say(goodbye)
			if said := r.end(closeLimit); said != goodbye {
				t.Errorf("said %q", said)
			}
		})
	}
}

// whiteSpace: A36. A link may breathe, but not send white space without end.
func whiteSpace(t *testing.T, w *world) {
	l := w.lane(t)
	r := w.login(t, l)
	seq := w.audit.read()
	piece := []byte(strings.Repeat(" \n\t ", 4<<10))
	began := time.Now()
	said := make(chan int, 1)
	go func() {
		n := 0
		for n < 1<<30 && r.write(piece) {
			n += len(piece)
		}
		said <- n
	}()
	if got := r.end(2 * patience); !strings.Contains(got, streamErrorText(streamError("policy-violation"))+goodbye) {
		t.Errorf("said %q", got)
	}
	if took := time.Since(began); took > patience {
		t.Errorf("took %v", took)
	}
	t.Logf("%d bytes could be written until the connection was closed", <-said)
	if e := w.audit.await(t, seq, "end of the stream", endOf(r.address())); e != nil && (e.FromPeer != "evil" || !strings.HasPrefix(e.Reason, "policy-violation")) {
		t.Errorf("recorded %s", show([]audit.Entry{*e}))
	}
}
