package pep_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"sallyport/internal/xmpp/jid"
	"sallyport/server/account"
	"sallyport/server/pep"
	"sallyport/server/servertest"
)

// What is not had here is named by the words of XEP-0060 §16.2, and a bad access model by its own condition (§8.1.2).
func TestNotImplemented(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.asks("set", balcony, publish(tune, "i1", song))
	unsupported := func(feature string) string {
		return "feature-not-implemented <unsupported" + strings.Replace(errs, "/>", " feature='"+feature+"'/>", 1)
	}
	model := "not-acceptable <unsupported-access-model" + errs
	for _, tc := range []struct{ name, kind, who, in, want string }{
		{"§6.1.3.11", "set", romeo, "<subscribe node='" + tune + "' jid='" + romeo + "'/>", unsupported("subscribe")},
		{"§6.2", "set", romeo, "<unsubscribe node='" + tune + "' jid='" + romeo + "'/>", unsupported("subscribe")},
		{"§6.3.4.6", "get", romeo, "<options node='" + tune + "' jid='" + romeo + "'/>", unsupported("subscription-options")},
		{"§6.3, the owner", "get", balcony, "<options node='" + tune + "' jid='" + juliet + "'/>", unsupported("subscription-options")},
		{"§6.4.3.2", "get", balcony, "<default/>", unsupported("retrieve-default-sub")},
		{"§5.7", "get", balcony, "<affiliations/>", unsupported("retrieve-affiliations")},
		{"§8.8.1.1", "get", balcony, "owner:<subscriptions node='" + tune + "'/>", unsupported("manage-subscriptions")},
		{"§8.8.2.1", "set", balcony, "owner:<subscriptions node='" + tune + "'/>", unsupported("manage-subscriptions")},
		{"§8.9.1.1", "get", balcony, "owner:<affiliations node='" + tune + "'/>", unsupported("modify-affiliations")},
		{"§8.1.2", "set", balcony, "<create node='n'/><configure>" + formOf("node_config", []string{"access_model", "authorize"}) + "</configure>", model},
		{"configured later", "set", balcony, "owner:<configure node='" + tune + "'>" + formOf("node_config", []string{"access_model", "authorize"}) + "</configure>", model},
	} {
		if got := w.asks(tc.kind, tc.who, tc.in); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
	}
}

// Who asks for items by their ids gets those that there are (§6.5.9.11).
func TestItemsThatAreNot(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.asks("set", balcony, publish(tune, "i1", song))
	for in, want := range map[string]string{
		"<item id='x'/>": "",
		"<item id='x'/><item id='i1'/><item id='y'/>":     "<item id='i1'>" + song + "</item>",
		"<item id='i1'/><item id='i1'/><item id='none'/>": "<item id='i1'>" + song + "</item><item id='i1'>" + song + "</item>",
	} {
		whole := "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='" + tune + "'>" + want + "</items></pubsub>"
		if got := w.asks("get", romeo, "<items node='"+tune+"'>"+in+"</items>"); strings.Replace(got, "'/></pubsub>", "'></items></pubsub>", 1) != whole {
			t.Errorf("%s: %s", in, got)
		}
	}
}

// What is told to who has just come is of another time (§6.1.7), what is told at once is not.
func TestLastItemIsDelayed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.asks("set", balcony, publish(tune, "i1", song))
	w.comes(romeo, info("urn:a", tune+"+notify"))
	delays := func() (list []string) {
		for _, text := range w.core.Submitted(t) {
			m := servertest.Stanza(t, text)
			if e := m.Element().Child("urn:xmpp:delay", "delay"); e != nil {
				list = append(list, servertest.Text(t, e))
			} else if m.Element().Child("http://jabber.org/protocol/pubsub#event", "event") != nil {
				list = append(list, "")
			}
		}
		return list
	}
	stamp := "<delay xmlns='urn:xmpp:delay' from='" + juliet + "' stamp='2001-09-09T01:46:41.000Z'/>"
	if got := delays(); len(got) != 1 || got[0] != stamp {
		t.Errorf("to who has come: %q, want %s", got, stamp)
	}
	w.asks("set", balcony, publish(tune, "i2", song))
	if got := delays(); len(got) != 1 || got[0] != "" {
		t.Errorf("to who is there: %q", got)
	}
}

// hasty is a store in which somebody else has made the node when this one would.
type hasty struct {
	pep.Store
	options pep.Options
}

func (h *hasty) PutNode(ctx context.Context, owner jid.JID, n pep.Node, create bool) error {
	if create {
		if err := h.Store.PutNode(ctx, owner, pep.Node{Name: n.Name, Options: h.options}, true); err != nil {
			return err
		}
		return account.ErrExists
	}
	return h.Store.PutNode(ctx, owner, n, create)
}

