package login_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sallyport/testbed/imserver"
)

// Agents of a client (XEP-0388).
const (
	phone  = "d4565fa7-4d72-4749-b3d3-740edbf87770"
	laptop = "e11e5aa6-9a3f-4b2b-8b53-5a0d6e3c3c11"
)

const bind2 = "<bind xmlns='urn:xmpp:bind:0'><tag>bench</tag><enable xmlns='urn:xmpp:carbons:2'/><enable xmlns='urn:xmpp:sm:3' resume='true'/><inactive xmlns='urn:xmpp:csi:0'/></bind>"

var bindings = map[string]string{"HT-SHA-256-EXPR": exporter, "HT-SHA-256-ENDP": endPoint}

// token is one that was given (XEP-0484), and how it is used.
type token struct {
	user, agent, mechanism, value string
	fast                          string // attributes of <fast/>
	notFast                       bool
	more                          string
	data                          []byte // where it is not that of the channel
}

// by tries to log in with a token.
func (s *strand) by(k token) string {
	s.t.Helper()
	data := k.data
	if b := bindings[k.mechanism]; b != "" && data == nil {
		data = s.bound(b)
	}
	mac := func(who string) []byte {
		m := hmac.New(sha256.New, []byte(k.value))
		m.Write(append([]byte(who), data...))
		return m.Sum(nil)
	}
	more := "<user-agent id='" + k.agent + "'/>" + k.more
	if !k.notFast {
		more += "<fast xmlns='urn:xmpp:fast:0'" + k.fast + "/>"
	}
	s.say(profile{two: true, more: more}.auth(k.mechanism, append([]byte(k.user+"\x00"), mac("Initiator")...)))
	said := s.until("</success>", "</failure>")
	if strings.HasSuffix(said, "</success>") && !strings.Contains(said, "<additional-data>"+encode(mac("Responder"))+"</additional-data>") {
		s.t.Errorf("the server has not proven that it knows the token: %s", said)
	}
	return said
}

// wallet is the running program, and somebody who logs in to it.
type wallet struct {
	t *testing.T
	h *imserver.Home
}

func (w wallet) connects() *strand { return connects(w.t, w.h, true, only(tls.VersionTLS13)) }

// given is a token for an agent, with what else was said.
func (w wallet) given(agent, mechanism, password string) (token, string) {
	w.t.Helper()
	a := juliet("SCRAM-SHA-512-PLUS", exporter)
	a.password, a.two = password, true
	a.more = "<user-agent id='" + agent + "'/>" + bind2 + "<request-token xmlns='urn:xmpp:fast:0' mechanism='" + mechanism + "'/>"
	s := w.connects()
	said := s.in(a)
	k, ok := granted(said)
	if !ok || !strings.Contains(said, "<authorization-identifier>juliet@"+imserver.Domain+"/bench/") || !strings.Contains(said, "<enabled xmlns='urn:xmpp:sm:3'") {
		w.t.Fatalf("told %s", said)
	}
	if expiry, err := time.Parse(time.RFC3339, between(said, "expiry='", "'")); err != nil || time.Until(expiry) < 13*24*time.Hour || time.Until(expiry) > 15*24*time.Hour {
		w.t.Errorf("it is good until %v, %v", expiry, err)
	}
	return token{user: "juliet", agent: agent, mechanism: mechanism, value: k}, said
}

func granted(said string) (string, bool) {
	k := between(said, " token='", "'")
	return k, k != ""
}

func (w wallet) takes(what string, k token) string {
	w.t.Helper()
	said := w.connects().by(k)
	if !strings.HasSuffix(said, "</success>") {
		w.t.Errorf("%s: %s", what, said)
	}
	return said
}

func (w wallet) refuses(what string, k token, condition string) {
	w.t.Helper()
	if said := w.connects().by(k); !strings.Contains(said, "<failure xmlns='urn:xmpp:sasl:2'><"+condition+" xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>") {
		w.t.Errorf("%s: %s", what, said)
	}
}

