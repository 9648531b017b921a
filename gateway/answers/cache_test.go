package answers_test

import (
	"crypto/tls"
	"fmt"
	"strings"
	"testing"
	"time"

	"sallyport/gateway/answers"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/peering"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func read(t testing.TB, text string) stanza.Stanza {
	t.Helper()
	s, err := stanza.From(element(t, text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return s
}

// get is a request of somebody inside.
func get(from, to, payload string) string {
	return fmt.Sprintf("<iq type='get' id='q1' from='%s' to='%s'>%s</iq>", from, to, payload)
}

// came is the arrival that answers a request.
func came(t testing.TB, request, payload string) *peering.Arrival {
	t.Helper()
	r := read(t, request)
	typ := "result"
	if strings.HasPrefix(payload, "<error") {
		typ = "error"
	}
	s := read(t, fmt.Sprintf("<iq type='%s' id='%s' from='%s' to='%s'>%s</iq>", typ, r.ID(), r.To(), r.From(), payload))
	return &peering.Arrival{
		Stanza: s, Link: "hf", Peer: "far", Domain: s.From().DomainJID(), LocalDomain: s.To().DomainJID(), Time: noon, Node: "gate", Serial: 7,
		Proof: peering.Proof{Method: peering.External, TLS: tls.VersionTLS13}, Bytes: 100,
		Facts: peering.Facts{Awaited: peering.AwaitedIQ{Found: true, OriginalID: "orig"}},
	}
}

const (
	disco   = "<query xmlns='http://jabber.org/protocol/disco#info'/>"
	items   = "<query xmlns='http://jabber.org/protocol/disco#items'/>"
	card    = "<vCard xmlns='vcard-temp'/>"
	hasCard = "<vCard xmlns='vcard-temp'><FN>V</FN></vCard>"
	ver     = "<query xmlns='jabber:iq:version'/>"
	alice   = "a@in.example/r"
	bob     = "b@in.example/r"
	vera    = "v@out.example/phone"
)

var (
	hashed   = "<query xmlns='http://jabber.org/protocol/disco#info' node='urn:n#QgayPKawpkPSDYmwT/WM94uAlu0='/>"
	hashInfo = "<query xmlns='http://jabber.org/protocol/disco#info' node='urn:n#QgayPKawpkPSDYmwT/WM94uAlu0='>" + exodus + four + "</query>"
	wrong    = strings.Replace(hashInfo, "Exodus", "Exodos", 1)
	absent   = "<error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"
	slow     = "<error type='wait'><remote-server-timeout xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"
)

func TestAsk(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name          string
		first, answer string // what crossed
		then          string // who asks then
		peer          string
		later         time.Duration
		hit           bool
	}{
		{"the same again", get(alice, vera, card), hasCard, get(alice, vera, card), "far", time.Hour, true},
		{"from another device", get(alice, vera, card), hasCard, get("a@in.example/other", vera, card), "far", time.Hour, true},
		{"somebody else", get(alice, vera, card), hasCard, get(bob, vera, card), "far", time.Hour, false},
		{"too late", get(alice, vera, card), hasCard, get(alice, vera, card), "far", 25 * time.Hour, false},
		{"a clock that went back", get(alice, vera, card), hasCard, get(alice, vera, card), "far", -time.Hour, false},
		{"another peer", get(alice, vera, card), hasCard, get(alice, vera, card), "near", time.Hour, false},
		{"another question", get(alice, vera, card), hasCard, get(alice, vera, ver), "far", time.Hour, false},
		{"another address", get(alice, vera, card), hasCard, get(alice, "v@out.example", card), "far", time.Hour, false},
		{"a set", get(alice, vera, card), hasCard, strings.Replace(get(alice, vera, card), "'get'", "'set'", 1), "far", time.Hour, false},
		{"a server for everybody", get(alice, "out.example", disco), info(four), get(bob, "out.example", disco), "far", time.Hour, false},
		{"a server for everybody, node not echoed", get(alice, "out.example", disco), strings.Replace(info(four), " node='urn:n#v'", "", 1), get(bob, "out.example", disco), "far", time.Hour, true},
		{"a server for another domain of ours", get(alice, "out.example", disco), strings.Replace(info(four), " node='urn:n#v'", "", 1), get("c@else.example/r", "out.example", disco), "far", time.Hour, false},
		{"items of a server are for one", get(alice, "out.example", items), "<query xmlns='http://jabber.org/protocol/disco#items'/>", get(bob, "out.example", items), "far", time.Minute, false},
		{"items for an hour", get(alice, "out.example", items), "<query xmlns='http://jabber.org/protocol/disco#items'/>", get(alice, "out.example", items), "far", 2 * time.Hour, false},
		{"a verified hash", get(alice, vera, hashed), hashInfo, get(bob, "w@out.example/x", hashed), "far", 20 * 24 * time.Hour, true},
		{"a verified hash in another domain", get(alice, vera, hashed), hashInfo, get(bob, "w@other.example/x", hashed), "far", time.Hour, false},
		{"a hash that is wrong", get(alice, vera, hashed), wrong, get(bob, "w@out.example/x", hashed), "far", time.Hour, false},
		{"a hash that is wrong, for who asked", get(alice, vera, hashed), wrong, get(alice, vera, hashed), "far", time.Hour, true},
		{"an error that lasts", get(alice, vera, disco), absent, get(alice, vera, disco), "far", time.Minute, true},
		{"an error that lasts, not for ever", get(alice, vera, disco), absent, get(alice, vera, disco), "far", time.Hour, false},
		{"an error that lasts, for another", get(alice, "out.example", disco), absent, get(bob, "out.example", disco), "far", time.Minute, false},
		{"an error of the way", get(alice, vera, disco), slow, get(alice, vera, disco), "far", time.Minute, false},
		{"an answer to another question", get(alice, vera, disco), hasCard, get(alice, vera, disco), "far", time.Minute, false},
		{"an empty answer", get(alice, vera, card), "", get(alice, vera, card), "far", time.Minute, false},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := answers.New(answers.Options{})
			c.Asked(noon, "far", read(t, tc.first))
			c.Answered(noon, came(t, tc.first, tc.answer))
			then := strings.Replace(tc.then, "q1", "q2", 1)
			got, ok := c.Ask(noon.Add(tc.later), tc.peer, read(t, then))
			if ok != tc.hit {
				t.Fatalf("answered: %v, want %v", ok, tc.hit)
			}
			if !ok {
				return
			}
			req, a := read(t, then), got.Arrival
			if a.Stanza.To() != req.From() || a.Stanza.From() != req.To() || a.Stanza.ID() != req.ID() || !a.Stanza.IsResponse() {
				t.Errorf("answer %v to %v", a.Stanza, req)
			}
			if a.Peer != "far" || a.Link != "hf" || a.Domain != req.To().DomainJID() || a.LocalDomain != req.From().DomainJID() || a.Proof.Method != peering.External {
				t.Errorf("it is not the arrival that it was: %+v", a)
			}
			if a.Facts.Awaited.Found || a.Node != "" || a.Serial != 0 || got.Age != tc.later || !a.Time.Equal(noon.Add(tc.later)) {
				t.Errorf("facts of then stand in it: %+v, age %v", a, got.Age)
			}
		})
	}
}

