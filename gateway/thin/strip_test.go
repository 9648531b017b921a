package thin_test

import (
	"testing"

	"sallyport/gateway/thin"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
)

func parse(text string) (stanza.Stanza, error) {
	e, err := xmlstream.ParseDocument([]byte(text), xmlstream.Options{ContentNS: xmlstream.NSServer})
	if err != nil {
		return stanza.Stanza{}, err
	}
	return stanza.From(e)
}

func read(t testing.TB, text string) stanza.Stanza {
	t.Helper()
	s, err := parse(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return s
}

func write(t testing.TB, s stanza.Stanza) string {
	t.Helper()
	b, err := xmlstream.AppendElement(nil, s.Element(), xmlstream.NSServer)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

const (
	addrs     = " from='u@a.example/r' to='v@b.example'"
	composing = "<composing xmlns='http://jabber.org/protocol/chatstates'/>"
	request   = "<request xmlns='urn:xmpp:receipts'/>"
	received  = "<received id='7' xmlns='urn:xmpp:receipts'/>"
	markable  = "<markable xmlns='urn:xmpp:chat-markers:0'/>"
	displayed = "<displayed id='7' xmlns='urn:xmpp:chat-markers:0'/>"
	rich      = "<html xmlns='http://jabber.org/protocol/xhtml-im'><body xmlns='http://www.w3.org/1999/xhtml'><p>hi</p></body></html>"
	rtt       = "<rtt seq='1' xmlns='urn:xmpp:rtt:0'><t>h</t></rtt>"
	label     = "<securitylabel xmlns='urn:xmpp:sec-label:0'><displaymarking>X</displaymarking></securitylabel>"
	hints     = "<no-store xmlns='urn:xmpp:hints'/>"
	caps      = "<c hash='sha-1' node='urn:n' ver='v1' xmlns='http://jabber.org/protocol/caps'/>"
	photo     = "<x xmlns='vcard-temp:x:update'><photo>abc</photo></x>"
	avatar    = "<event xmlns='http://jabber.org/protocol/pubsub#event'><items node='urn:xmpp:avatar:metadata'><item id='1'/></items></event>"
	omemo     = "<event xmlns='http://jabber.org/protocol/pubsub#event'><items node='urn:xmpp:omemo:2:devices'><item id='1'/></items></event>"
	joins     = "<x xmlns='http://jabber.org/protocol/muc'/>"
	says      = "<x xmlns='http://jabber.org/protocol/muc#user'><item affiliation='member' role='participant'/></x>"
)

func chat(in string) string  { return "<message" + addrs + " type='chat'>" + in + "</message>" }
func there(in string) string { return "<presence" + addrs + ">" + in + "</presence>" }

// gone is what a row wants where nothing worth sending is left.
const gone = ""

func TestStrip(t *testing.T) {
	t.Parallel()
	thinnest := thin.Thinnest()
	tests := []struct {
		name    string
		o       thin.Options
		in, out string
		first   thin.Reason
	}{
		{"nothing configured", thin.Options{}, chat(composing + rich), chat(composing + rich), thin.NoReason},
		{"chat state beside a body", thinnest, chat("<body>x</body>" + composing), chat("<body>x</body>"), thin.ChatState},
		{"chat state alone", thinnest, chat(composing), gone, thin.ChatState},
		{"chat state with what only accompanies", thinnest, chat(label + hints + "<thread>t</thread>" + composing), gone, thin.ChatState},
		{"chat state beside something unknown", thinnest, chat(composing + "<q xmlns='urn:q'/>"), chat("<q xmlns='urn:q'/>"), thin.ChatState},
		{"chat state beside a text that is not allowed there", thinnest, chat(composing + "x"), chat("x"), thin.ChatState},
		{"empty message that came so", thinnest, chat(""), chat(""), thin.NoReason},
		{"only a thread that came so", thinnest, chat("<thread>t</thread>"), chat("<thread>t</thread>"), thin.NoReason},
		{"subject is content", thinnest, chat("<subject>s</subject>" + composing), chat("<subject>s</subject>"), thin.ChatState},
		{"receipt", thinnest, chat(received), gone, thin.Receipt},
		{"receipt kept", thin.Options{ChatStates: true}, chat(received), chat(received), thin.NoReason},
		{"request for a receipt", thinnest, chat("<body>x</body>" + request), chat("<body>x</body>"), thin.Receipt},
		{"marker", thinnest, chat(displayed), gone, thin.Marker},
		{"markable", thinnest, chat("<body>x</body>" + markable), chat("<body>x</body>"), thin.Marker},
		{"typing", thinnest, chat(rtt + "<x xmlns='jabber:x:event'><composing/></x>"), gone, thin.Typing},
		{"xhtml beside a body", thinnest, chat("<body>x</body>" + rich), chat("<body>x</body>"), thin.XHTML},
		{"xhtml alone is all there is", thinnest, chat(rich), chat(rich), thin.NoReason},
		{"xhtml beside an empty body", thinnest, chat("<body> </body>" + rich), chat("<body> </body>" + rich), thin.NoReason},
		{"avatar event", thinnest, chat(avatar), gone, thin.Avatar},
		{"event of another node", thinnest, chat(omemo), chat(omemo), thin.NoReason},
		{"event of an avatar and another node", thinnest, chat(avatar + omemo), chat(omemo), thin.Avatar},
		{"error stays whole", thinnest, "<message" + addrs + " type='error'>" + composing + "<error/></message>", "<message" + addrs + " type='error'>" + composing + "<error/></message>", thin.NoReason},
		{"request stays whole", thinnest, "<iq id='1'" + addrs + " type='get'>" + photo + "</iq>", "<iq id='1'" + addrs + " type='get'>" + photo + "</iq>", thin.NoReason},
		{"subscription stays whole", thinnest, "<presence" + addrs + " type='subscribe'><status>please</status></presence>", "<presence" + addrs + " type='subscribe'><status>please</status></presence>", thin.NoReason},
		{"presence folded", thinnest, there("<show>dnd</show><status>busy</status><priority>5</priority>" + caps + photo), there("<show>dnd</show>" + caps), thin.Avatar},
		{"presence whole", thin.Options{ChatStates: true}, there("<status>x</status>" + photo), there("<status>x</status>" + photo), thin.NoReason},
		{"joining", thinnest, there("<status>x</status>" + joins), there(joins), thin.PresenceFolded},
		{"a room's word", thinnest, there("<status>x</status>" + says), there(says), thin.PresenceFolded},
		{"unavailable", thinnest, "<presence" + addrs + " type='unavailable'><status>bye</status></presence>", "<presence" + addrs + " type='unavailable'/>", thin.PresenceFolded},
		{"name of a chat state in another namespace", thinnest, chat("<composing xmlns='urn:q'/>"), chat("<composing xmlns='urn:q'/>"), thin.NoReason},
		{"body in another namespace does not spare the xhtml", thinnest, chat("<body xmlns='urn:q'>x</body>" + rich), chat("<body xmlns='urn:q'>x</body>" + rich), thin.NoReason},
		{"chat states by the hundred", thinnest, chat(composing + composing + composing), gone, thin.ChatState},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			in := read(t, tc.in)
			out, cuts, worth := thin.Strip(tc.o, in)
			if worth != (tc.out != gone) {
				t.Fatalf("worth sending: %v", worth)
			}
			if got := cuts.First(); got != tc.first {
				t.Errorf("cut first for %v, want %v", got, tc.first)
			}
			saved := 0
			for _, c := range cuts {
				saved += int(c.Bytes)
			}
			left := 0
			if worth {
				if want := write(t, read(t, tc.out)); write(t, out) != want {
					t.Errorf("got  %s\nwant %s", write(t, out), want)
				}
				left = len(write(t, out))
			}
			if diff := len(write(t, in)) - left - saved; diff < 0 || diff > len("</presence>") { // an empty element is shorter
				t.Errorf("saved %d of %d, %d left", saved, len(write(t, in)), left)
			}
			if again, more, _ := thin.Strip(tc.o, out); worth && (!again.Element().Equal(out.Element()) || more.First() != thin.NoReason) {
				t.Errorf("stripping twice is not stripping once: %s", write(t, again))
			}
		})
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	for m := thin.Whole; m <= thin.Off; m++ {
		if got, err := thin.ParseMode(m.String()); err != nil || got != m {
			t.Errorf("%v: read back as %v, %v", m, got, err)
		}
	}
	if _, err := thin.ParseMode("none"); err == nil {
		t.Error(`"none" is a mode`)
	}
	seen := map[string]bool{}
	for _, r := range thin.Reasons() {
		if seen[r.String()] || r.String() == "" {
			t.Errorf("reason %d is called %q", r, r)
		}
		seen[r.String()] = true
	}
	if thin.Sent.String() != "sent" || thin.Dropped.String() != "dropped" || thin.Merged.String() != "merged" {
		t.Error("fates are called wrong")
	}
}

func TestOptionsValidate(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		o    thin.Options
		bad  bool
	}{
		{"zero", thin.Options{}, false},
		{"thinnest", thin.Thinnest(), false},
		{"mode", thin.Options{Presence: 9}, true},
		{"interval", thin.Options{Interval: -1}, true},
		{"long interval", thin.Options{Interval: 1 << 60}, true},
		{"window", thin.Options{MergeWindow: 1 << 40}, true},
		{"contacts", thin.Options{MaxContacts: -1}, true},
	}
	for _, tc := range tests {
		if err := tc.o.Validate(); (err != nil) != tc.bad {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
}
