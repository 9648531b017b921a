package imserver_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"sallyport/testbed/client"
	"sallyport/testbed/imserver"
)

// pushService is a component that phones can be woken by.
func (w *world) pushService() *person {
	w.t.Helper()
	at := netip.AddrPortFrom(w.home.Clients.Addr(), 5347)
	w.secret("push.secret", echoSecret)
	w.more(fmt.Sprintf("\n[server.components]\nlisten = [%q]\n\n[server.component.push]\ndomain = \"push.home.test\"\nsecret = \"push.secret\"\n", at))
	c, err := w.driver.Component("push.home.test", echoSecret, at)
	if err != nil {
		w.t.Fatalf("%v\n%s", err, w.logTail())
	}
	return &person{c, w.t}
}

// The service of a phone that is not connected is told that something waits, and not what (XEP-0357).
func TestPush(t *testing.T) {
	t.Parallel()
	w := alone(t, "juliet", "romeo")
	service := w.pushService()
	phone, romeo := w.login("juliet", "phone"), w.login("romeo", "orchard")
	if features := phone.asks("get", "", `<query xmlns="http://jabber.org/protocol/disco#info"/>`); !strings.Contains(features, `var="urn:xmpp:push:0"`) {
		t.Errorf("the account has %s", features)
	}
	phone.asks("set", "", `<enable xmlns="urn:xmpp:push:0" jid="push.home.test" node="device"><x xmlns="jabber:x:data" type="submit"><field var="FORM_TYPE"><value>http://jabber.org/protocol/pubsub#publish-options</value></field><field var="secret"><value>of the device</value></field></x></enable>`)
	phone.must(phone.Close())
	romeo.says(phone.Bare(), "the text stays here")
	told := service.sees(func(e client.Event) bool {
		return e.Kind == "iq" && e.Type == "set" && strings.Contains(e.XML, `node="device"`)
	})
	if !strings.Contains(told.XML, "of the device") || !told.Has("urn:xmpp:push:0", "notification") || strings.Contains(told.XML, "the text stays here") {
		t.Errorf("the service is told %s", told.XML)
	}
}

// A phone that nobody looks at is told at once of what is said, and of who comes only before that (XEP-0352).
func TestNobodyLooks(t *testing.T) {
	t.Parallel()
	w := alone(t, "juliet", "romeo")
	r := w.rawKnown("juliet")
	if offered := r.until("</stream:features>"); !strings.Contains(offered, "<csi xmlns='urn:xmpp:csi:0'/>") {
		t.Errorf("offered %s", offered)
	}
	r.say(`<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq><presence/>`)
	r.until("<presence")
	romeo := w.login("romeo", "orchard")
	r.say(`<inactive xmlns='urn:xmpp:csi:0'/><iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>`)
	r.until("id='p'")
	romeo.must(romeo.Presence("juliet@"+imserver.Domain, "", "first"))
	romeo.must(romeo.Presence("juliet@"+imserver.Domain, "", "second"))
	romeo.says("juliet@"+imserver.Domain, "wake up")
	before := r.until("wake up")
	if strings.Contains(before, "first") || !strings.Contains(before, "second") {
		t.Errorf("before it she is told %s", before)
	}
	romeo.must(romeo.Presence("juliet@"+imserver.Domain, "", "third"))
	r.say(`<active xmlns='urn:xmpp:csi:0'/>`)
	r.until("third")
}

// A phone that has lost its connection before it acknowledged what was said to it is woken, and finds it when it comes back to its session
// (XEP-0198 §5).
func TestPushToWhoIsLost(t *testing.T) {
	t.Parallel()
	w := alone(t, "juliet", "romeo")
	service, romeo := w.pushService(), w.login("romeo", "orchard")
	r := w.rawKnown("juliet")
	r.until("</stream:features>")
	r.say(`<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>phone</resource></bind></iq><enable xmlns='urn:xmpp:sm:3' resume='true'/>`)
	r.until("<enabled")
	id, _, _ := strings.Cut(strings.SplitAfter(r.until("/>"), " id='")[1], "'")
	r.say(`<iq type='set' id='e'><enable xmlns='urn:xmpp:push:0' jid='push.home.test' node='device'/></iq><presence/>`)
	r.until("<presence")
	romeo.says("juliet@"+imserver.Domain, "are you there?")
	r.until("are you there?")
	_ = r.conn.Close()
	service.sees(func(e client.Event) bool { return e.Type == "set" && strings.Contains(e.XML, `node="device"`) })

	again := w.rawKnown("juliet")
	again.until("</stream:features>")
	again.say(`<resume xmlns='urn:xmpp:sm:3' previd='` + id + `' h='2'/>`)
	again.until("<resumed")
	again.until("are you there?")
}