func TestOnlyWhatWasAskedFor(t *testing.T) {
	t.Parallel()
	request := get(alice, vera, card)
	change := map[string]func(*peering.Arrival){
		"nobody asked":    nil,
		"of another id":   func(a *peering.Arrival) { a.Stanza = a.Stanza.WithID("x") },
		"of another peer": func(a *peering.Arrival) { a.Peer = "near" },
		"for another":     func(a *peering.Arrival) { a.Stanza = a.Stanza.WithAddresses(jid.JID{}, jid.MustParse(bob)) },
		"of another": func(a *peering.Arrival) {
			a.Stanza = a.Stanza.WithAddresses(jid.MustParse("w@out.example/x"), jid.JID{})
		},
		"without a proof": func(a *peering.Arrival) { a.Domain = jid.MustParse("other.example") },
	}
	for name, f := range change {
		c := answers.New(answers.Options{})
		a := came(t, request, hasCard)
		if f != nil {
			c.Asked(noon, "far", read(t, request))
			f(a)
		}
		c.Answered(noon, a)
		if n := c.Stats().Entries; n != 0 {
			t.Errorf("%s: %d entries", name, n)
		}
	}
	c := answers.New(answers.Options{})
	c.Asked(noon, "far", read(t, request))
	c.Answered(noon.Add(2*time.Hour), came(t, request, hasCard))
	if c.Stats().Entries != 0 {
		t.Error("an answer that came after its time is kept")
	}
}

