package c2s_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"sallyport/internal/xmpp/stream"
	"sallyport/server/c2s"
)

// asker speaks requests.
type asker struct {
	t    *testing.T
	http *http.Client
	url  string
	sid  string
	rid  int
	wait int // seconds
}

func (b *bed) asker(url string) *asker {
	b.t.Helper()
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: b.roots, ServerName: "im.example"}}
	b.t.Cleanup(transport.CloseIdleConnections)
	return &asker{t: b.t, http: &http.Client{Transport: transport}, url: url, rid: 1_000_000, wait: 5}
}

func (a *asker) post(body string) string {
	a.t.Helper()
	answer, err := a.http.Post(a.url, "text/xml; charset=utf-8", strings.NewReader(body))
	if err != nil {
		a.t.Error(err)
		return ""
	}
	defer answer.Body.Close()
	said, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK || answer.Header.Get("Content-Type") != "text/xml; charset=utf-8" {
		a.t.Errorf("%s, %v: %s", answer.Status, err, said)
	}
	return string(said)
}

// ask makes the next request.
func (a *asker) ask(attrs, inside string) string {
	a.t.Helper()
	a.rid++
	return a.post(fmt.Sprintf("<body xmlns='http://jabber.org/protocol/httpbind' xmlns:xmpp='urn:xmpp:xbosh' rid='%d' sid='%s' %s>%s</body>", a.rid, a.sid, attrs, inside))
}

func (a *asker) open() string {
	a.t.Helper()
	said := a.post(fmt.Sprintf("<body xmlns='http://jabber.org/protocol/httpbind' xmlns:xmpp='urn:xmpp:xbosh' rid='%d' to='im.example' hold='1' wait='%d' "+
		"ver='1.6' xmpp:version='1.0' content='text/xml; charset=utf-8'/>", a.rid, a.wait))
	_, rest, _ := strings.Cut(said, "sid='")
	a.sid, _, _ = strings.Cut(rest, "'")
	return said
}

// until asks on until something was said.
func (a *asker) until(words, said string) string {
	a.t.Helper()
	for range 10 {
		if strings.Contains(said, words) {
			return said
		}
		said += a.ask("", "")
	}
	a.t.Fatalf("not %q: %s", words, said)
	return said
}

func (a *asker) login() {
	a.t.Helper()
	if said := a.open(); !strings.Contains(said, "<features xmlns='http://etherx.jabber.org/streams'>") || !strings.Contains(said, " authid='") || strings.Contains(said, "<open") {
		a.t.Fatalf("opened with %s", said)
	}
	a.until("<success", a.ask("", plain("open")))
	a.until("<bind", a.ask("to='im.example' xmpp:restart='true'", ""))
	a.until("<jid>juliet@im.example/desk</jid>", a.ask("", strings.Replace(bind, "<iq", "<iq"+nsClient, 1)))
}

func (b *bed) bosh(o c2s.WebOptions) string {
	return "https://" + b.web(b.server.BOSH(b.t.Context(), o)) + "/bosh"
}

func TestBOSH(t *testing.T) {
	b := newBed(t)
	a := b.asker(b.bosh(c2s.WebOptions{}))
	a.login()
	said := a.until("<body>o</body>", a.ask("", `<message`+nsClient+` to='romeo@im.example'><body>o</body></message>`))
	if !strings.Contains(said, `<message xmlns='jabber:client' from='juliet@im.example/desk' to='juliet@im.example/desk'><body>o</body></message>`) {
		t.Errorf("got %s", said)
	}
	if said := a.ask("type='terminate'", `<message`+nsClient+` to='romeo@im.example'><body>last</body></message>`); !strings.Contains(said, "type='terminate'") {
		t.Errorf("the end: %s", said)
	}
	if end := <-b.house.ends; end.Cause != stream.ClosedByPeer {
		t.Errorf("ended %+v", end)
	}
	if said := a.ask("", ""); !strings.Contains(said, "condition='item-not-found' type='terminate'") {
		t.Errorf("after the end: %s", said)
	}
}

