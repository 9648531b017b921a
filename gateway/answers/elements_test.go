package answers_test

import (
	"strings"
	"testing"

	"sallyport/internal/xmpp/xmlstream"
)

func element(t testing.TB, text string) *xmlstream.Element {
	t.Helper()
	e, err := xmlstream.ParseDocument([]byte(text), xmlstream.Options{ContentNS: xmlstream.NSServer})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return e
}

func info(in string) string {
	return "<query xmlns='http://jabber.org/protocol/disco#info' node='urn:n#v'>" + in + "</query>"
}

func features(names ...string) string {
	return "<feature var='" + strings.Join(names, "'/><feature var='") + "'/>"
}

const exodus = "<identity category='client' type='pc' name='Exodus 0.9.1'/>"

var four = features("http://jabber.org/protocol/caps", "http://jabber.org/protocol/disco#info", "http://jabber.org/protocol/disco#items",
	"http://jabber.org/protocol/muc")