func TestHeard(t *testing.T) {
	t.Parallel()
	from := " from='" + vera + "' to='a@in.example'"
	c1 := "<presence" + from + "><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:n' ver='1'/></presence>"
	p1 := "<presence" + from + "><x xmlns='vcard-temp:x:update'><photo>1</photo></x></presence>"
	event := "<message from='v@out.example' to='a@in.example'><event xmlns='http://jabber.org/protocol/pubsub#event'><items node='%s'/></event></message>"
	tests := []struct {
		name        string
		before      string // heard before the answers came
		heard       string
		peer        string
		info, vcard bool // still there
	}{
		{"nothing", "", "<presence" + from + "/>", "far", true, true},
		{"the same capabilities", c1, c1, "far", true, true},
		{"other capabilities", c1, strings.Replace(c1, "'1'", "'2'", 1), "far", false, true},
		{"capabilities, and nobody knows which they were", "", c1, "far", false, true},
		{"gone", "", "<presence type='unavailable'" + from + "/>", "far", false, true},
		{"another resource gone", "", strings.Replace("<presence type='unavailable'"+from+"/>", "phone", "desk", 1), "far", true, true},
		{"the same photo", p1, p1, "far", true, true},
		{"another photo", p1, strings.Replace(p1, ">1<", ">2<", 1), "far", true, false},
		{"a photo of a name out of all measure", p1, strings.Replace(p1, ">1<", ">"+strings.Repeat("2", 5000)+"<", 1), "far", true, false},
		{"a new avatar", "", fmt.Sprintf(event, "urn:xmpp:avatar:metadata"), "far", true, false},
		{"another event", "", fmt.Sprintf(event, "urn:xmpp:bookmarks:1"), "far", true, true},
		{"a subscription ended", "", "<presence type='unsubscribed'" + from + "/>", "far", false, false},
		{"another peer says so", "", "<presence type='unsubscribed'" + from + "/>", "near", true, true},
		{"an error", "", "<presence type='error'" + from + "><error/></presence>", "far", true, true},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := answers.New(answers.Options{})
			if tc.before != "" {
				c.Heard("far", read(t, tc.before))
			}
			for _, q := range [][2]string{{get(alice, vera, disco), strings.Replace(info(four), " node='urn:n#v'", "", 1)}, {get(alice, "v@out.example", card), hasCard}, {get(alice, vera, hashed), hashInfo}} {
				c.Asked(noon, "far", read(t, q[0]))
				c.Answered(noon, came(t, q[0], q[1]))
			}
			c.Heard(tc.peer, read(t, tc.heard))
			if _, ok := c.Ask(noon, "far", read(t, get(alice, vera, disco))); ok != tc.info {
				t.Errorf("disco#info: %v", ok)
			}
			if _, ok := c.Ask(noon, "far", read(t, get(alice, "v@out.example", card))); ok != tc.vcard {
				t.Errorf("vCard: %v", ok)
			}
			if _, ok := c.Ask(noon, "far", read(t, get(bob, vera, hashed))); !ok {
				t.Error("what a hash says of itself was forgotten")
			}
			c.ForgetPeer("far")
			if s := c.Stats(); s.Entries != 0 || s.Bytes != 0 || s.Waiting != 0 {
				t.Errorf("of a peer that is forgotten: %+v", s)
			}
		})
	}
}

