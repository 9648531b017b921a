package gateway_test

import (
	"slices"
	"strings"
	"testing"

	"sallyport/gateway/control"
	"sallyport/internal/xmpp/jid"
)

// reloadHome gives the node the server's table anew.
func (n *node) reloadHome(table string) string {
	n.t.Helper()
	n.site.more = table
	n.site.write(n.t)
	n.reloads <- struct{}{}
	n.rest()
	s, err := n.Status(n.t.Context())
	if err != nil {
		n.t.Fatal(err)
	}
	return s.LastReloadError
}

// Labels, clearances and what they name change while people are connected; what the server is does not.
func TestReloadAtHome(t *testing.T) {
	t.Parallel()
	atHome(t, nil, func(t *testing.T, n *node, h *house) {
		h.account(t, "low@home.example", "low")
		h.say(t, said("m1", "free@home.example/r", "low@home.example", secretLabel))
		n.rest()
		wider := strings.Replace(homeTable, "file = \"policy/outside.clearance.xml\"", "file = \"policy/inside.clearance.xml\"", 1)
		if why := n.reloadHome(wider); why != "" {
			t.Fatal(why)
		}
		h.say(t, said("m2", "free@home.example/r", "low@home.example", secretLabel))
		n.rest()
		refusing := strings.Replace(wider, `unlabelled = "default"`, `unlabelled = "refuse"`, 1)
		if why := n.reloadHome(refusing); why != "" {
			t.Fatal(why)
		}
		h.say(t, said("m3", "free@home.example/r", "low@home.example", ""))
		n.rest()
		if got := n.released(); !slices.Equal(got, []string{"m2"}) {
			t.Errorf("delivered %v", got)
		}
		for _, change := range [][2]string{
			{`domains = ["home.example"]`, `domains = ["c.home.example", "home.example"]`},
			{`listen = ["127.0.0.1:3"]`, `listen = ["127.0.0.1:4"]`},
			{homeTable, ""},
		} {
			if why := n.reloadHome(strings.Replace(refusing, change[0], change[1], 1)); change[1] != "" && !strings.Contains(why, "server") {
				t.Errorf("%s: %q", change[1], why)
			}
		}
	})
}

// People whose clients know no labels read the marking in the text, and no text in HTML that would go past it.
func TestFirstLineAtHome(t *testing.T) {
	t.Parallel()
	edit := func(s *site) {
		s.more = strings.Replace(homeTable, "[server.labels]\n", "[server.labels]\nsend-labels = \"never\"\nwrite-first-line = true\n", 1)
	}
	atHome(t, edit, func(t *testing.T, n *node, h *house) {
		h.say(t, said("m1", "a@home.example/r", "b@home.example", secretLabel+
			`<html xmlns='http://jabber.org/protocol/xhtml-im'><body xmlns='http://www.w3.org/1999/xhtml'>hello</body></html>`))
		n.rest()
		if len(h.got) != 1 {
			t.Fatalf("%d delivered", len(h.got))
		}
		s := h.got[0].Stanza()
		if s.Element().Child("urn:xmpp:sec-label:0", "securitylabel") == nil {
			t.Error("the server has lost the label")
		}
		e := n.Shown(s.Element())
		if text := e.Child("jabber:server", "body").Text(); !strings.HasPrefix(text, "[") || !strings.Contains(text, "SECRET]\n") ||
			e.Child("http://jabber.org/protocol/xhtml-im", "html") != nil || e.Child("urn:xmpp:sec-label:0", "securitylabel") != nil {
			t.Errorf("shown %q and more", text)
		}
		if h.gate.MayRead(s, jid.MustParse("b@home.example")) != true {
			t.Error("what was delivered may not be read again")
		}
	})
}

// The running node explains with what accounts are cleared for.
func TestExplainAtHome(t *testing.T) {
	t.Parallel()
	atHome(t, nil, func(t *testing.T, n *node, h *house) {
		h.account(t, "low@home.example", "low")
		for to, want := range map[string]string{"low": "account low@home.example", "free": "released"} {
			text := strings.Replace(said("1", "free@home.example/r", to+"@home.example", secretLabel), "<message ", "<message xmlns='jabber:server' ", 1)
			x, err := n.Explain(t.Context(), control.ExplainQuestion{From: "local", Stanza: text})
			if err != nil || !strings.Contains(string(x), want) {
				t.Errorf("%s: %v, want %q in %s", to, err, want, x)
			}
		}
	})
}
