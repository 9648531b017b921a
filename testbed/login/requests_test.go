package login_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"sallyport/testbed/imserver"
)

// asker makes requests of BOSH (XEP-0124), as somebody who knows how they look.
type asker struct {
	t    *testing.T
	http *http.Client
	sid  string
	rid  int
	told string // while it waited for something
}

// post gives the answer, and its status.
func (a *asker) post(body string) (int, string) {
	a.t.Helper()
	answer, err := a.http.Post("https://"+imserver.Domain+"/bosh", "text/xml; charset=utf-8", strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	defer answer.Body.Close()
	said, err := io.ReadAll(answer.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	return answer.StatusCode, string(said)
}

func body(rid int, attrs, inside string) string {
	return fmt.Sprintf("<body xmlns='http://jabber.org/protocol/httpbind' xmlns:xmpp='urn:xmpp:xbosh' rid='%d' %s>%s</body>", rid, attrs, inside)
}

func (a *asker) begin(attrs string) string {
	a.t.Helper()
	a.rid = 1_000
	_, said := a.post(body(a.rid, "to='"+imserver.Domain+"' ver='1.6' xmpp:version='1.0' "+attrs, ""))
	a.sid = between(said, " sid='", "'")
	return said
}

// ask makes a request so many ids after the last.
func (a *asker) ask(ahead int, attrs, inside string) string {
	a.t.Helper()
	a.rid += ahead
	_, said := a.post(body(a.rid, "sid='"+a.sid+"' "+attrs, inside))
	return said
}

// Requests that do not follow the rules end their session, and nobody else's; what is asked for beyond bounds is cut to them.
func TestRequests(t *testing.T) {
	h := running(t, "", "juliet")
	web := net.JoinHostPort(h.Clients.Addr().String(), "5443")
	if err := h.Restart("\n[server.web]\nlisten = [\"" + web + "\"]\nbosh = true\n\n[server.login]\nmechanisms = [\"SCRAM-SHA-256\", \"PLAIN\"]\n"); err != nil {
		t.Fatal(err)
	}
	const usual = "wait='1' hold='1'"
	begins := func(t *testing.T, attrs string) *asker {
		t.Helper()
		a := &asker{t: t, http: authority{t: t, h: h}.browser(web, nil)}
		if said := a.begin(attrs); len(a.sid) < 20 || !strings.Contains(said, "<features ") {
			t.Fatal(said)
		}
		return a
	}
	t.Run("bounds", func(t *testing.T) {
		a := begins(t, usual)
		for attrs, want := range map[string][]string{
			"wait='100000' hold='7'": {" wait='60'", " hold='1'", " requests='2'", " inactivity='30'", " polling='5'", " maxpause='120'"},
			"wait='0' hold='1'":      {" wait='0'", " hold='0'", " requests='1'"},
		} {
			said := a.begin(attrs)
			for _, w := range want {
				if !strings.Contains(said, w) {
					t.Errorf("%s: no %s in %s", attrs, w, said)
				}
			}
		}
	})
	const gone = "condition='item-not-found' type='terminate'"
	for _, tc := range []struct {
		name string
		ask  func(a *asker) string
		want string
		ends bool
	}{
		{"the next", func(a *asker) string { return a.ask(1, "", "") }, "<body xmlns='http://jabber.org/protocol/httpbind'/>", false},
		{"beyond the window", func(a *asker) string { return a.ask(5, "", "") }, gone, true},
		{"of long ago", func(a *asker) string { return a.ask(-500, "", "") }, gone, true},
		{"of another session", func(a *asker) string { _, said := a.post(body(a.rid+1, "sid='x"+a.sid+"'", "")); return said }, gone, false},
		{"no session", func(a *asker) string { _, said := a.post(body(1, "sid=''", "")); return said }, "type='terminate'", false},
		{"no body", func(a *asker) string { _, said := a.post("hello"); return said }, "condition='bad-request'", false},
		{"broken inside", func(a *asker) string { return a.ask(1, "", "<message>") }, "condition='bad-request'", true},
		{"document type", func(a *asker) string {
			_, said := a.post("<!DOCTYPE x>" + body(a.rid+1, "sid='"+a.sid+"'", ""))
			return said
		}, "condition='bad-request'", false},
		{"a stanza before the login", func(a *asker) string { return a.ask(1, "", "<presence xmlns='jabber:client'/>") }, "<not-authorized ", true},
		{"the same again", func(a *asker) string { a.ask(1, "", ""); return a.ask(0, "", "") }, "<body xmlns='http://jabber.org/protocol/httpbind'/>", false},
		{"a pause", func(a *asker) string { return a.ask(1, "pause='60'", "") }, "<body xmlns='http://jabber.org/protocol/httpbind'/>", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			other, a := begins(t, usual), begins(t, usual)
			if said := tc.ask(a); !strings.Contains(said, tc.want) {
				t.Errorf("told %s", said)
			}
			if ended := strings.Contains(a.ask(1, "", ""), "terminate"); ended != tc.ends {
				t.Errorf("ended: %v", ended)
			}
			if said := other.ask(1, "", ""); strings.Contains(said, "terminate") {
				t.Errorf("the other's ended: %s", said)
			}
		})
	}
	t.Run("polling too often", func(t *testing.T) {
		a := begins(t, "wait='0' hold='0'")
		said := ""
		for i := 0; i < 10 && !strings.Contains(said, "terminate"); i++ {
			said = a.ask(1, "", "")
		}
		if !strings.Contains(said, "condition='policy-violation'") {
			t.Errorf("told %s", said)
		}
	})
	t.Run("an unknown host", func(t *testing.T) {
		a := &asker{t: t, http: authority{t: t, h: h}.browser(web, nil)}
		if _, said := a.post(body(1, "to='nosuch.example' ver='1.6' xmpp:version='1.0' wait='2' hold='1'", "")); !strings.Contains(said, "condition='host-unknown'") {
			t.Errorf("told %s", said)
		}
	})
	t.Run("a large body of a stranger", func(t *testing.T) {
		a := begins(t, usual)
		if status, said := a.post(body(a.rid+1, "sid='"+a.sid+"'", strings.Repeat(" ", 300<<10))); status != http.StatusRequestEntityTooLarge {
			t.Errorf("%d %s", status, said)
		}
	})
}
