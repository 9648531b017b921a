package imserver_test

import (
	"strings"
	"testing"

	"sallyport/testbed/client"
	"sallyport/testbed/imserver"
)

// Rooms that one client marks are there for every other, whichever of the three ways it knows (XEP-0402, XEP-0048, XEP-0049, XEP-0411).
func TestBookmarks(t *testing.T) {
	t.Parallel()
	w := alone(t, "juliet")
	const native, old = "urn:xmpp:bookmarks:1", "storage:bookmarks"
	enter := func(resource string, nodes ...string) *person {
		return w.enter(client.Account{
			User: "juliet", Domain: imserver.Domain, Resource: resource, Password: imserver.Password, Server: w.home.Clients, CA: w.home.CA, Interests: nodes,
		})
	}
	phone, desk := enter("phone", native), enter("desk", old)
	features := phone.asks("get", "", `<query xmlns="http://jabber.org/protocol/disco#info"/>`)
	for _, f := range []string{native + "#compat", native + "#compat-pep", "urn:xmpp:bookmarks-conversion:0"} {
		if !strings.Contains(features, `var="`+f+`"`) {
			t.Errorf("%s is not announced", f)
		}
	}
	told := func(node, what string) func(client.Event) bool {
		return func(e client.Event) bool {
			return e.Kind == "message" && strings.Contains(e.XML, `node="`+node+`"`) && strings.Contains(e.XML, what)
		}
	}
	phone.asks("set", "", `<pubsub xmlns="http://jabber.org/protocol/pubsub"><publish node="`+native+`"><item id="play@rooms.test"><conference xmlns="`+native+`" name="The Play" autojoin="true"><nick>JC</nick></conference></item></publish>`+
		`<publish-options><x xmlns="jabber:x:data" type="submit"><field var="FORM_TYPE" type="hidden"><value>http://jabber.org/protocol/pubsub#publish-options</value></field>`+
		`<field var="pubsub#persist_items"><value>true</value></field><field var="pubsub#max_items"><value>max</value></field>`+
		`<field var="pubsub#send_last_published_item"><value>never</value></field><field var="pubsub#access_model"><value>whitelist</value></field></x></publish-options></pubsub>`)
	desk.sees(told(old, `jid="play@rooms.test"`))
	private := desk.asks("get", "", `<query xmlns="jabber:iq:private"><storage xmlns="storage:bookmarks"/></query>`)
	if !strings.Contains(private, `jid="play@rooms.test"`) || !strings.Contains(private, "JC<") {
		t.Errorf("in private storage is %s", private)
	}
	phone.sees(told(native, `id="play@rooms.test"`))
	desk.asks("set", "", `<query xmlns="jabber:iq:private"><storage xmlns="storage:bookmarks"><conference jid="orchard@rooms.test" name="Orchard"/></storage></query>`)
	phone.sees(told(native, `id="orchard@rooms.test"`))
	phone.sees(told(native, `retract id="play@rooms.test"`))
}

// Who is put into a group sees the others, and they see him, without another login (RFC 6121 §2.1.6).
func TestGroupAtOnce(t *testing.T) {
	t.Parallel()
	w := alone(t, "juliet", "romeo")
	juliet, romeo := w.login("juliet", "balcony"), w.login("romeo", "orchard")
	for _, command := range [][]string{{"add", imserver.Domain, "crew"}, {"join", imserver.Domain, "crew", juliet.Bare(), romeo.Bare()}} {
		if _, err := w.home.Command(append([]string{"group"}, command...)...); err != nil {
			t.Fatal(err)
		}
	}
	for _, each := range [][2]*person{{juliet, romeo}, {romeo, juliet}} {
		me, other := each[0], each[1]
		me.sees(func(e client.Event) bool {
			return e.Kind == "iq" && e.Type == "set" && e.Has("jabber:iq:roster", "item") && strings.Contains(e.XML, `jid="`+other.Bare()+`"`)
		})
		me.seesPresence("", other.JID)
	}
}
