package imserver_test

import (
	"strings"
	"testing"

	"sallyport/testbed/client"
	"sallyport/testbed/imserver"
)

// What init has made is a server: two people log in, see each other come and go, talk, and what one says while the other is away
// waits for him.
func TestPeopleTalk(t *testing.T) {
	t.Parallel()
	w := alone(t, "juliet", "romeo")
	juliet, romeo := w.login("juliet", "balcony"), w.login("romeo", "orchard")
	juliet.befriends(romeo)
	juliet.says(romeo.Bare(), "wherefore art thou?")
	if e := romeo.hears("wherefore art thou?"); e.From != juliet.JID {
		t.Errorf("from %q", e.From)
	}
	romeo.says(juliet.JID, "here, <still> & always \U0001f339")
	juliet.hears("here, <still> & always \U0001f339")
	s, err := w.home.Status()
	if err != nil || s.Server == nil || s.Server.Sessions != 2 || s.Server.Users != 2 || s.Server.Available != 2 || s.Server.Store != "sqlite" {
		t.Errorf("status %+v, %v", s.Server, err)
	}
	if err := romeo.Close(); err != nil {
		t.Fatal(err)
	}
	juliet.seesPresence("unavailable", romeo.JID)
	juliet.says(romeo.Bare(), "come back")
	juliet.says("nobody@"+imserver.Domain, "is there anybody?")
	juliet.sees(func(e client.Event) bool {
		return e.Kind == "message" && e.Type == "error" && e.Condition == "service-unavailable"
	})
	w.login("romeo", "street").hears("come back")
}

// People are told which labels they may choose, by whom they write to, and nobody hears what he is not cleared for.
func TestLabelsAmongPeople(t *testing.T) {
	t.Parallel()
	w := alone(t, "juliet", "romeo")
	if _, err := w.home.Command("user", "clearance", "romeo@"+imserver.Domain, "guest"); err != nil {
		t.Fatal(err)
	}
	juliet, romeo := w.login("juliet", "balcony"), w.login("romeo", "orchard")
	features, err := juliet.DiscoInfo(imserver.Domain)
	if err != nil || !strings.Contains(features, "urn:xmpp:sec-label:catalog:2") {
		t.Errorf("the server has %s, %v", features, err)
	}
	offered := func(to string) string {
		t.Helper()
		answer, err := juliet.IQ("get", imserver.Domain, `<catalog xmlns="urn:xmpp:sec-label:catalog:2" to="`+to+`"/>`)
		juliet.must(err)
		return answer
	}
	if all := offered(juliet.Bare()); !strings.Contains(all, "CONFIDENTIAL") || !strings.Contains(all, "PUBLIC") {
		t.Errorf("for herself she may choose of %s", all)
	}
	few := offered(romeo.Bare())
	if strings.Contains(few, "CONFIDENTIAL") || !strings.Contains(few, "PUBLIC") {
		t.Errorf("for romeo she may choose of %s", few)
	}
	juliet.says(romeo.Bare(), "this has no label, so it is internal")
	juliet.sees(func(e client.Event) bool {
		return e.Kind == "message" && e.Type == "error" && e.Condition == "policy-violation"
	})
	label := labelOf(t, few, "PUBLIC")
	juliet.says(romeo.Bare(), "this is for everybody", label)
	if e := romeo.hears("this is for everybody"); !e.Has("urn:xmpp:sec-label:0", "displaymarking") {
		t.Errorf("without a marking: %s", e.XML)
	}
}

// labelOf makes the label of a selector in a catalogue.
func labelOf(t *testing.T, catalogue, selector string) string {
	t.Helper()
	_, rest, _ := strings.Cut(catalogue, `selector="`+selector+`"`)
	_, rest, _ = strings.Cut(rest, "esssecuritylabel>")
	octets, _, ok := strings.Cut(rest, "<")
	if !ok {
		t.Fatalf("no %s in %s", selector, catalogue)
	}
	return `<securitylabel xmlns="urn:xmpp:sec-label:0"><label><esssecuritylabel xmlns="urn:xmpp:sec-label:ess:0">` + octets + `</esssecuritylabel></label></securitylabel>`
}
