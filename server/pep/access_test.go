package pep_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"sallyport/internal/xmpp/jid"
	"sallyport/server/pep"
	"sallyport/server/servertest"
)

const errs = " xmlns='http://jabber.org/protocol/pubsub#errors'/>"

// TestAccess asks everybody for a node of each model.
func TestAccess(t *testing.T) {
	t.Parallel()
	tests := []struct{ model, romeo, nurse, paris string }{
		{"open", "yes", "yes", "yes"},
		{"presence", "yes", "yes", "service-unavailable"},
		{"roster", "not-authorized <not-in-roster-group" + errs, "yes", "service-unavailable"},
		{"whitelist", "not-allowed <closed-node" + errs, "not-allowed <closed-node" + errs, "service-unavailable"},
	}
	for _, tc := range tests {
		t.Run(tc.model, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			for _, who := range []string{balcony, romeo, nurse, paris} {
				w.comes(who, info(tune+"+notify"))
			}
			if got := w.asks("set", balcony, publish(tune, "i1", song)+options("access_model", tc.model, "roster_groups_allowed", "Servants")); !strings.HasPrefix(got, "<pubsub") {
				t.Fatal(got)
			}
			var told []string
			for _, text := range w.notified() {
				who, _, _ := strings.Cut(text, ":")
				told = append(told, who)
			}
			items := "<pubsub xmlns='http://jabber.org/protocol/pubsub'>" + event(tune, "i1", song) + "</pubsub>"
			for who, want := range map[string]string{balcony: "yes", romeo: tc.romeo, nurse: tc.nurse, paris: tc.paris} {
				may := want == "yes"
				if may {
					want = items
				}
				if got := w.asks("get", who, "<items node='"+tune+"'/>"); got != want {
					t.Errorf("%s: %s", who, got)
				}
				j := jid.MustParse(who)
				if got := w.service.Nodes(t.Context(), jid.MustParse(juliet), j); slices.Contains(got, tune) != may {
					t.Errorf("%s sees the nodes %v", who, got)
				}
				if got := w.service.Info(t.Context(), jid.MustParse(juliet), j, tune); (got != nil) != may {
					t.Errorf("%s sees the node: %s", who, servertest.Text(t, got))
				}
				// Paris' presence is not seen by who he cannot see, so he is never notified.
				if got := slices.Contains(told, who); got != (may && who != paris) {
					t.Errorf("%s was told: %v", who, got)
				}
				if got := w.asks("get", who, "<items node='urn:none'/>"); who != paris && got != "item-not-found" || who == paris && got != "service-unavailable" {
					t.Errorf("%s asks for a node that is not there: %s", who, got)
				}
			}
		})
	}
}

func TestOnlyTheAccountPublishes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.asks("set", balcony, publish(tune, "i1", song))
	for _, in := range []string{
		publish(tune, "i2", song), "<retract node='" + tune + "'><item id='i1'/></retract>", "<create node='urn:x'/>",
		"owner:<delete node='" + tune + "'/>", "owner:<purge node='" + tune + "'/>", "owner:<configure node='" + tune + "'/>", "owner:<delete node='urn:none'/>",
	} {
		if got := w.asks("set", romeo, in); got != "forbidden" {
			t.Errorf("a contact: %s: %s", in, got)
		}
		if got := w.asks("set", paris, in); got != "service-unavailable" {
			t.Errorf("a stranger: %s: %s", in, got)
		}
	}
	subscribe := "<subscribe jid='romeo@montague.lit' node='" + tune + "'/>"
	if got := w.asks("set", romeo, subscribe); got != "feature-not-implemented <unsupported xmlns='http://jabber.org/protocol/pubsub#errors' feature='subscribe'/>" {
		t.Errorf("who wants to subscribe in another way than by presence: %s", got)
	}
	if got := w.asks("set", paris, subscribe); got != "service-unavailable" {
		t.Errorf("a stranger who wants to subscribe: %s", got)
	}
	w.blocked = romeo
	if got := w.asks("set", romeo, publish(tune, "i2", song)); got != "service-unavailable" {
		t.Errorf("who is blocked: %s", got)
	}
	if got := w.asks("get", romeo, "<items node='"+tune+"'/>"); got != "service-unavailable" {
		t.Errorf("who is blocked reads: %s", got)
	}
}

