package pep_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/server/servertest"
)

// label is a securitylabel of the test's own; named is one in an answer.
func label(word string) string {
	return "<securitylabel xmlns='urn:xmpp:sec-label:0'><label><x xmlns='urn:x'>" + word + "</x></label></securitylabel>"
}

func named(word, n string) string {
	return "<securitylabel xmlns='urn:xmpp:sec-label:0' xmlns:a='urn:xmpp:sec-label:pubsub:0' a:id='label-" + n + "'><label><x xmlns='urn:x'>" + word + "</x></label></securitylabel>"
}

func labelledItem(node, id, payload, label string) string {
	return "<publish node='" + node + "'><item id='" + id + "'>" + payload + "</item>" + label + "</publish>"
}

// labelWorld is a world in which three items of a node have labels and two readers may not read one of them.
func labelWorld(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.hidden = map[string]string{nurse: ">SECRET<", chamber: ">SECRET<"}
	for _, c := range []string{balcony, chamber, romeo, nurse} {
		w.comes(c, info(tune+"+notify"))
	}
	w.asks("set", balcony, publish(tune, "a", song)+options("max_items", "10"))
	w.expect("no label", balcony+": "+event(tune, "a", song), chamber+": "+event(tune, "a", song), romeo+": "+event(tune, "a", song), nurse+": "+event(tune, "a", song))
	w.asks("set", balcony, labelledItem(tune, "b", song, label("SECRET")))
	secret := event(tune, "b", song) + label("SECRET")
	w.expect("a label that not everybody may read", balcony+": "+secret, romeo+": "+secret)
	w.asks("set", balcony, labelledItem(tune, "c", song, label("OPEN")))
	open := event(tune, "c", song) + label("OPEN")
	w.expect("one that everybody may", balcony+": "+open, chamber+": "+open, romeo+": "+open, nurse+": "+open)
	return w
}

// Items with labels are there for those who may read them, and for nobody else (XEP-0314 §5.2).
func TestItemsAreReadByLabel(t *testing.T) {
	t.Parallel()
	w := labelWorld(t)
	all := func(in string) string {
		return "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='" + tune + "'>" + in + "</items></pubsub>"
	}
	item := func(id, n string) string {
		if n == "" {
			return fmt.Sprintf("<item id='%s'>%s</item>", id, song)
		}
		return fmt.Sprintf("<item xmlns:a='urn:xmpp:sec-label:pubsub:0' id='%s' a:label='label-%s'>%s</item>", id, n, song)
	}
	ask, last := "<items node='"+tune+"'/>", "<items node='"+tune+"' max_items='2'/>"
	one, none := "<items node='"+tune+"'><item id='b'/></items>", strings.Replace(all(""), "></items>", "/>", 1)
	for _, tt := range []struct{ name, from, in, want string }{
		{"all of them", romeo, ask, all(item("c", "1") + item("b", "2") + item("a", "") + named("OPEN", "1") + named("SECRET", "2"))},
		{"without what he may not read", nurse, ask, all(item("c", "1") + item("a", "") + named("OPEN", "1"))},
		{"the last two that he may read", nurse, last, all(item("c", "1") + item("a", "") + named("OPEN", "1"))},
		{"the last two", romeo, last, all(item("c", "1") + item("b", "2") + named("OPEN", "1") + named("SECRET", "2"))},
		{"by its id", romeo, one, all(item("b", "1") + named("SECRET", "1"))},
		{"as if it did not exist", nurse, one, none},
		{"nor for another client of the account", chamber, one, none},
	} {
		if d := cmp.Diff(tt.want, w.asks("get", tt.from, tt.in)); d != "" {
			t.Errorf("%s: %s", tt.name, d)
		}
	}
	if _, _, err := w.service.Read(t.Context(), jid.MustParse(juliet), tune, "b"); err == nil {
		t.Error("a feature of the server carries a label away")
	}
}

// Whom an answer with a label would not reach is answered without what has it, though he is told by other rules.
func TestAnswersThatWouldNotGo(t *testing.T) {
	t.Parallel()
	w := labelWorld(t)
	w.stopped = ">SECRET<"
	want := "<item id='b'>" + song
	if got := w.asks("get", romeo, "<items node='"+tune+"'/>"); strings.Contains(got, want) || strings.Count(got, song) != 2 {
		t.Errorf("he reads %s", got)
	}
	w.asks("set", balcony, labelledItem(tune, "f", song, label("SECRET")))
	secret := event(tune, "f", song) + label("SECRET")
	w.expect("published", balcony+": "+secret, romeo+": "+secret)
}

