package blocking_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"sallyport/internal/xmpp/jid"
	"sallyport/server"
	"sallyport/server/blocking"
	"sallyport/server/servertest"
)

const (
	juliet  = "juliet@capulet.com"
	chamber = juliet + "/chamber"
	romeo   = "romeo@montague.net"
)

type world struct {
	server.Feature
	*testing.T
	core servertest.Core
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t}
	w.core.Online = []server.Resource{{JID: jid.MustParse(chamber)}}
	w.core.Bound = []server.Resource{{JID: jid.MustParse(juliet + "/balcony")}, {JID: jid.MustParse(juliet + "/garden")}}
	w.Feature = blocking.New(blocking.Config{Store: servertest.Store(t, juliet), Core: &w.core})
	return w
}

// asks does what the server does with a request: the answer, and what comes behind it.
func (w *world) asks(kind, from, payload string) string {
	w.Helper()
	a := servertest.Ask(w.T, w.Feature, kind, from, "", payload)
	if a.Then != nil {
		a.Then()
	}
	return servertest.Said(w.T, a)
}

func command(name string, who ...string) string {
	if len(who) == 0 {
		return "<" + name + " xmlns='urn:xmpp:blocking'/>"
	}
	return "<" + name + " xmlns='urn:xmpp:blocking'><item jid='" + strings.Join(who, "'/><item jid='") + "'/></" + name + ">"
}

// pushes gives those who were told, and what.
func (w *world) pushes(payload string) []string {
	w.Helper()
	var to []string
	for _, text := range w.core.Told(w.T) {
		s := servertest.Stanza(w.T, text)
		if got := servertest.Text(w.T, s.Payload()); got != payload || s.From().String() != juliet || s.ID() == "" {
			w.Errorf("pushed %s, want %s", text, payload)
		}
		to = append(to, s.To().Resource())
	}
	return to
}

// TestList has the examples of XEP-0191 §3.
func TestList(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, from := range []string{chamber, juliet + "/balcony"} { // the third does not ask
		if got := w.asks("get", from, command("blocklist")); got != command("blocklist") {
			t.Errorf("§3.2, empty: %s", got)
		}
	}
	if got := w.asks("set", chamber, command("block", romeo, "iago@shakespeare.lit")); got != "" {
		t.Errorf("§3.3: %s", got)
	}
	if got := w.pushes(command("block", romeo, "iago@shakespeare.lit")); !slices.Equal(got, []string{"chamber", "balcony"}) {
		t.Errorf("§3.3: pushed to %v", got)
	}
	if got := w.core.Shown(); !slices.Equal(got, []string{juliet + " hidden from " + romeo, juliet + " hidden from iago@shakespeare.lit"}) {
		t.Errorf("§3.3: %v", got)
	}
	w.asks("set", chamber, command("block", romeo))
	w.core.Told(t)
	if got := w.core.Shown(); got != nil {
		t.Errorf("blocked again: %v", got)
	}
	if got := w.asks("get", chamber, command("blocklist")); got != command("blocklist", "iago@shakespeare.lit", romeo) {
		t.Errorf("§3.2: %s", got)
	}
	if got := w.asks("set", chamber, command("unblock", romeo)); got != "" {
		t.Errorf("§3.4: %s", got)
	}
	w.pushes(command("unblock", romeo))
	if got := w.core.Shown(); !slices.Equal(got, []string{juliet + " shown to " + romeo}) {
		t.Errorf("§3.4: %v", got)
	}
	if got := w.asks("set", chamber, command("unblock")); got != "" {
		t.Errorf("§3.5: %s", got)
	}
	w.pushes(command("unblock"))
	if got := w.core.Shown(); !slices.Equal(got, []string{juliet + " shown to iago@shakespeare.lit"}) {
		t.Errorf("§3.5: %v", got)
	}
	if got := w.asks("get", chamber, command("blocklist")); got != command("blocklist") {
		t.Errorf("after §3.5: %s", got)
	}
}

// Who blocks a domain is gone for those of his contacts that are there, and comes back for them (XEP-0191 §3.3, §5); for whom he was gone
// before he stays it, and hears nothing.
func TestADomain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, j := range []string{romeo, "benvolio@montague.net", "mercutio@verona.lit", "montague.net"} {
		w.core.Seen = append(w.core.Seen, jid.MustParse(j))
	}
	w.asks("set", chamber, command("block", romeo))
	w.core.Shown()
	w.asks("set", chamber, command("block", "montague.net"))
	if got := w.core.Shown(); !slices.Equal(got, []string{juliet + " hidden from montague.net", juliet + " hidden from benvolio@montague.net"}) {
		t.Errorf("blocked: %v", got)
	}
	w.asks("set", chamber, command("unblock", "montague.net"))
	if got := w.core.Shown(); !slices.Equal(got, []string{juliet + " shown to montague.net", juliet + " shown to benvolio@montague.net"}) {
		t.Errorf("unblocked: %v", got)
	}
	w.asks("set", chamber, command("block", "montague.net"))
	w.core.Shown()
	w.asks("set", chamber, command("unblock"))
	if got := w.core.Shown(); len(got) != 3 {
		t.Errorf("all unblocked: %v", got)
	}
}

