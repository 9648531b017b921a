package bookmarks_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/server"
	"sallyport/server/bookmarks"
	"sallyport/server/pep"
	"sallyport/server/private"
	"sallyport/server/servertest"
)

const juliet, balcony = "juliet@capulet.lit", "juliet@capulet.lit/balcony"

// world is everything that bookmarks join, with one client that is told of all.
type world struct {
	*testing.T
	events, private, marks server.Feature
	core                   *servertest.Core
	store                  private.Store
	service                *pep.Service
	uncleared              bool // nothing without a label may be read
}

const interest = "<query xmlns='http://jabber.org/protocol/disco#info'><identity category='client' type='pc'/>" +
	"<feature var='storage:bookmarks+notify'/><feature var='urn:xmpp:bookmarks:1+notify'/></query>"

func newWorld(t *testing.T) *world {
	t.Helper()
	s := servertest.Store(t, juliet)
	b := bookmarks.New(s)
	w := &world{T: t, store: s, core: &servertest.Core{}}
	w.core.Answer = func(q stanza.Stanza) stanza.Stanza {
		a := servertest.Stanza(t, "<iq from='"+balcony+"' to='"+juliet+"' type='result' id='"+q.ID()+"'>"+interest+"</iq>")
		return a
	}
	now := time.Unix(1e9, 0)
	w.service = pep.New(pep.Config{
		Store: s, Core: w.core, Node: "n1", Now: func() time.Time { now = now.Add(time.Second); return now }, Changed: b.Published, Taken: b.Taken,
		MaySee:  func(context.Context, jid.JID, jid.JID) bool { return false },
		Knows:   func(context.Context, jid.JID, jid.JID) bool { return false },
		Groups:  func(context.Context, jid.JID, jid.JID) []string { return nil },
		Blocks:  func(context.Context, jid.JID, jid.JID) bool { return false },
		MayRead: func(stanza.Stanza, jid.JID) bool { return !w.uncleared }, MayAnswer: func(stanza.Stanza) bool { return true },
	})
	b.Events = w.service
	w.events, w.private, w.marks = w.service.Feature(), private.New(s, b.Stored), b.Feature()
	w.events.Available(t.Context(), server.Resource{JID: jid.MustParse(balcony)},
		servertest.Stanza(t, "<presence from='"+balcony+"' to='"+juliet+"'><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:client' ver='x'/></presence>"), true)
	w.service.Close() // it has asked for caps
	w.told()
	return w
}

func (w *world) asks(f server.Feature, kind, payload string) string {
	w.Helper()
	return servertest.Said(w.T, servertest.Ask(w.T, f, kind, balcony, "", payload))
}

func (w *world) pubsub(kind, in string) string {
	w.Helper()
	return w.asks(w.events, kind, "<pubsub xmlns='http://jabber.org/protocol/pubsub'>"+in+"</pubsub>")
}

// publish publishes as clients do that have options.
func (w *world) publish(node, id, payload, access string) {
	w.Helper()
	most := "<field var='pubsub#max_items'><value>max</value></field>"
	if node == "storage:bookmarks" {
		most = ""
	}
	got := w.pubsub("set", "<publish node='"+node+"'><item id='"+id+"'>"+payload+"</item></publish><publish-options><x xmlns='jabber:x:data' type='submit'>"+
		"<field var='FORM_TYPE' type='hidden'><value>http://jabber.org/protocol/pubsub#publish-options</value></field>"+
		"<field var='pubsub#access_model'><value>"+access+"</value></field>"+most+"</x></publish-options>")
	if !strings.Contains(got, "publish") {
		w.Errorf("publish %s: %s", payload, got)
	}
}

// told gives the events since the last look, in order, without what they have in common.
func (w *world) told() (list []string) {
	w.Helper()
	for _, text := range append(w.core.Told(w.T), w.core.Submitted(w.T)...) {
		if e := servertest.Stanza(w.T, text).Element().Child("http://jabber.org/protocol/pubsub#event", "event"); e != nil {
			text := servertest.Text(w.T, e)
			for _, common := range []string{"<event xmlns='http://jabber.org/protocol/pubsub#event'>", "</event>", "<items node='urn:xmpp:bookmarks:1'>", "</items>"} {
				text = strings.ReplaceAll(text, common, "")
			}
			list = append(list, text)
		}
	}
	return list
}