// A service that nobody told which answers go answers with nothing that is kept.
func TestNobodySaysWhatMayBeAnswered(t *testing.T) {
	t.Parallel()
	w := labelWorld(t)
	w.service.MayAnswer = nil
	for _, who := range []string{balcony, romeo} {
		if got := w.asks("get", who, "<items node='"+tune+"'/>"); strings.Contains(got, "<item ") {
			t.Errorf("%s reads %s", who, got)
		}
		if got := w.asks("get", who, "<items node='"+tune+"'><item id='a'/></items>"); strings.Contains(got, "<item ") {
			t.Errorf("%s reads one: %s", who, got)
		}
	}
}

// What is taken back, and what was published last, is told by label; a label is taken from who could read it (§6).
func TestEventsAreToldByLabel(t *testing.T) {
	t.Parallel()
	w := labelWorld(t)
	for _, tt := range []struct{ name, from, in, want string }{
		{"two labels", balcony, labelledItem(tune, "d", song, label("OPEN")+label("OPEN")), "bad-request"},
		{"one in the item", balcony, publish(tune, "d", label("OPEN")), "bad-request"},
		{"beyond the publisher", chamber, labelledItem(tune, "d", song, label("SECRET")), "forbidden <insufficient-clearance xmlns='urn:xmpp:sec-label:pubsub:errors:0'/>"},
		{"what she may not read", chamber, "<retract node='" + tune + "'><item id='b'/></retract>", "item-not-found"},
	} {
		if got := w.asks("set", tt.from, tt.in); got != tt.want {
			t.Errorf("%s: %s", tt.name, got)
		}
		w.expect(tt.name)
	}
	w.presence(servertest.Stanza(t, "<presence from='"+nurse+"' to='"+juliet+"' type='unavailable'/>"))
	w.asks("set", balcony, labelledItem(tune, "e", song, label("SECRET")))
	w.notified()
	w.comes(nurse, info(tune+"+notify"))
	w.expect("the last that she may read", nurse+": "+event(tune, "c", song)+label("OPEN"))
	w.asks("set", balcony, "<retract node='"+tune+"'><item id='a'/><item id='b'/><item id='e'/></retract>")
	a := "<items node='" + tune + "'><retract id='a'/></items>"
	others := "<items node='" + tune + "'><retract id='b'/><retract id='e'/></items>" + label("SECRET")
	w.expect("taken back", balcony+": "+a, chamber+": "+a, romeo+": "+a, nurse+": "+a, balcony+": "+others, romeo+": "+others)
}

// What labels can do for a node is said of each (XEP-0314 §4.1): all who read it read labels, its owner can ask which he may choose.
func TestNodesSayThatTheyHaveLabels(t *testing.T) {
	t.Parallel()
	w := labelWorld(t)
	for who, choose := range map[string]bool{balcony: true, romeo: false} {
		got := servertest.Text(t, w.service.Info(t.Context(), jid.MustParse(juliet), jid.MustParse(who), tune))
		if !strings.Contains(got, "<feature var='urn:xmpp:sec-label:0'/>") || strings.Contains(got, "<feature var='urn:xmpp:sec-label:catalog:2'/>") != choose {
			t.Errorf("%s is told %s", who, got)
		}
	}
}

// That a node is emptied or gone has no label of its own. Where what has none is told to nobody, it has that of an item which who is told
// could read; whoever could read nothing there is told nothing.
func TestEndsOfNodesAreToldByLabel(t *testing.T) {
	t.Parallel()
	for _, what := range []string{"purge", "delete"} {
		w := labelWorld(t)
		w.asks("set", balcony, "<retract node='"+tune+"'><item id='a'/></retract>")
		w.notified()
		w.service.MayRead = func(kept stanza.Stanza, reader jid.JID) bool {
			text := servertest.Text(t, kept.Element())
			secret, open := strings.Contains(text, ">SECRET<"), strings.Contains(text, ">OPEN<")
			switch reader.String() {
			case nurse:
				return open
			case chamber:
				return false
			}
			return secret || open
		}
		w.asks("set", balcony, "owner:<"+what+" node='"+tune+"'/>")
		e := "<" + what + " node='" + tune + "'/>" + label("OPEN")
		w.expect(what, balcony+": "+e, romeo+": "+e, nurse+": "+e)
	}
}
