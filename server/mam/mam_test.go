package mam_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/server"
	"sallyport/server/account"
	"sallyport/server/archive"
	"sallyport/server/hybrid"
	"sallyport/server/mam"
	"sallyport/server/servertest"
	"sallyport/server/store"
)

const (
	juliet  = "juliet@capulet.lit"
	balcony = juliet + "/balcony"
	romeo   = "romeo@montague.lit"
	orchard = romeo + "/orchard"
)

// world is an archive with its store.
type world struct {
	server.Feature
	*testing.T
	core  servertest.Core
	gate  servertest.Gate
	store *store.Store
	now   time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, now: time.Date(2010, 7, 10, 23, 8, 25, 0, time.UTC)}
	w.store = servertest.Store(t, juliet, romeo)
	w.Feature = mam.New(mam.Config{
		Archive: w.store, Prefs: w.store, Gate: &w.gate, Core: &w.core, Node: "n1", Tombstones: true,
		Now: func() time.Time { w.now = w.now.Add(time.Second); return w.now },
		InRoster: func(_ context.Context, _, who jid.JID) bool {
			return who.String() == romeo
		},
	})
	return w
}

// kept gives the archive of an account.
func (w *world) kept(owner string) []archive.Entry {
	w.Helper()
	p, err := w.store.QueryArchive(w.Context(), archive.Query{Owner: jid.MustParse(owner), Max: 250})
	if err != nil {
		w.Fatal(err)
	}
	return p.Entries
}

// comes lets messages with these bodies come to juliet.
func (w *world) comes(bodies ...string) {
	w.Helper()
	for _, b := range bodies {
		if _, err := servertest.Comes(w.T, w.Feature, message(orchard, balcony, "<body>"+b+"</body>")); err != nil {
			w.Fatal(err)
		}
	}
}

func message(from, to, in string) string {
	return "<message from='" + from + "' to='" + to + "' type='chat' id='m1'>" + in + "</message>"
}

func TestWhatIsKept(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, in string
		want     bool
	}{
		{"a body", "type='chat'><body>b</body>", true},
		{"a body of type normal", "><body>b</body>", true},
		{"a headline", "type='headline'><body>b</body>", false},
		{"a room's message", "type='groupchat'><body>b</body>", false},
		{"an error", "type='error'><error type='cancel'/>", false},
		{"a chat state alone", "type='chat'><active xmlns='http://jabber.org/protocol/chatstates'/>", false},
		{"a chat state that is to be kept", "type='chat'><active xmlns='http://jabber.org/protocol/chatstates'/><store xmlns='urn:xmpp:hints'/>", true},
		{"a body that is not to be kept", "type='chat'><body>b</body><no-store xmlns='urn:xmpp:hints'/>", false},
		{"a body that is not to be kept for long", "type='chat'><body>b</body><no-permanent-store xmlns='urn:xmpp:hints'/>", false},
		{"both hints", "type='chat'><store xmlns='urn:xmpp:hints'/><no-store xmlns='urn:xmpp:hints'/>", false},
		{"a body to be kept and not copied", "type='chat'><body>b</body><no-copy xmlns='urn:xmpp:hints'/>", true},
		{"a receipt", "type='chat'><received xmlns='urn:xmpp:receipts' id='1'/>", true},
		{"a marker", "type='chat'><displayed xmlns='urn:xmpp:chat-markers:0' id='1'/>", true},
		{"a wish for markers", "type='chat'><markable xmlns='urn:xmpp:chat-markers:0'/>", false},
		{"a retraction", "type='chat'><retract xmlns='urn:xmpp:message-retract:1' id='1'/>", true},
		{"a reaction", "type='chat'><reactions xmlns='urn:xmpp:reactions:0' id='1'/>", true},
		{"OMEMO", "type='chat'><encrypted xmlns='eu.siacs.conversations.axolotl'/>", true},
		{"somebody else's body", "type='chat'><x xmlns='urn:x'><body>b</body></x>", false},
		{"an event", "><event xmlns='http://jabber.org/protocol/pubsub#event'/>", false},
	}
	for _, tc := range tests {
		s := servertest.Stanza(t, "<message from='a@b.example' to='c@d.example' "+tc.in+"</message>")
		if got := mam.Keeps(s); got != tc.want {
			t.Errorf("%s: %v", tc.name, got)
		}
	}
	if mam.Keeps(servertest.Stanza(t, "<presence from='a@b.example' to='c@d.example'/>")) {
		t.Error("presence is kept")
	}
}

// Retractions are kept whether or not they leave a tombstone, and it is said that they are (XEP-0424 §3).
func TestWhatIsAnnounced(t *testing.T) {
	t.Parallel()
	for _, tombstones := range []bool{false, true} {
		f := mam.New(mam.Config{Tombstones: tombstones})
		for _, list := range [][]string{f.ServerFeatures, f.AccountFeatures} {
			if !slices.Contains(list, "urn:xmpp:message-retract:1") || slices.Contains(list, "urn:xmpp:message-retract:1#tombstone") != tombstones {
				t.Errorf("tombstones %v: %v", tombstones, list)
			}
		}
		for _, feature := range []string{"urn:xmpp:mam:2", "urn:xmpp:mam:2#extended"} { // accounts have archives, the domain has none (XEP-0313 §6.1)
			if slices.Contains(f.ServerFeatures, feature) || !slices.Contains(f.AccountFeatures, feature) {
				t.Errorf("%s: %v, %v", feature, f.ServerFeatures, f.AccountFeatures)
			}
		}
	}
}