func TestBadCommands(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var many []string
	for i := range blocking.MaxBlocked {
		many = append(many, fmt.Sprintf("u%d@b.example", i))
	}
	for name, tc := range map[string][3]string{
		"§3.3, nobody":       {"set", command("block"), "bad-request"},
		"a get":              {"get", command("block", romeo), "bad-request"},
		"a list that is set": {"set", command("blocklist"), "bad-request"},
		"no address":         {"set", command("block", "@"), "jid-malformed"},
		"unblock no address": {"set", command("unblock", ""), "jid-malformed"},
		"something else":     {"set", "<block xmlns='urn:xmpp:blocking'><who jid='a@b.example'/></block>", "bad-request"},
		"too many at once":   {"set", command("block", append(many, romeo)...), "resource-constraint"},
	} {
		if got := w.asks(tc[0], chamber, tc[1]); got != tc[2] {
			t.Errorf("%s: %s, want %s", name, got, tc[2])
		}
	}
	if got := w.asks("set", chamber, command("block", many...)); got != "" {
		t.Fatal(got)
	}
	if got := w.asks("set", chamber, command("block", romeo)); got != "resource-constraint" {
		t.Errorf("one too many: %s", got)
	}
	if w.Blocks(t.Context(), jid.MustParse(juliet), jid.MustParse(romeo)) {
		t.Error("one that did not fit is blocked")
	}
}

func TestWhoIsBlocked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.asks("set", chamber, command("block", romeo, "tybalt@capulet.com/hall", "evil.example", "room.example/spy", juliet, "capulet.com"))
	for who, want := range map[string]bool{
		romeo: true, romeo + "/orchard": true, "mercutio@montague.net": false, "montague.net": false,
		"tybalt@capulet.com/hall": true, "tybalt@capulet.com": false, "tybalt@capulet.com/garden": false,
		"evil.example": true, "x@evil.example": true, "x@evil.example/y": true, "sub.evil.example": false,
		"r@room.example/spy": true, "r@room.example/friend": false, "room.example/spy": true,
		juliet: false, juliet + "/balcony": false, "capulet.com": false,
	} {
		// The whole own domain is blocked here, but neither the account itself nor its server.
		if strings.HasSuffix(jid.MustParse(who).Domain(), "capulet.com") && !strings.HasPrefix(who, juliet) && who != "capulet.com" {
			want = true
		}
		if got := w.Blocks(t.Context(), jid.MustParse(juliet), jid.MustParse(who)); got != want {
			t.Errorf("%s: %v", who, got)
		}
	}
}

func TestWhatPasses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.asks("set", chamber, command("block", romeo))
	const from = " from='romeo@montague.net/orchard' to='juliet@capulet.com/chamber'"
	const to = " from='juliet@capulet.com/chamber' to='romeo@montague.net'"
	const friend = " from='nurse@capulet.com/n' to='juliet@capulet.com/chamber'"
	tests := []struct {
		name, in string
		out      bool
		want     string // a condition, "taken", or empty for what passes
	}{
		{"§3.3 message", "<message" + from + "><body>b</body></message>", false, "service-unavailable"},
		{"§3.3 presence", "<presence" + from + "/>", false, "taken"},
		{"§3.3 subscription", "<presence" + from + " type='subscribe'/>", false, "taken"},
		{"§3.3 probe", "<presence" + from + " type='probe'/>", false, "taken"},
		{"§3.3 request", "<iq" + from + " type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>", false, "service-unavailable"},
		{"§3.3 answer", "<iq" + from + " type='result' id='1'/>", false, "taken"},
		{"error", "<message" + from + " type='error'><error type='cancel'/></message>", false, "taken"},
		{"of a friend", "<message" + friend + "><body>b</body></message>", false, ""},
		{"said to who is blocked", "<message" + to + "><body>Can you hear me now?</body></message>", true, "not-acceptable"},
		{"presence to who is blocked", "<presence" + to + "/>", true, "not-acceptable"},
		{"going, to who is blocked", "<presence" + to + " type='unavailable'/>", true, "taken"},
		{"presence to everybody", "<presence from='juliet@capulet.com/chamber' to='juliet@capulet.com'/>", true, ""},
		{"said to a friend", "<message from='juliet@capulet.com/chamber' to='nurse@capulet.com'><body>b</body></message>", true, ""},
	}
	for _, tc := range tests {
		pass := servertest.Comes
		if tc.out {
			pass = servertest.Sends
		}
		_, err := pass(t, w.Feature, tc.in)
		got := servertest.Condition(err)
		if errors.Is(err, server.ErrTaken) {
			got = "taken"
		}
		if got != tc.want || err == nil != (tc.want == "") {
			t.Errorf("%s: %v, want %q", tc.name, err, tc.want)
		}
		var b *server.Bounce
		if errors.As(err, &b) && tc.out && servertest.Text(t, b.App) != "<blocked xmlns='urn:xmpp:blocking:errors'/>" {
			t.Errorf("%s: the sender is told %s", tc.name, servertest.Text(t, b.App))
		}
	}
}

// failing is a store that cannot be read.
type failing struct{ blocking.Store }

func (failing) Blocked(context.Context, jid.JID) ([]jid.JID, error) { return nil, errors.New("gone") }

func TestWhenTheListCannotBeRead(t *testing.T) {
	t.Parallel()
	f := blocking.New(blocking.Config{Store: failing{}, Core: &servertest.Core{}})
	if !f.Blocks(t.Context(), jid.MustParse(juliet), jid.MustParse(romeo)) {
		t.Error("somebody who may be blocked comes through")
	}
	if got := servertest.Said(t, servertest.Get(t, f, chamber, "", command("blocklist"))); got != "internal-server-error" {
		t.Errorf("the list: %s", got)
	}
}

// Those who are gone are not remembered for ever.
func TestManyWhoAsk(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.asks("get", chamber, command("blocklist"))
	for i := range 1000 {
		w.asks("get", fmt.Sprintf("%s/%d", juliet, i), command("blocklist"))
	}
	w.asks("set", chamber, command("block", romeo))
	if got := w.pushes(command("block", romeo)); !slices.Equal(got, []string{"chamber"}) {
		t.Errorf("pushed to %v", got)
	}
}