func (w *world) wantTold(what string, want ...string) {
	w.Helper()
	if got := w.told(); strings.Join(got, "\n") != strings.Join(want, "\n") {
		w.Errorf("%s: told\n\t%s\nwant\n\t%s", what, strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// stored wants the same list in both older places.
func (w *world) stored(what, conferences string) {
	w.Helper()
	list := "<storage xmlns='storage:bookmarks'>" + conferences + "</storage>"
	if got := w.asks(w.private, "get", "<query xmlns='jabber:iq:private'><storage xmlns='storage:bookmarks'/></query>"); got != "<query xmlns='jabber:iq:private'>"+list+"</query>" {
		w.Errorf("%s: in private storage is %s", what, got)
	}
	if got := w.pubsub("get", "<items node='storage:bookmarks'/>"); !strings.Contains(got, "<item id='current'>"+list+"</item>") {
		w.Errorf("%s: published is %s", what, got)
	}
}

func (w *world) put(conferences string) {
	w.Helper()
	if got := w.asks(w.private, "set", "<query xmlns='jabber:iq:private'><storage xmlns='storage:bookmarks'>"+conferences+"</storage></query>"); got != "" {
		w.Errorf("put %s: %s", conferences, got)
	}
}

const (
	play    = "<conference xmlns='urn:xmpp:bookmarks:1' autojoin='1' name='The Play'><nick>JC</nick></conference>"
	oldPlay = "<conference autojoin='true' jid='play@r.lit' name='The Play'><nick>JC</nick></conference>"
	web     = "<url name='Works' url='http://w.lit/'/>"
)

func event(id, conference string) string { return "<item id='" + id + "'>" + conference + "</item>" }

func legacy(conferences string) string {
	return "<items node='storage:bookmarks'><item id='current'><storage xmlns='storage:bookmarks'>" + conferences + "</storage></item>"
}

// What is published room by room is in the older forms, and what older clients write is published (XEP-0402 §6.3, XEP-0411 §3).
func TestTheSameEverywhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.publish("urn:xmpp:bookmarks:1", "play@r.lit", play, "whitelist")
	w.wantTold("published", legacy(oldPlay), event("play@r.lit", play))
	w.stored("published", oldPlay)

	orchard := "<conference jid='orchard@r.lit'/>"
	w.put(oldPlay + orchard + web)
	w.wantTold("one more in private storage", event("orchard@r.lit", "<conference xmlns='urn:xmpp:bookmarks:1'/>"),
		legacy(oldPlay+orchard+web))
	w.stored("one more in private storage", oldPlay+orchard+web)

	extended := strings.Replace(play, "</nick>", "</nick><extensions><x xmlns='urn:x'/></extensions>", 1)
	w.publish("urn:xmpp:bookmarks:1", "play@r.lit", extended, "whitelist")
	w.wantTold("what older clients cannot see", event("play@r.lit", extended))
	w.pubsub("set", "<retract node='urn:xmpp:bookmarks:1' notify='true'><item id='orchard@r.lit'/></retract>")
	w.wantTold("taken away", "<retract id='orchard@r.lit'/>", legacy(oldPlay+web))
	w.stored("taken away", oldPlay+web)

	renamed := strings.Replace(oldPlay, "The Play", "The Thing", 1)
	w.publish("storage:bookmarks", "current", "<storage xmlns='storage:bookmarks'>"+renamed+"</storage>", "whitelist")
	want := strings.Replace(strings.Replace(extended, "The Play", "The Thing", 1), "autojoin='1'", "autojoin='true'", 1)
	w.wantTold("by the older way of publishing", event("play@r.lit", want), legacy(renamed))
	w.stored("by the older way of publishing", renamed)
	w.put("")
	w.wantTold("no more of them", "<retract id='play@r.lit'/>", "<items node='storage:bookmarks'><item id='current'><storage xmlns='storage:bookmarks'/></item>")
}

// Nobody else is shown them: a node that others may read is left alone (XEP-0411 §6).
func TestNobodyElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.publish("urn:xmpp:bookmarks:1", "play@r.lit", play, "presence")
	w.told()
	w.put("<conference jid='orchard@r.lit'/>")
	w.wantTold("stored", legacy("<conference jid='orchard@r.lit'/>"))
	if got := w.pubsub("get", "<items node='urn:xmpp:bookmarks:1'/>"); strings.Contains(got, "orchard") {
		t.Errorf("others are shown %s", got)
	}
	w.publish("urn:xmpp:bookmarks:1", "play@r.lit", play, "presence")
	w.stored("from a node that others may read", "<conference jid='orchard@r.lit'/>")
}

// What was stored before there were items is published when a client comes, once; what cannot be published stays where it is.
func TestWhatWasThereBefore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	text := []byte("<storage xmlns='storage:bookmarks'>" + oldPlay + "</storage>")
	if err := w.store.PutPrivate(t.Context(), jid.MustParse(juliet), xmlstream.Name{Space: "storage:bookmarks", Local: "storage"}, text); err != nil {
		t.Fatal(err)
	}
	w.marks.Available(t.Context(), server.Resource{JID: jid.MustParse(balcony)}, stanza.Stanza{}, false)
	w.wantTold("later presence")
	w.marks.Available(t.Context(), server.Resource{JID: jid.MustParse(balcony)}, stanza.Stanza{}, true)
	w.wantTold("a client comes", event("play@r.lit", strings.Replace(play, "'1'", "'true'", 1)), legacy(oldPlay))
	w.stored("a client comes", oldPlay)
	w.marks.Available(t.Context(), server.Resource{JID: jid.MustParse(balcony)}, stanza.Stanza{}, true)
	w.wantTold("another client comes")
	w.uncleared = true
	w.put(oldPlay + web)
	if got := w.asks(w.private, "get", "<query xmlns='jabber:iq:private'><storage xmlns='storage:bookmarks'/></query>"); !strings.Contains(got, web) {
		t.Errorf("stored is %s", got)
	}
	w.wantTold("what its owner may not read")
}