// alters changes what is kept of the tokens, as time would.
func (w wallet) alters(sql string) {
	w.t.Helper()
	const program = "import sqlite3,sys; c=sqlite3.connect(sys.argv[1],timeout=30); n=c.execute(sys.argv[2]).rowcount; c.commit(); print(n)"
	out, err := exec.CommandContext(w.t.Context(), python, "-c", program, filepath.Join(w.h.Dir, "state", "server.db"), sql).CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) == "0" {
		w.t.Fatalf("%v: %s", err, out)
	}
}

// A token logs in by each mechanism, bound to the channel or not; for nobody else, nowhere else, and by nothing else.
func TestTokens(t *testing.T) {
	w := wallet{t, running(t, "", "juliet", "romeo")}
	for _, m := range []string{"HT-SHA-256-EXPR", "HT-SHA-256-ENDP", "HT-SHA-256-NONE"} {
		k, _ := w.given(phone, m, imserver.Password)
		w.takes(m, k)
		w.takes(m+" again", k)
		with := k
		with.more = bind2
		if said := w.takes(m+" with a resource", with); !strings.Contains(said, "<bound xmlns='urn:xmpp:bind:0'>") || strings.Contains(said, "<token") {
			t.Errorf("%s: told %s", m, said)
		}
		for what, change := range map[string]func(*token){
			"of another agent": func(k *token) { k.agent = laptop },
			"of another":       func(k *token) { k.user = "romeo" },
			"of nobody":        func(k *token) { k.user = "nobody" },
			"another":          func(k *token) { k.value += "x" },
			"of another channel": func(k *token) {
				k.data = []byte(strings.Repeat("x", 32))
			},
		} {
			other := k
			change(&other)
			w.refuses(m+", "+what, other, "not-authorized")
		}
		other := k
		other.notFast = true
		w.refuses(m+" without FAST", other, "invalid-mechanism")
		for by := range bindings {
			if other := k; by != m {
				other.mechanism = by
				w.refuses(m+" by "+by, other, "not-authorized")
			}
		}
	}
}

// A token is replaced when it is old, works until its successor is used, and not when its time is over, when its owner does not want it any more, or
// when the password is another.
func TestTokensEnd(t *testing.T) {
	w := wallet{t, running(t, "", "juliet")}
	const day = 24 * 60 * 60 * 1_000_000
	old, _ := w.given(phone, "HT-SHA-256-EXPR", imserver.Password)
	beside, _ := w.given(laptop, "HT-SHA-256-NONE", imserver.Password)
	w.alters(fmt.Sprintf("UPDATE tokens SET issued = issued - %d WHERE agent = '%s'", 2*day, phone))
	value, ok := granted(w.takes("an old one", old))
	if !ok {
		t.Error("it is not replaced")
	}
	w.takes("an old one whose successor may have been lost", old)
	next := old
	next.value = value
	if said := w.takes("its successor", next); strings.Contains(said, "<token") {
		t.Errorf("a fresh one is replaced: %s", said)
	}
	w.refuses("replaced", old, "not-authorized")
	w.takes("that of another agent", beside)

	last := next
	last.fast = " invalidate='true'"
	if said := w.takes("for the last time", last); strings.Contains(said, "<token") {
		t.Errorf("told %s", said)
	}
	w.refuses("given back", next, "not-authorized")
	w.takes("that of another agent", beside)

	w.alters(fmt.Sprintf("UPDATE tokens SET expires = %d", time.Now().Add(-time.Minute).UnixMicro()))
	w.refuses("expired", beside, "credentials-expired")

	fresh, _ := w.given(phone, "HT-SHA-256-ENDP", imserver.Password)
	const password = "another horse battery"
	s := in13(t, w.h)
	s.say("<iq type='set' id='p' to='" + imserver.Domain + "'><query xmlns='jabber:iq:register'><username>juliet</username><password>" + password + "</password></query></iq>")
	if said := s.until("id='p'", "</stream:stream>"); strings.Contains(said, "error") {
		t.Fatal(said)
	}
	w.refuses("under the password before", fresh, "credentials-expired")
	fresh, _ = w.given(phone, "HT-SHA-256-ENDP", password)
	w.takes("under the new password", fresh)
}