func TestCacheIsBounded(t *testing.T) {
	t.Parallel()
	c := answers.New(answers.Options{MaxEntries: 20, MaxBytes: 10_000, MaxEntry: 3000, MaxAsked: 30})
	for i := range 500 {
		request := get(alice, fmt.Sprintf("v%d@out.example", i), card)
		c.Asked(noon, "far", read(t, request))
		c.Asked(noon, "far", read(t, get(bob, fmt.Sprintf("v%d@out.example", i), card)))
		c.Answered(noon, came(t, request, "<vCard xmlns='vcard-temp'><FN>"+strings.Repeat("x", i*10)+"</FN></vCard>"))
		c.Heard("far", read(t, fmt.Sprintf("<presence from='v@out.example/%d' to='a@in.example'><c xmlns='http://jabber.org/protocol/caps' node='n' ver='v'/></presence>", i)))
		if s := c.Stats(); s.Entries > 20 || s.Bytes > 10_000 || s.Waiting > 30 {
			t.Fatalf("after %d: %+v", i, s)
		}
	}
	if s := c.Stats(); s.Evicted == 0 {
		t.Errorf("%+v", s)
	}
	for i := range 3 {
		c.Asked(noon.Add(2*time.Hour), "far", read(t, get(alice, fmt.Sprintf("w%d@out.example", i), card)))
	}
	if s := c.Stats(); s.Waiting > 3 {
		t.Errorf("%d questions wait, those whose time is over among them", s.Waiting)
	}
}

func TestOf(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, payload string
		want          answers.Question
		ok            bool
	}{
		{"info", disco, answers.Question{Kind: answers.DiscoInfo}, true},
		{"info of a node", "<query xmlns='http://jabber.org/protocol/disco#info' node='n'/>", answers.Question{Kind: answers.DiscoInfo, Node: "n"}, true},
		{"items", items, answers.Question{Kind: answers.DiscoItems}, true},
		{"card", card, answers.Question{Kind: answers.VCard}, true},
		{"new card", "<vcard xmlns='urn:ietf:params:xml:ns:vcard-4.0'/>", answers.Question{Kind: answers.VCard4}, true},
		{"version", ver, answers.Question{Kind: answers.Version}, true},
		{"a part of a list", "<query xmlns='http://jabber.org/protocol/disco#items'><set xmlns='http://jabber.org/protocol/rsm'/></query>", answers.Question{}, false},
		{"an empty node", "<query xmlns='http://jabber.org/protocol/disco#info' node=''/>", answers.Question{}, false},
		{"a node of a card", "<vCard xmlns='vcard-temp' node='n'/>", answers.Question{}, false},
		{"another attribute", "<query xmlns='jabber:iq:version' x='1'/>", answers.Question{}, false},
		{"a node out of all measure", "<query xmlns='http://jabber.org/protocol/disco#info' node='" + strings.Repeat("n", 2000) + "'/>", answers.Question{}, false},
		{"ping", "<ping xmlns='urn:xmpp:ping'/>", answers.Question{}, false},
	}
	for _, tc := range tests {
		if got, ok := answers.Of(read(t, get(alice, vera, tc.payload))); got != tc.want || ok != tc.ok {
			t.Errorf("%s: %+v %v, want %+v %v", tc.name, got, ok, tc.want, tc.ok)
		}
	}
	if answers.VCard4.String() != "vcard4" || answers.Kind(9).String() != "kind(9)" {
		t.Error("kinds are called wrong")
	}
}
