package caps_test

import (
	"errors"
	"strings"
	"testing"

	"sallyport/internal/xmpp/caps"
)

const bombus = "<identity category='client' name='BombusMod' type='mobile'/>"

// TestHash has the first example of XEP-0390 §5.
func TestHash(t *testing.T) {
	t.Parallel()
	list := []string{
		"http://jabber.org/protocol/si", "http://jabber.org/protocol/bytestreams", "http://jabber.org/protocol/chatstates",
		"http://jabber.org/protocol/disco#info", "http://jabber.org/protocol/disco#items", "urn:xmpp:ping", "jabber:iq:time",
		"jabber:iq:privacy", "jabber:iq:version", "http://jabber.org/protocol/rosterx", "urn:xmpp:time", "jabber:x:oob",
		"http://jabber.org/protocol/ibb", "http://jabber.org/protocol/si/profile/file-transfer", "urn:xmpp:receipts",
		"jabber:iq:roster", "jabber:iq:last",
	}
	got, err := caps.Hash(element(t, info(bombus+features(list...))))
	if want := "kzBZbkqJ3ADrj7v08reD1qcWUwNGHaidNUgD7nHpiw8="; err != nil || got != want {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
	one, err1 := caps.Hash(element(t, info(psi+four+frm)))
	two, err2 := caps.Hash(element(t, info(frm+four+psi)))
	if err1 != nil || err2 != nil || one != two {
		t.Errorf("the order changes the hash: %q (%v) and %q (%v)", one, err1, two, err2)
	}
	for name, in := range map[string]string{
		"something else":    info("<item jid='a'/>"),
		"another query":     "<query xmlns='jabber:iq:version'/>",
		"form without type": info("<x xmlns='jabber:x:data'/>"),
		"table":             info(strings.Replace(frm, "</x>", "<reported/></x>", 1)),
	} {
		if h, err := caps.Hash(element(t, in)); !errors.Is(err, caps.ErrUncovered) || h != "" {
			t.Errorf("%s: %q, %v", name, h, err)
		}
	}
	if _, err := caps.Hash(nil); err == nil {
		t.Error("nothing has a hash")
	}
}
