package gateway_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/gateway/audit"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/server"
	"sallyport/server/account"
)

// What comes from outside is settled when the server has it; what it will not have goes back with the condition that it says.
func TestOthersAndUsers(t *testing.T) {
	t.Parallel()
	atHome(t, nil, func(t *testing.T, n *node, h *house) {
		h.fate = func(id string) error {
			switch id {
			case "m2":
				return &server.Bounce{Condition: stanza.Gone, Cause: errors.New("nobody there")}
			case "m3":
				return errors.New("the disk is full")
			}
			return nil
		}
		h.keep = true
		n.arrive(said("m1", "v@b.example/r", "a@home.example", ""), said("m2", "v@b.example/r", "a@home.example", ""), said("m3", "v@b.example/r", "a@home.example", ""))
		n.rest()
		if n.receipts.settled() != 0 {
			t.Error("acknowledged before the server has it")
		}
		h.settle()
		n.rest()
		n.wantIDs("b.example", "m2", "m3")
		if back := n.link.to("b.example"); back[0].condition() != "gone" || back[1].condition() != "internal-server-error" {
			t.Errorf("back came %s and %s", back[0].condition(), back[1].condition())
		}
		if c := n.balanced(); c.Delivered != 1 || c.Bounced != 2 || n.receipts.settled() != 3 {
			t.Errorf("%+v", c)
		}
	})
}

// The clearances of accounts count for both ends, and a change of one soon after it.
func TestClearancesOfAccounts(t *testing.T) {
	t.Parallel()
	atHome(t, nil, func(t *testing.T, n *node, h *house) {
		h.account(t, "low@home.example", "low")
		h.account(t, "none@home.example", "gone") // which the configuration does not have
		h.account(t, "free@home.example", "")
		for _, tt := range []struct{ id, from, to, label string }{
			{"m1", "free", "free", secretLabel},
			{"m2", "free", "low", secretLabel},
			{"m3", "low", "free", secretLabel},
			{"m4", "free", "low", ""},
			{"m5", "free", "none", ""},
			{"m6", "none", "free", ""},
		} {
			h.say(t, said(tt.id, tt.from+"@home.example/r", tt.to+"@home.example", tt.label))
			n.rest()
		}
		if got := n.released(); !slices.Equal(got, []string{"m1", "m4"}) {
			t.Errorf("delivered %v", got)
		}
		d := account.Directory{Store: &h.people, Now: time.Now}
		if err := d.SetClearance(t.Context(), jid.MustParse("low@home.example"), ""); err != nil {
			t.Fatal(err)
		}
		<-time.After(6 * time.Second)
		h.say(t, said("m7", "free@home.example/r", "low@home.example", secretLabel))
		n.rest()
		if got := n.released(); !slices.Equal(got, []string{"m1", "m4", "m7"}) {
			t.Errorf("an account keeps a clearance that it does not have any more: %v", got)
		}
		if err := d.SetClearance(t.Context(), jid.MustParse("low@home.example"), "low"); err != nil {
			t.Fatal(err)
		}
		n.Forget(jid.MustParse("low@home.example")) // as who changes it by this node does
		h.say(t, said("m8", "free@home.example/r", "low@home.example", secretLabel))
		n.rest()
		if got := n.released(); !slices.Equal(got, []string{"m1", "m4", "m7"}) {
			t.Errorf("judged by what was known before: %v", got)
		}
	})
}

// released are the ids of all decisions to release.
func (n *node) released() (out []string) {
	for _, e := range n.records(audit.Filter{Outcome: "released"}) {
		out = append(out, e.StanzaID)
	}
	return out
}

// What the server says of what it keeps is judged for the reader, and leaves no record.
func TestReleaseAndMayRead(t *testing.T) {
	t.Parallel()
	atHome(t, nil, func(t *testing.T, n *node, h *house) {
		h.account(t, "low@home.example", "low")
		before := len(n.records(audit.Filter{}))
		wrapped := `<received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>` +
			strings.Replace(said("5", "free@home.example/r", "low@home.example", secretLabel), "<message ", "<message xmlns='jabber:client' ", 1) + `</forwarded></received>`
		for _, tt := range []struct {
			name, stanza string
			want         bool
		}{
			{"an answer", "<iq id='1' type='result' from='home.example' to='low@home.example/r'/>", true},
			{"a push", "<iq id='push7' type='set' from='low@home.example' to='low@home.example/r'><query xmlns='jabber:iq:roster'/></iq>", true},
			{"presence of another", "<presence from='free@home.example/r' to='low@home.example'/>", true},
			{"presence of a neighbour's", "<presence from='v@b.example/r' to='low@home.example'/>", true},
			{"presence of somebody no pair lets in", "<presence from='v@a.example/r' to='low@home.example'/>", false},
			{"presence of nobody's", "<presence from='v@nobody.example/r' to='low@home.example'/>", false},
			{"a message within", said("2", "free@home.example/r", "low@home.example/r", ""), true},
			{"a message above the reader", said("3", "free@home.example/r", "low@home.example/r", secretLabel), false},
			{"one wrapped above the reader", said("4", "low@home.example", "low@home.example/r", wrapped), false},
			{"for somebody else's domain", said("6", "free@home.example/r", "v@b.example/r", ""), false},
		} {
			r, err := h.gate.Release(parseStanza(t, tt.stanza))
			s := r.Stanza()
			if (err == nil) != tt.want || tt.want && (s.ID() != parseStanza(t, tt.stanza).ID() || r.Link() != "local") {
				t.Errorf("%s: %v", tt.name, err)
			}
		}
		for _, tt := range []struct {
			name, label, reader string
			want                bool
		}{
			{"within", "", "low@home.example", true},
			{"above", secretLabel, "low@home.example", false},
			{"of an account without a clearance of its own", secretLabel, "free@home.example", true},
		} {
			kept := parseStanza(t, said("9", "v@b.example/r", "room@b.example", tt.label))
			if got := h.gate.MayRead(kept, jid.MustParse(tt.reader)); got != tt.want {
				t.Errorf("%s: may read %v", tt.name, got)
			}
		}
		for _, to := range []string{"v@nobody.example", "v@b.example", "low@home.example"} { // RFC 6120 §8.3.1, whoever holds it
			r, ok := h.gate.Refusal(parseStanza(t, said("10", "free@home.example/r", to, secretLabel)), stanza.NotAcceptable)
			text, err := xmlstream.AppendElement(nil, r.Stanza().Element(), "")
			want := "<message xmlns='jabber:server' from='" + to + "' id='10' to='free@home.example/r' type='error'><error type='modify'>" +
				"<not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
			if !ok || err != nil || string(text) != want || r.Link() != "local" {
				t.Errorf("got  %s %v\nwant %s", text, err, want)
			}
		}
		if _, ok := h.gate.Refusal(parseStanza(t, "<iq id='1' type='result' from='free@home.example/r' to='v@nobody.example'/>"), stanza.NotAcceptable); ok {
			t.Error("an answer to an answer")
		}
		n.rest()
		if after := len(n.records(audit.Filter{})); after != before {
			t.Errorf("%d records more", after-before)
		}
	})
}

