package login_test

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"sallyport/testbed/imserver"
)

// In the end of the server who waits for an answer to a request is told of it, and so is who asks only then.
func TestRequestsInTheEnd(t *testing.T) {
	h := running(t, "", "juliet")
	web := net.JoinHostPort(h.Clients.Addr().String(), "5443")
	if err := h.Restart("\n[server.web]\nlisten = [\"" + web + "\"]\nbosh = true\n"); err != nil {
		t.Fatal(err)
	}
	begins := func() *asker {
		a := &asker{t: t, http: authority{t: t, h: h}.browser(web, nil)}
		if said := a.begin("wait='60' hold='1'"); len(a.sid) < 20 || !strings.Contains(said, "<features ") {
			t.Fatal(said)
		}
		return a
	}
	told := func(said string) {
		t.Helper()
		if !strings.Contains(said, "condition='remote-stream-error'") || !strings.Contains(said, "type='terminate'") || !strings.Contains(said, "<system-shutdown ") {
			t.Errorf("told %s", said)
		}
	}
	waits, silent := begins(), begins()
	answer, stopped := make(chan string, 1), make(chan error, 1)
	go func() {
		said, err := waits.http.Post("https://"+imserver.Domain+"/bosh", "text/xml; charset=utf-8", strings.NewReader(body(waits.rid+1, "sid='"+waits.sid+"'", "")))
		if err != nil {
			answer <- err.Error()
			return
		}
		defer said.Body.Close()
		b, err := io.ReadAll(said.Body)
		answer <- fmt.Sprint(string(b), err)
	}()
	go func() { stopped <- h.Stop() }()
	told(<-answer)
	told(silent.ask(1, "", ""))
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}
