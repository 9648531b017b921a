package avatar_test

import (
	"context"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/server"
	"sallyport/server/avatar"
	"sallyport/server/pep"
	"sallyport/server/servertest"
	"sallyport/server/vcard"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

const juliet, balcony = "juliet@capulet.lit", "juliet@capulet.lit/balcony"

// world is everything that avatars join.
type world struct {
	*testing.T
	events, cards, avatars server.Feature
}

func newWorld(t *testing.T) *world {
	t.Helper()
	s := servertest.Store(t, juliet)
	a := avatar.New(s)
	events := pep.New(pep.Config{
		Store: s, Core: &servertest.Core{}, Node: "n1", Now: time.Now, Changed: a.Published,
		MaySee:  func(context.Context, jid.JID, jid.JID) bool { return false },
		Knows:   func(context.Context, jid.JID, jid.JID) bool { return false },
		Groups:  func(context.Context, jid.JID, jid.JID) []string { return nil },
		Blocks:  func(context.Context, jid.JID, jid.JID) bool { return false },
		MayRead: func(stanza.Stanza, jid.JID) bool { return true }, MayAnswer: func(stanza.Stanza) bool { return true },
	})
	t.Cleanup(events.Close)
	a.Events = events
	return &world{t, events.Feature(), vcard.New(vcard.Config{Store: s, Changed: a.Carded}), a.Feature()}
}

func (w *world) publish(node, id, payload, access string) {
	w.Helper()
	options := "<publish-options><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'><value>http://jabber.org/protocol/pubsub#publish-options</value></field>" +
		"<field var='pubsub#access_model'><value>" + access + "</value></field></x></publish-options>"
	got := servertest.Said(w.T, servertest.Set(w.T, w.events, balcony, "", "<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='"+node+"'><item id='"+id+"'>"+payload+"</item></publish>"+options+"</pubsub>"))
	if !strings.Contains(got, "<publish") {
		w.Fatal(got)
	}
}

// picture publishes one under a hash, of a type.
func (w *world) picture(data, hash, typ, access string) {
	w.Helper()
	w.publish("urn:xmpp:avatar:data", hash, "<data xmlns='urn:xmpp:avatar:data'>"+base64.StdEncoding.EncodeToString([]byte(data))+"</data>", access)
	w.publish("urn:xmpp:avatar:metadata", hash, "<metadata xmlns='urn:xmpp:avatar:metadata'><info bytes='1' id='"+hash+"' type='"+typ+"' url='http://far.example/'/><info bytes='1' id='"+hash+"' type='"+typ+"'/></metadata>", access)
}

func (w *world) card() string {
	w.Helper()
	return servertest.Said(w.T, servertest.Get(w.T, w.cards, balcony, "", "<vCard xmlns='vcard-temp'/>"))
}

func (w *world) setCard(in string) {
	w.Helper()
	if got := servertest.Said(w.T, servertest.Set(w.T, w.cards, balcony, "", "<vCard xmlns='vcard-temp'>"+in+"</vCard>")); got != "" {
		w.Fatal(got)
	}
}

func photo(data, typ string) string {
	return "<PHOTO><TYPE>" + typ + "</TYPE><BINVAL>" + base64.StdEncoding.EncodeToString([]byte(data)) + "</BINVAL></PHOTO>"
}

func hash(data string) string {
	sum := sha1.Sum([]byte(data))
	return hex.EncodeToString(sum[:])
}

func TestFromPEPToVCard(t *testing.T) {
	t.Parallel()
	whole := func(in string) string { return "<vCard xmlns='vcard-temp'><FN>Juliet</FN>" + in + "</vCard>" }
	old := photo("old", "image/png")
	tests := []struct{ name, data, hash, typ, access, want string }{
		{"§4.1", "new", hash("new"), "image/jpeg", "open", whole(photo("new", "image/jpeg"))},
		{"for some only", "new", hash("new"), "image/jpeg", "presence", whole(old)},
		{"another hash", "new", hash("other"), "image/jpeg", "open", whole(old)},
		{"no picture", "new", hash("new"), "text/html", "open", whole(old)},
		{"too large", strings.Repeat("x", avatar.MaxBytes+1), hash(strings.Repeat("x", avatar.MaxBytes+1)), "image/png", "open", whole(old)},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			s := "<FN>Juliet</FN>" + strings.Replace(old, "image/png", "image/x-none", 1) // a type that is not published
			w.setCard(s)
			w.picture(tc.data, tc.hash, tc.typ, tc.access)
			if got := strings.Replace(w.card(), "image/x-none", "image/png", 1); got != tc.want {
				t.Errorf("the vCard is %.300s", got)
			}
		})
	}
}

func TestAvatarTakenBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.picture("new", hash("new"), "image/png", "open")
	if got := w.card(); got != "<vCard xmlns='vcard-temp'>"+photo("new", "image/png")+"</vCard>" {
		t.Errorf("the vCard is %s", got)
	}
	w.publish("urn:xmpp:avatar:metadata", "none", "<metadata xmlns='urn:xmpp:avatar:metadata'/>", "open")
	if got := w.card(); got != "<vCard xmlns='vcard-temp'/>" {
		t.Errorf("the vCard is %s", got)
	}
}

func TestFromVCardToPEP(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.setCard("<FN>Juliet</FN>" + photo("face", "image/png"))
	items := func(node string) string {
		return servertest.Said(t, servertest.Get(t, w.events, "paris@verona.lit/x", juliet, "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='"+node+"'/></pubsub>"))
	}
	if got, want := items("urn:xmpp:avatar:metadata"), "<metadata xmlns='urn:xmpp:avatar:metadata'><info bytes='4' id='"+hash("face")+"' type='image/png'/></metadata>"; !strings.Contains(got, want) {
		t.Errorf("published is %s", got)
	}
	if got, want := items("urn:xmpp:avatar:data"), "<data xmlns='urn:xmpp:avatar:data'>"+base64.StdEncoding.EncodeToString([]byte("face"))+"</data>"; !strings.Contains(got, want) {
		t.Errorf("published is %s", got)
	}
	w.setCard("<FN>Juliet</FN><PHOTO><TYPE>image/png</TYPE><BINVAL>???</BINVAL></PHOTO>")
	if got := items("urn:xmpp:avatar:metadata"); !strings.Contains(got, hash("face")) {
		t.Errorf("a photo that is none was published: %s", got)
	}
}

func TestHashInPresence(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	presence := func(attrs, in string) string {
		return "<presence from='" + balcony + "' to='" + juliet + "'" + attrs + ">" + in + "</presence>"
	}
	update := func(in string) string { return "<x xmlns='vcard-temp:x:update'>" + in + "</x>" }
	sends := func(text string) string {
		t.Helper()
		got, err := servertest.Sends(t, w.avatars, text)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	show := "<show>away</show>"
	if got := sends(presence("", show)); strings.Contains(got, "vcard-temp") {
		t.Errorf("without a picture: %s", got)
	}
	none := servertest.Text(t, servertest.Element(t, presence("", show+update("<photo/>"))))
	if got := sends(presence("", show+update(""))); got != none { // XEP-0398 §4
		t.Errorf("not ready, and there is none: %s, want %s", got, none)
	}
	w.setCard(photo("face", "image/png"))
	with := servertest.Text(t, servertest.Element(t, presence("", show+update("<photo>"+hash("face")+"</photo>"))))
	for name, tc := range map[string][2]string{
		"nothing said":        {presence("", show), with},
		"not ready":           {presence("", show+update("")), with},
		"another hash":        {presence("", show+update("<photo>abc</photo>")), with},
		"no picture, it says": {presence("", show+update("<photo/>")), ""},
		"going":               {presence(" type='unavailable'", ""), ""},
		"subscribing":         {presence(" type='subscribe'", ""), ""},
	} {
		want := tc[1]
		if want == "" {
			want = servertest.Text(t, servertest.Element(t, tc[0]))
		}
		if got := sends(tc[0]); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	w.picture("new", hash("new"), "image/png", "open")
	if got := sends(presence("", "")); !strings.Contains(got, hash("new")) {
		t.Errorf("after a new picture: %s", got)
	}
}