// Nothing can be said in early data (0-RTT), which anybody could say again: it is not offered, and no ticket allows it. So the count against
// replays (XEP-0484 §3.4) is not asked for, and one that comes says nothing.
func TestNoEarlyData(t *testing.T) {
	w := wallet{t, running(t, "", "juliet")}
	k, _ := w.given(phone, "HT-SHA-256-EXPR", imserver.Password)
	if said := w.connects().features; !strings.Contains(said, "<fast xmlns='urn:xmpp:fast:0'>") {
		t.Errorf("offered: %s", said)
	}
	for _, count := range []string{" count='2'", " count='2'", " count='1'", ""} {
		k.fast = count
		w.takes("with"+count, k)
	}
	for _, way := range [][]string{{"-connect", w.h.Direct.String(), "-alpn", "xmpp-client"}, {"-connect", w.h.Clients.String(), "-starttls", "xmpp", "-xmpphost", imserver.Domain}} {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		cmd := exec.CommandContext(ctx, "openssl", append([]string{"s_client", "-tls1_3", "-ign_eof", "-servername", imserver.Domain}, way...)...)
		cmd.Stdin = strings.NewReader(open + "</stream:stream>\n") // before whose end all tickets have come
		out, _ := cmd.CombinedOutput()                             // how it ended stands in what it says
		tickets, none := strings.Count(string(out), "Max Early Data:"), strings.Count(string(out), "Max Early Data: 0\n")
		if tickets == 0 || none != tickets {
			t.Errorf("%v: %d tickets, %d of them without early data: %s", way, tickets, none, out)
		}
	}
}

// All in one request: a token, and the session that was lost, with what came meanwhile; where that session is not there any more, a new one.
func TestInline(t *testing.T) {
	w := wallet{t, running(t, "", "juliet")}
	k, said := w.given(phone, "HT-SHA-256-EXPR", imserver.Password) // its connection is still there, and is taken from
	address, id := between(said, "<authorization-identifier>", "<"), between(said, "<enabled xmlns='urn:xmpp:sm:3' id='", "'")
	other := in13(t, w.h)
	other.say("<message to='" + address + "' type='chat' id='m'><body>meanwhile</body></message><r xmlns='urn:xmpp:sm:3'/>")
	other.until("<a xmlns='urn:xmpp:sm:3' h='1'/>")
	k.more = "<resume xmlns='urn:xmpp:sm:3' h='0' previd='" + id + "'/>" + bind2
	s := w.connects()
	if said := s.by(k); !strings.Contains(said, "<authorization-identifier>"+address+"<") || !strings.Contains(said, "<resumed xmlns='urn:xmpp:sm:3' h='0' previd='"+id+"'/>") ||
		strings.Contains(said, "<bound") {
		t.Errorf("told %s", said)
	}
	if said := s.until("<body>meanwhile</body>"); strings.Contains(said, "<stream:features") { // XEP-0198 §9.2
		t.Errorf("told before what was missed: %s", said)
	}
	s.say("</stream:stream>")
	s.until("</stream:stream>")
	said = w.takes("after the end", k)
	failed := strings.Index(said, "<failed xmlns='urn:xmpp:sm:3'><item-not-found")
	if bound := strings.Index(said, "<bound xmlns='urn:xmpp:bind:0'><metadata xmlns='urn:xmpp:mam:2'><start id='"); failed < 0 || bound < failed ||
		!strings.Contains(said[bound:], "<enabled xmlns='urn:xmpp:sm:3'") {
		t.Errorf("told %s", said)
	}
}