// What ends the stream is told with the condition of a stream error; what is no body, at once.
func TestBOSHErrors(t *testing.T) {
	for _, tc := range []struct {
		name, attrs, inside, want, stream string
	}{
		{"element of nobody", "", "<hello/>", "condition='remote-stream-error'", "<unsupported-stanza-type"},
		{"somebody else", "", "<message" + nsClient + " from='mallory@im.example'/>", "condition='remote-stream-error'", "<invalid-from"},
		{"too large", "", "<message" + nsClient + "><body>" + strings.Repeat("x", 300<<10) + "</body></message>", "condition='remote-stream-error'", "<policy-violation"},
		{"text", "", "hello", "condition='bad-request'", ""},
		{"broken XML", "", "<message>", "condition='bad-request'", ""},
		{"a comment", "", "<!-- -->", "condition='bad-request'", ""},
		{"not the next id", "rid='7'", "", "condition='bad-request'", ""}, // twice the same attribute
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBed(t)
			a := b.asker(b.bosh(c2s.WebOptions{}))
			a.login()
			said := a.ask(tc.attrs, tc.inside)
			if !strings.Contains(said, tc.want) && tc.stream != "" {
				said = a.until(tc.want, said)
			}
			if !strings.Contains(said, tc.want) || !strings.Contains(said, tc.stream) {
				t.Errorf("got %s", said)
			}
			if end := <-b.house.ends; end.Cause != stream.OurError {
				t.Errorf("ended %+v", end)
			}
		})
	}
}

// Where a session cannot begin, the client is told what is wrong with its domain (XEP-0124 §17.2).
func TestBOSHDomains(t *testing.T) {
	b := newBed(t)
	for to, want := range map[string]string{
		" to='nosuch.example'": "host-unknown", "": "improper-addressing", " to=''": "improper-addressing", " to='a@im.example'": "improper-addressing",
	} {
		a := b.asker(b.bosh(c2s.WebOptions{}))
		said := a.post("<body xmlns='http://jabber.org/protocol/httpbind' rid='1' wait='1' hold='1' ver='1.6'" + to + "/>")
		if !strings.Contains(said, "condition='"+want+"'") || !strings.Contains(said, "type='terminate'") {
			t.Errorf("%s: %s, want %s", to, said, want)
		}
	}
}

// Who is not logged in sends little; who is nobody gets nothing.
func TestBOSHStrangers(t *testing.T) {
	b := newBed(t)
	a := b.asker(b.bosh(c2s.WebOptions{Origins: []string{"chat.example"}}))
	a.sid = "nobody"
	if said := a.ask("", ""); !strings.Contains(said, "item-not-found") {
		t.Errorf("got %s", said)
	}
	answer, err := a.http.Post(a.url, "text/xml", strings.NewReader("<body xmlns='http://jabber.org/protocol/httpbind' rid='1' sid='nobody'>"+strings.Repeat(" ", 100<<10)))
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("a large body of nobody: %s", answer.Status)
	}
	for _, tc := range []struct {
		method, origin string
		status         int
		allowed        string
	}{
		{"OPTIONS", "https://chat.example", 204, "https://chat.example"},
		{"OPTIONS", "https://evil.example", 403, ""},
		{"POST", "https://evil.example", 403, ""},
		{"POST", "null", 403, ""},
		{"GET", "", 405, ""},
	} {
		r, err := http.NewRequestWithContext(t.Context(), tc.method, a.url, strings.NewReader("<x/>"))
		if err != nil {
			t.Fatal(err)
		}
		if tc.origin != "" {
			r.Header.Set("Origin", tc.origin)
		}
		answer, err := a.http.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != tc.status || answer.Header.Get("Access-Control-Allow-Origin") != tc.allowed {
			t.Errorf("%s from %q: %s, %q allowed", tc.method, tc.origin, answer.Status, answer.Header.Get("Access-Control-Allow-Origin"))
		}
	}
}

// Unauthenticated sessions of an address are as many as connections.
func TestBOSHPending(t *testing.T) {
	b := newBed(t)
	url := b.bosh(c2s.WebOptions{})
	for range c2s.MaxPending {
		b.asker(url).open()
	}
	if said := b.asker(url).open(); !strings.Contains(said, "policy-violation") {
		t.Errorf("one too many: %s", said)
	}
}
