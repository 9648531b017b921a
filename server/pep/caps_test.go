package pep_test

import (
	"fmt"
	"strings"
	"testing"

	"sallyport/internal/xmpp/caps"
	"sallyport/server/servertest"
)

// asked counts the questions that clients got since the last call.
func (w *world) asked() int {
	n := 0
	for _, text := range w.core.Submitted(w.T) {
		if strings.HasPrefix(text, "<iq") {
			n++
		}
	}
	return n
}

func TestOneClientIsAskedForAll(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	wants := info(tune + "+notify")
	for i := range 5 {
		w.comes(fmt.Sprintf("romeo@montague.lit/%d", i), wants)
	}
	if n := w.asked(); n != 1 {
		t.Errorf("%d were asked", n)
	}
	w.asks("set", balcony, publish(tune, "i1", song))
	if got := w.notified(); len(got) != 5 {
		t.Errorf("notified %v", got)
	}
}

// A client that shows the hash of others and answers something else changes nothing for them.
func TestPoison(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	wants, liar := info(tune+"+notify"), "romeo@montague.lit/liar"
	w.clients[liar] = info("urn:evil+notify")
	w.presence(w.shows(liar, wants))
	w.comes(nurse, wants)
	w.asks("set", balcony, publish(tune, "i1", song))
	w.expect("only who wants to know", nurse+": "+event(tune, "i1", song))
	w.asks("set", balcony, publish("urn:evil", "i1", song))
	w.expect("what the liar wants, for itself", liar+": "+event("urn:evil", "i1", song))
}

func TestClientsThatCannotBeVerified(t *testing.T) {
	t.Parallel()
	form := "<x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE' type='hidden'><value>urn:s</value></field></x></query>"
	wants := strings.Replace(info(tune+"+notify"), "</query>", form, 1)
	w := newWorld(t)
	w.comes(romeo, wants)
	w.comes(nurse, wants)
	if n := w.asked(); n != 2 {
		t.Errorf("%d were asked, though a hash that can be read in two ways proves nothing", n)
	}
	w.asks("set", balcony, publish(tune, "i1", song))
	e := event(tune, "i1", song)
	w.expect("both", romeo+": "+e, nurse+": "+e)
	hash, err := caps.Hash(servertest.Element(t, wants))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 { // XEP-0390 has one reading
		from := fmt.Sprintf("romeo@montague.lit/%d", i)
		w.clients[from] = wants
		w.presence(servertest.Stanza(t, "<presence from='"+from+"' to='"+juliet+"'><c xmlns='urn:xmpp:caps'><hash xmlns='urn:xmpp:hashes:2' algo='sha-256'>"+hash+"</hash></c></presence>"))
	}
	if n := w.asked(); n != 1 {
		t.Errorf("%d were asked, though a hash of XEP-0390 proves it for all", n)
	}
}

func TestWhoIsNotRemembered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.comes(paris, info(tune+"+notify"))
	w.presence(servertest.Stanza(t, "<presence from='rooms.lit/x' to='"+juliet+"'/>"))
	w.presence(servertest.Stanza(t, "<presence from='romeo@montague.lit' to='"+juliet+"'/>"))
	w.presence(servertest.Stanza(t, "<presence from='"+romeo+"' to='"+juliet+"' type='subscribe'/>"))
	if n := w.service.Clients(); n != 0 {
		t.Errorf("%d are remembered", n)
	}
	for i := range 1100 {
		w.presence(servertest.Stanza(t, fmt.Sprintf("<presence from='romeo@montague.lit/%d' to='%s'/>", i, juliet)))
	}
	if n := w.service.Clients(); n != 1000 {
		t.Errorf("%d are remembered", n)
	}
	for i := range 1100 {
		w.presence(servertest.Stanza(t, fmt.Sprintf("<presence from='romeo@montague.lit/%d' to='%s' type='unavailable'/>", i, juliet)))
	}
	if n := w.service.Clients(); n != 0 {
		t.Errorf("%d are remembered when all are gone", n)
	}
}

// Most presence says nothing new of a client, and a roster is on disk.
func TestRostersAreLookedIntoForWhatIsNew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, step := range []struct {
		presence string
		looked   int
	}{
		{"<presence from='" + romeo + "' to='" + juliet + "'/>", 1},
		{"<presence from='" + romeo + "' to='" + juliet + "'><show>away</show></presence>", 1},
		{"<presence from='" + romeo + "/2' to='" + juliet + "'/>", 2},
		{"<presence from='" + romeo + "' to='" + juliet + "'><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:c' ver='1'/></presence>", 3},
		{"<presence from='" + romeo + "' to='" + juliet + "'><show>dnd</show><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:c' ver='1'/></presence>", 3},
		{"<presence from='" + romeo + "' to='" + juliet + "' type='unavailable'/>", 3},
		{"<presence from='" + romeo + "' to='" + juliet + "'/>", 4},
	} {
		w.presence(servertest.Stanza(t, step.presence))
		if w.looked != step.looked {
			t.Errorf("%s: looked into %d times, want %d", step.presence, w.looked, step.looked)
		}
	}
}