// Two clients publish at once what has no node yet: both do, unless they want nodes that differ (§7.1.4).
func TestTwoMakeTheNode(t *testing.T) {
	t.Parallel()
	open := pep.Defaults()
	open.Access = pep.Open
	for _, tc := range []struct {
		name  string
		made  pep.Options
		in    string
		fails string
	}{
		{"as it is by default", pep.Defaults(), publish(tune, "i1", song), ""},
		{"as both want it", open, publish(tune, "i1", song) + options("access_model", "open"), ""},
		{"as the other one wants it, and this one does not care", open, publish(tune, "i1", song), ""},
		{"otherwise", open, publish(tune, "i1", song) + options("access_model", "whitelist"), "conflict <precondition-not-met" + errs},
	} {
		w := newWorld(t)
		c := w.service.Config
		c.Store = &hasty{c.Store, tc.made}
		s := pep.New(c)
		t.Cleanup(s.Close)
		w.Feature = s.Feature()
		got := w.asks("set", balcony, tc.in)
		if tc.fails == "" && !strings.HasPrefix(got, "<pubsub") || tc.fails != "" && got != tc.fails {
			t.Errorf("%s: %s", tc.name, got)
		}
	}
}

// What is remembered of an account goes with it: who has its name next makes his own nodes.
func TestForgetsWhoWasRemoved(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.asks("set", balcony, publish(tune, "i1", song)+options("access_model", "open"))
	w.comes(balcony, info("urn:a", tune+"+notify"))
	w.notified()
	owner := jid.MustParse(juliet)
	if err := w.service.Store.RemoveNode(t.Context(), owner, tune); err != nil { // as the account's end does
		t.Fatal(err)
	}
	w.Forget(owner)
	if list := w.service.Nodes(t.Context(), owner, owner); len(list) > 0 {
		t.Errorf("there are %v", list)
	}
	if got := w.asks("set", chamber, publish(tune, "i2", song)+options("access_model", "whitelist")); !strings.HasPrefix(got, "<pubsub") {
		t.Errorf("not published: %s", got)
	}
	w.expect("published by another")
}

// Items come by page, the newest first; what is too much for an answer is said to be (§6.5.4).
func TestItemsByPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const node = "urn:xmpp:microblog:0"
	for i := range 5 {
		w.asks("set", balcony, publish(node, fmt.Sprint(i), song)+options("max_items", "max"))
	}
	set := func(in string) string { return "<set xmlns='http://jabber.org/protocol/rsm'>" + in + "</set>" }
	for _, tc := range []struct{ name, in, ids, set string }{
		{"no page", "", "4 3 2 1 0", ""},
		{"the first", set("<max>2</max>"), "4 3", "<first index='0'>4</first><last>3</last><count>5</count>"},
		{"the next", set("<max>2</max><after>3</after>"), "2 1", "<first index='2'>2</first><last>1</last><count>5</count>"},
		{"the one before", set("<max>2</max><before>2</before>"), "4 3", "<first index='0'>4</first><last>3</last><count>5</count>"},
		{"the last", set("<max>2</max><before/>"), "1 0", "<first index='3'>1</first><last>0</last><count>5</count>"},
		{"how many", set("<max>0</max>"), "", "<count>5</count>"},
		{"behind one that is not there", set("<after>x</after>"), "item-not-found", ""},
		{"by number", set("<index>1</index>"), "feature-not-implemented", ""},
		{"two places", set("<after>1</after><before>2</before>"), "bad-request", ""},
	} {
		got := w.asks("get", romeo, "<items node='"+node+"'/>"+tc.in)
		if ids := idsOf(got); ids != tc.ids {
			t.Errorf("%s: %s, want %s", tc.name, ids, tc.ids)
		}
		if _, said, _ := strings.Cut(got, "<set xmlns='http://jabber.org/protocol/rsm'>"); strings.TrimSuffix(said, "</set></pubsub>") != tc.set {
			t.Errorf("%s: %s, want %s", tc.name, said, tc.set)
		}
	}
	large := "<x xmlns='urn:x'>" + strings.Repeat("x", 100<<10) + "</x>"
	for i := range 5 {
		w.asks("set", balcony, publish(node, fmt.Sprint(i), large))
	}
	for in, want := range map[string]string{
		"":                                  "4 3 <first index='0'>4</first><last>3</last><count>5</count>",
		set("<max>4</max><after>4</after>"): "3 2 <first index='1'>3</first><last>2</last><count>5</count>",
		set("<max>4</max><before/>"):        "1 0 <first index='3'>1</first><last>0</last><count>5</count>",
	} {
		got := w.asks("get", romeo, "<items node='"+node+"'/>"+in)
		_, said, _ := strings.Cut(got, "<set xmlns='http://jabber.org/protocol/rsm'>")
		if got := idsOf(got) + " " + strings.TrimSuffix(said, "</set></pubsub>"); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

// idsOf gives the ids of items in an answer, or the error.
func idsOf(answer string) string {
	if !strings.HasPrefix(answer, "<pubsub") {
		return answer
	}
	var ids []string
	for _, item := range strings.Split(answer, "<item id='")[1:] {
		id, _, _ := strings.Cut(item, "'")
		ids = append(ids, id)
	}
	return strings.Join(ids, " ")
}