func TestComesAndSends(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	foreign := "<stanza-id xmlns='urn:xmpp:sid:0' by='room@rooms.lit' id='r'/>"
	forged := "<stanza-id xmlns='urn:xmpp:sid:0' by='" + juliet + "' id='forged'/>"
	got, err := servertest.Comes(t, w.Feature, message(orchard, balcony, "<body>b</body>"+foreign+forged))
	if err != nil {
		t.Fatal(err)
	}
	all := w.kept(juliet)
	if len(all) != 1 || all[0].With.String() != orchard || all[0].MessageID != "m1" {
		t.Fatalf("kept %+v", all)
	}
	if want := message(orchard, balcony, "<body>b</body>"+foreign+"<stanza-id xmlns='urn:xmpp:sid:0' by='"+juliet+"' id='"+all[0].ID.String()+"'/>"); !servertest.Element(t, want).Equal(servertest.Element(t, got)) {
		t.Errorf("delivered %s, want %s", got, want)
	}
	if strings.Contains(string(all[0].Stanza), "forged") {
		t.Errorf("kept with a forged id: %s", all[0].Stanza)
	}
	got, err = servertest.Sends(t, w.Feature, message(balcony, orchard, "<body>c</body>"+forged+"<origin-id xmlns='urn:xmpp:sid:0' id='o1'/>"))
	if err != nil || strings.Contains(got, "stanza-id") {
		t.Errorf("sent %s, %v", got, err)
	}
	if all = w.kept(juliet); len(all) != 2 || all[1].With.String() != orchard || all[1].MessageID != "m1" || len(w.kept(romeo)) != 0 {
		t.Errorf("kept %+v", all)
	}
	p := server.Passing{Account: jid.MustParse(juliet), Stanza: servertest.Stanza(t, message(balcony, orchard, "<body>d</body>")), Out: true}
	if err := servertest.Pass(t.Context(), w.Feature, &p); err != nil || p.Kept != w.kept(juliet)[2].ID {
		t.Errorf("sent under %s, %v", p.Kept, err)
	}
	self := message(balcony, juliet, "<body>note</body>")
	if _, err := servertest.Sends(t, w.Feature, self); err != nil || len(w.kept(juliet)) != 3 {
		t.Errorf("a message to itself is kept when it is sent, %v", err)
	}
	if _, err := servertest.Comes(t, w.Feature, self); err != nil || len(w.kept(juliet)) != 4 {
		t.Errorf("a message to itself is not kept once, %v", err)
	}
}

// failing is an archive whose disk is gone.
type failing struct{ archive.Store }

func (failing) AppendArchive(context.Context, time.Time, string, []archive.Entry) ([]hybrid.ID, error) {
	return nil, errors.New("the disk is gone")
}

func TestNothingGoesOnThatIsNotKept(t *testing.T) {
	t.Parallel()
	s := servertest.Store(t, juliet)
	f := mam.New(mam.Config{Archive: failing{s}, Prefs: s, Gate: &servertest.Gate{}, Core: &servertest.Core{}, Node: "n1", Now: time.Now})
	if _, err := servertest.Comes(t, f, message(orchard, balcony, "<body>b</body>")); servertest.Condition(err) != "internal-server-error" {
		t.Errorf("comes: %v", err)
	}
	if _, err := servertest.Sends(t, f, message(balcony, orchard, "<body>b</body>")); servertest.Condition(err) != "internal-server-error" {
		t.Errorf("sends: %v", err)
	}
	if _, err := servertest.Comes(t, f, message(orchard, balcony, "<active xmlns='http://jabber.org/protocol/chatstates'/>")); err != nil {
		t.Errorf("what is not kept does not come: %v", err)
	}
}

