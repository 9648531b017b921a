package s2s_test

import (
	"regexp"
	"strings"
	"testing"

	"sallyport/internal/tlsid/tlsidtest"
	"sallyport/links/s2s"
)

var sessionID = regexp.MustCompile(`<enabled[^>]* id='([^']+)'`)

// loginAs opens a stream to b under another of the peer's domains.
func loginAs(t *testing.T, w *world, cert *tlsidtest.Leaf, domain string) *raw {
	t.Helper()
	r := dialRaw(t, w.b, false)
	r.say(head, domain, "b.example")
	r.hear("</stream:features>")
	r.say(starttls)
	r.hear("<proceed")
	r.secure(cert, "b.example")
	r.say(head, domain, "b.example")
	r.hear("EXTERNAL")
	r.say(external)
	r.hear("<success")
	r.say(head, domain, "b.example")
	r.hear("<stream:features")
	return r
}

// TestD15: a session is resumed by nobody but its owner: not by another domain that knows the id, not before authentication; and the
// attempt costs the owner nothing.
func TestD15(t *testing.T) {
	w := newWorld(t, setup{edit: func(_, b *s2s.Config) { b.Manage.ResumeFor = 0 }})
	owner := login(t, w)
	owner.say("<enable xmlns='urn:xmpp:sm:3' resume='true'/>")
	owner.hear("<enabled")
	owner.hear(">")
	m := sessionID.FindStringSubmatch(owner.all)
	if m == nil {
		t.Fatalf("no session id in %q", owner.all)
	}
	thief := loginAs(t, w, tlsidtest.Must(w.ca.Issue(tlsidtest.Options{DNS: []string{"x.a.example"}})), "x.a.example")
	for _, id := range []string{m[1], "nosuch"} {
		thief.say("<resume xmlns='urn:xmpp:sm:3' previd='%s' h='0'/>", id)
		thief.hear("item-not-found")
	}
	owner.say("<presence from='u@a.example' to='v@b.example'><status>n1</status></presence>")
	inOrder(t, w.b.sink.wait(t, 1), 1, 1)

	_ = owner.conn.Close() // the owner's connection breaks; whoever it is, only the owner gets the parked session
	thief.say("<resume xmlns='urn:xmpp:sm:3' previd='%s' h='0'/>", m[1])
	thief.hear("item-not-found")
	again := login(t, w)
	again.say("<resume xmlns='urn:xmpp:sm:3' previd='%s' h='0'/>", m[1])
	again.hear("<resumed")
	again.say("<presence from='u@a.example' to='v@b.example'><status>n2</status></presence>")
	inOrder(t, w.b.sink.wait(t, 2), 1, 2)
}

// TestD15EarlyResume: before authentication the answer is unexpected-request, or the end, never a session.
func TestD15EarlyResume(t *testing.T) {
	w := newWorld(t, setup{})
	r := dialRaw(t, w.b, false)
	r.say(head, "a.example", "b.example")
	r.hear("</stream:features>")
	r.say("<resume xmlns='urn:xmpp:sm:3' previd='x' h='0'/></stream:stream>")
	if said := r.end(); strings.Contains(said, "<resumed") {
		t.Errorf("said %q", said)
	}
}