func TestRefusedPublications(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.asks("set", balcony, publish(tune, "i1", song)+options("access_model", "open"))
	condition := func(c, app string) string { return c + " <" + app + errs }
	tests := []struct{ name, in, want string }{
		{"§7.1.3.6, no item", "<publish node='n'/>", condition("bad-request", "item-required")},
		{"two payloads", publish("n", "i", song+song), condition("bad-request", "invalid-payload")},
		{"two items", "<publish node='n'><item id='a'/><item id='b'/></publish>", condition("not-allowed", "max-items-exceeded")},
		{"no node", "<publish><item/></publish>", condition("bad-request", "nodeid-required")},
		{"a long node", publish(strings.Repeat("n", pep.MaxNameBytes+1), "i", song), condition("bad-request", "nodeid-required")},
		{"§7.1.3.4, too large", publish("n", "i", "<x xmlns='urn:x'>"+strings.Repeat("x", pep.MaxPayload)+"</x>"), condition("not-acceptable", "payload-too-big")},
		{"§7.1.5, another access model", publish(tune, "i2", song) + options("access_model", "presence"), condition("conflict", "precondition-not-met")},
		{"an unknown option", publish(tune, "i2", song) + options("colour", "red"), condition("conflict", "precondition-not-met")},
		{"a value that cannot be", publish("n", "i", song) + options("access_model", "everybody"), condition("conflict", "precondition-not-met")},
		{"everybody may publish", publish("n", "i", song) + options("publish_model", "open"), condition("conflict", "precondition-not-met")},
		{"options of another form", publish("n", "i", song) + "<publish-options>" + formOf("node_config", nil) + "</publish-options>", condition("bad-request", "invalid-options")},
		{"something else", "<subscribe node='n' jid='" + juliet + "'/>", "feature-not-implemented <unsupported feature='subscribe'" + strings.Replace(errs, " xmlns", " xmlns", 1)},
		{"nothing", "", "bad-request"},
	}
	for _, tc := range tests {
		got := w.asks("set", balcony, tc.in)
		if strings.HasPrefix(tc.want, "feature") {
			got, tc.want = strings.Replace(got, " xmlns='http://jabber.org/protocol/pubsub#errors'", "", 1), "feature-not-implemented <unsupported feature='subscribe'/>"
		}
		if got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
	}
	if got := w.service.Nodes(t.Context(), jid.MustParse(juliet), jid.MustParse(balcony)); !slices.Equal(got, []string{tune}) {
		t.Errorf("there are %v", got)
	}
	if got := w.asks("set", balcony, publish(tune, "i2", song)+options("access_model", "open", "persist_items", "true")); !strings.HasPrefix(got, "<pubsub") {
		t.Errorf("§7.1.5, preconditions that are met: %s", got)
	}
}

// TestBookmarks has the options of XEP-0402 §3, and its items.
func TestBookmarks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const node = "urn:xmpp:bookmarks:1"
	w.comes(balcony, info(node+"+notify"))
	private := options("persist_items", "true", "max_items", "max", "send_last_published_item", "never", "access_model", "whitelist")
	room := func(name string) string {
		return "<conference xmlns='" + node + "' autojoin='true' name='" + name + "'/>"
	}
	for i := range 3 {
		if got := w.asks("set", balcony, publish(node, fmt.Sprintf("r%d@rooms.lit", i), room(fmt.Sprint(i)))+private); !strings.HasPrefix(got, "<pubsub") {
			t.Fatal(got)
		}
	}
	w.expect("published", balcony+": "+event(node, "r0@rooms.lit", room("0")), balcony+": "+event(node, "r1@rooms.lit", room("1")), balcony+": "+event(node, "r2@rooms.lit", room("2")))
	item := func(i int) string { return fmt.Sprintf("<item id='r%d@rooms.lit'>%s</item>", i, room(fmt.Sprint(i))) }
	whole := func(in string) string {
		return "<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='" + node + "'>" + in + "</items></pubsub>"
	}
	for in, want := range map[string]string{
		"<items node='" + node + "'/>":                                 whole(item(2) + item(1) + item(0)),
		"<items node='" + node + "' max_items='1'/>":                   whole(item(2)),
		"<items node='" + node + "'><item id='r1@rooms.lit'/></items>": whole(item(1)),
		"<items node='" + node + "'><item id='x'/></items>":            strings.Replace(whole(""), "></items>", "/>", 1),
		"<items node='" + node + "' max_items='0'/>":                   "bad-request",
		"<items node='" + node + "' max_items='-1'/>":                  "bad-request",
		"<items/>": "item-not-found",
	} {
		if got := w.asks("get", balcony, in); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
	w.comes(chamber, info(node+"+notify"))
	w.expect("never the last item")
}

func TestConfiguration(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	configure := func(fields ...string) string { return formOf("node_config", fields) }
	steps := []struct{ name, kind, in, want string }{
		{"§8.1.3", "set", "<create node='n'/><configure>" + configure("access_model", "open", "title", "T", "new_option", "x") + "</configure>", "<create node='n'/>"},
		{"twice", "set", "<create node='n'/>", "conflict"},
		{"without a name", "set", "<create/>", "not-acceptable <nodeid-required" + errs},
		{"a bad value", "set", "<create node='m'/><configure>" + configure("max_items", "0") + "</configure>", "not-acceptable <invalid-options" + errs},
		{"§8.2.1", "get", "owner:<configure node='n'/>", "<field type='list-single' var='pubsub#access_model'><value>open</value>"},
		{"§8.2.4", "set", "owner:<configure node='n'>" + configure("access_model", "whitelist") + "</configure>", ""},
		{"it has changed", "get", "owner:<configure node='n'/>", "<value>whitelist</value>"},
		{"and nothing else", "get", "owner:<configure node='n'/>", "<value>T</value>"},
		{"§8.2.5.1", "set", "owner:<configure node='n'><x xmlns='jabber:x:data' type='cancel'/></configure>", ""},
		{"a bad form", "set", "owner:<configure node='n'/>", "not-acceptable <invalid-options" + errs},
		{"§8.3", "get", "owner:<default/>", "<value>presence</value>"},
		{"subscriptions", "get", "<subscriptions/>", "<subscriptions/>"},
		{"of a node", "get", "owner:<subscriptions node='n'/>", "feature-not-implemented"},
	}
	for _, s := range steps {
		if got := w.asks(s.kind, balcony, s.in); !strings.Contains(got, s.want) || s.want == "" && got != "" {
			t.Errorf("%s: %s, want %s", s.name, got, s.want)
		}
	}
}