func TestRetraction(t *testing.T) {
	t.Parallel()
	retract := func(id string) string {
		return "<body>/me retracted a previous message</body><retract xmlns='urn:xmpp:message-retract:1' id='" + id + "'/>"
	}
	tests := []struct {
		name, by, id string
		gone         bool
	}{
		{"§4, by its author", orchard, "m1", true},
		{"by another resource of its author", romeo + "/else", "m1", true},
		{"of another message", orchard, "m2", false},
		{"by the id of its origin, where it has an id (§5.1)", orchard, "o1", false},
		{"by its reader", "", "m1", false},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			label := "<securitylabel xmlns='urn:xmpp:sec-label:0'><label/></securitylabel>"
			if _, err := servertest.Comes(t, w.Feature, message(orchard, balcony, "<body>secret</body><origin-id xmlns='urn:xmpp:sid:0' id='o1'/>"+label)); err != nil {
				t.Fatal(err)
			}
			var err error
			if tc.by == "" {
				_, err = servertest.Sends(t, w.Feature, strings.Replace(message(balcony, romeo, retract(tc.id)), "m1", "x1", 1))
			} else {
				_, err = servertest.Comes(t, w.Feature, strings.Replace(message(tc.by, balcony, retract(tc.id)), "'m1'", "'x1'", 1))
			}
			all := w.kept(juliet)
			if err != nil || len(all) != 2 {
				t.Fatalf("kept %d, %v", len(all), err)
			}
			text := string(all[0].Stanza)
			if gone := strings.Contains(text, "<retracted xmlns='urn:xmpp:message-retract:1' id='x1' stamp='2010-07-10T23:08:"); gone != tc.gone || strings.Contains(text, "secret") == gone || !strings.Contains(text, "securitylabel") {
				t.Errorf("left is %s", text)
			}
		})
	}
}

func TestPreferences(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	said := func(payload string) string {
		return servertest.Said(t, servertest.Set(t, w.Feature, balcony, "", payload))
	}
	prefs := func(def, always, never string) string {
		return "<prefs xmlns='urn:xmpp:mam:2' default='" + def + "'><always>" + always + "</always><never>" + never + "</never></prefs>"
	}
	one := func(s string) string { return "<jid>" + s + "</jid>" }
	empty := "<prefs xmlns='urn:xmpp:mam:2' default='always'><always/><never/></prefs>"
	if got := servertest.Said(t, servertest.Get(t, w.Feature, balcony, "", "<prefs xmlns='urn:xmpp:mam:2'/>")); got != empty {
		t.Errorf("to begin with: %s", got)
	}
	nurse := "nurse@capulet.lit/x"
	for _, tc := range []struct {
		name, set      string
		romeo, nurseIs bool
	}{
		{"always", prefs("always", "", ""), true, true},
		{"never", prefs("never", "", ""), false, false},
		{"roster", prefs("roster", "", ""), true, false},
		{"never but one", prefs("never", one("nurse@capulet.lit"), ""), false, true},
		{"always but one", prefs("always", "", one(romeo)), false, true},
		{"another resource", prefs("never", one(romeo+"/else"), ""), false, false},
		{"this resource", prefs("never", one(orchard), ""), true, false},
		{"both", prefs("always", one(romeo), one(romeo)), false, true},
	} {
		if got := said(tc.set); got != strings.NewReplacer("<always></always>", "<always/>", "<never></never>", "<never/>").Replace(tc.set) {
			t.Errorf("%s: %s", tc.name, got)
		}
		before := len(w.kept(juliet))
		w.comes("b")
		if got := len(w.kept(juliet)) > before; got != tc.romeo {
			t.Errorf("%s: romeo's message is kept: %v", tc.name, got)
		}
		before = len(w.kept(juliet))
		if _, err := servertest.Comes(t, w.Feature, message(nurse, balcony, "<body>b</body>")); err != nil {
			t.Fatal(err)
		}
		if got := len(w.kept(juliet)) > before; got != tc.nurseIs {
			t.Errorf("%s: the nurse's message is kept: %v", tc.name, got)
		}
	}
	many := strings.Repeat(one(romeo), mam.MaxPrefs+1)
	for name, tc := range map[string][2]string{
		"unknown default": {prefs("sometimes", "", ""), "bad-request"},
		"bad address":     {prefs("always", one("@"), ""), "jid-malformed"},
		"too many":        {prefs("always", many, ""), "bad-request"},
		"another list":    {"<prefs xmlns='urn:xmpp:mam:2' default='always'><maybe/></prefs>", "bad-request"},
	} {
		if got := said(tc[0]); got != tc[1] {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// Nothing kept for one account is answered to another: only the own account is a target.
func TestOnlyTheOwnArchive(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, r := range w.IQ {
		if len(r.At) != 1 || r.At[0] != server.AtAccount {
			t.Errorf("%s is answered at %v", r.Local, r.At)
		}
	}
	if _, err := w.store.EntriesByID(t.Context(), jid.MustParse(juliet), nil); err != nil && !errors.Is(err, account.ErrNotFound) {
		t.Error(err)
	}
}

// shows gives the bodies of results, in the order in which they came.
func shows(t *testing.T, told []string) string {
	t.Helper()
	var out []string
	for _, text := range told {
		_, after, _ := strings.Cut(text, "<body>")
		body, _, _ := strings.Cut(after, "</body>")
		out = append(out, body)
	}
	return strings.Join(out, " ")
}

func hideBody(word string) func(stanza.Stanza, jid.JID) bool {
	return func(m stanza.Stanza, _ jid.JID) bool {
		b := m.Element().Child("jabber:server", "body")
		return b != nil && strings.HasPrefix(b.Text(), word)
	}
}

func bodies(n int, word string) (list []string) {
	for i := range n {
		list = append(list, fmt.Sprint(word, i))
	}
	return list
}