// Without room what comes in waits, and who submits waits no longer than he wants to.
func TestRoomAtHome(t *testing.T) {
	t.Parallel()
	edit := func(s *site) { s.more += "[server.limits]\nqueue-stanzas = 1\n" }
	atHome(t, edit, func(t *testing.T, n *node, h *house) {
		h.keep = true
		h.say(t, said("m1", "a@home.example/r", "b@home.example", ""))
		n.rest()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		told := 0
		h.gate.Submit(ctx, parseStanza(t, said("m2", "a@home.example/r", "b@home.example", "")), 0, func() { told++ })
		h.settle()
		n.rest()
		if got := h.errorTo("a@home.example/r"); told != 1 || !strings.HasPrefix(got, "resource-constraint Not delivered: too much is waiting") {
			t.Errorf("told %d times, the sender reads %q", told, got)
		}
		h.say(t, said("m3", "a@home.example/r", "b@home.example", ""))
		n.rest()
		if got := h.ids(); got[len(got)-1] != "m3" {
			t.Errorf("delivered %v", got)
		}
	})
}

// A node does not end before the server has what it was given, and takes nothing afterwards.
func TestEndAtHome(t *testing.T) {
	t.Parallel()
	atHome(t, nil, func(t *testing.T, n *node, h *house) {
		h.keep = true
		told := h.say(t, said("m1", "a@home.example/r", "b@home.example", ""))
		n.rest()
		n.cancel()
		n.rest()
		if h.closed {
			t.Error("the server was closed, and one is still under way")
		}
		h.settle()
		n.rest()
		n.end()
		late := h.say(t, said("m2", "a@home.example/r", "b@home.example", ""))
		if *told != 1 || *late != 1 || len(h.ids()) != 1 {
			t.Errorf("told %d and %d times, delivered %v", *told, *late, h.ids())
		}
	})
}

const secretLabel = `<securitylabel xmlns='urn:xmpp:sec-label:0'><label>` +
	`<originatorConfidentialityLabel xmlns='urn:nato:stanag:4774:confidentialitymetadatalabel:1:0'><ConfidentialityInformation>` +
	`<PolicyIdentifier URI='urn:oid:2.999.1066.1'>EXAMPLE</PolicyIdentifier><Classification>SECRET</Classification>` +
	`</ConfidentialityInformation></originatorConfidentialityLabel></label></securitylabel>`

// Whose roster it is knows for how long a request waits: its approval crosses whenever it is given, and whatever this node has forgotten
// meanwhile (RFC 6121 §3.1.3, §3.1.5). What components say nobody has counted; they answer what has crossed.
func TestApprovalsOfAccounts(t *testing.T) {
	t.Parallel()
	atHome(t, func(s *site) {
		s.more += "\n[server.components]\nlisten = [\"127.0.0.1:0\"]\n[server.component.irc]\ndomain = \"irc.home.example\"\nsecret = \"irc.secret\"\n"
		if err := os.WriteFile(filepath.Join(s.dir, "irc.secret"), []byte("a secret of no great length"), 0o600); err != nil {
			t.Fatal(err)
		}
	}, func(t *testing.T, n *node, h *house) {
		for _, from := range []string{"a@home.example", "a@irc.home.example"} {
			h.say(t, presence("subscribed", from, "v@b.example"))
			n.rest()
		}
		n.wantKinds("b.example", "subscribed")
		n.arrive(presence("subscribe", "v@b.example", "a@irc.home.example"))
		n.rest()
		h.say(t, presence("subscribed", "a@irc.home.example", "v@b.example"))
		h.say(t, presence("subscribed", "a@irc.home.example", "v@b.example"))
		n.rest()
		n.wantKinds("b.example", "subscribed", "subscribed")
	})
}
