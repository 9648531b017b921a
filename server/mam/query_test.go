package mam_test

import (
	"strings"
	"testing"

	"sallyport/internal/xmpp/stanza"
	"sallyport/server"
	"sallyport/server/servertest"
)

// asks sends a query and gives the bodies that came, and the answer.
func (w *world) asks(in string) (string, server.Answer) {
	w.Helper()
	a := servertest.Set(w.T, w.Feature, balcony, "", "<query xmlns='urn:xmpp:mam:2' queryid='f27'>"+in+"</query>")
	return shows(w.T, w.core.Told(w.T)), a
}

func filter(fields ...string) string {
	text := "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'><value>urn:xmpp:mam:2</value></field>"
	for i := 0; i+1 < len(fields); i += 2 {
		text += "<field var='" + fields[i] + "'><value>" + strings.ReplaceAll(fields[i+1], " ", "</value><value>") + "</value></field>"
	}
	return text + "</x>"
}

func set(in string) string { return "<set xmlns='http://jabber.org/protocol/rsm'>" + in + "</set>" }

func TestQuery(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.comes("a", "b", "c", "d") // at 23:08:26 to 23:08:29
	if _, err := servertest.Sends(t, w.Feature, message(balcony, "nurse@capulet.lit/x", "<body>e</body>")); err != nil {
		t.Fatal(err)
	}
	all := w.kept(juliet)
	id := func(i int) string { return all[i].ID.String() }
	unknown := "00000fffffff0000-n1"
	tests := []struct {
		name, in, want string
		complete       bool
		condition      string
	}{
		{"all", "", "a b c d e", true, ""},
		{"§4.1.1 with", filter("with", romeo), "a b c d", true, ""},
		{"with a resource", filter("with", "nurse@capulet.lit/x"), "e", true, ""},
		{"with another resource", filter("with", "nurse@capulet.lit/y"), "", true, ""},
		{"§4.1.2 start and end", filter("start", "2010-07-10T23:08:27Z", "end", "2010-07-11T00:08:28+01:00"), "b c", true, ""},
		{"§4.1.3 after-id and before-id", filter("after-id", id(0), "before-id", id(3)), "b c", true, ""},
		{"§4.1.4 ids", filter("ids", id(3)+" "+id(1)), "b d", true, ""},
		{"§4.3.1 first page", set("<max>2</max>"), "a b", false, ""},
		{"next page", set("<max>2</max><after>" + id(1) + "</after>"), "c d", false, ""},
		{"last page", set("<max>2</max><after>" + id(2) + "</after>"), "d e", true, ""},
		{"§4.3.2 from the end", set("<max>2</max><before/>"), "d e", false, ""},
		{"before", set("<max>2</max><before>" + id(2) + "</before>"), "a b", true, ""},
		{"§4.3.4 flipped", set("<max>2</max><before/>") + "<flip-page/>", "e d", false, ""},
		{"how many", set("<max>0</max>"), "", false, ""},
		{"an id that is not there, after", set("<after>" + unknown + "</after>"), "", false, "item-not-found"},
		{"an id that is not there, before-id", filter("before-id", unknown), "", false, "item-not-found"},
		{"an id that is not there, ids", filter("ids", unknown), "", false, "item-not-found"},
		{"an id that is none", set("<before>x</before>"), "", false, "item-not-found"},
		{"§4.1.7 unknown field", filter("body", "a"), "", false, "feature-not-implemented"},
		{"unknown field without a value", filter("body", ""), "", false, "feature-not-implemented"},
		{"known fields without a value", filter("with", "", "start", "", "ids", ""), "a b c d e", true, ""},
		{"ids with another", filter("ids", id(0), "with", romeo), "", false, "feature-not-implemented"},
		{"page by number", set("<index>1</index>"), "", false, "feature-not-implemented"},
		{"a time that is none", filter("start", "yesterday"), "", false, "bad-request"},
		{"an end before the start", filter("start", "2010-07-10T23:08:28Z", "end", "2010-07-10T23:08:27Z"), "", false, "bad-request"},
		{"an address that is none", filter("with", "@"), "", false, "jid-malformed"},
		{"another form", strings.Replace(filter(), "urn:xmpp:mam:2", "urn:x", 1), "", false, "bad-request"},
		{"both ways", set("<before/><after>" + id(0) + "</after>"), "", false, "bad-request"},
	}
	for _, tc := range tests {
		got, a := w.asks(tc.in)
		if got != tc.want || a.Condition.String() != tc.condition {
			t.Errorf("%s: %q and %s, want %q and %s", tc.name, got, a.Condition, tc.want, tc.condition)
			continue
		}
		if tc.condition == "" && (a.Payload.Local() != "fin" || strings.Contains(servertest.Said(t, a), "complete='true'") != tc.complete) {
			t.Errorf("%s: %s", tc.name, servertest.Said(t, a))
		}
	}
}

// TestResult has the form of §4.2 and §4.4.
func TestResult(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.comes("Call me but love, and I&apos;ll be new baptized")
	id := w.kept(juliet)[0].ID.String()
	a := servertest.Set(t, w.Feature, balcony, "", "<query xmlns='urn:xmpp:mam:2' queryid='f27'/>")
	want := "<message from='" + juliet + "' to='" + balcony + "'><result xmlns='urn:xmpp:mam:2' id='" + id + "' queryid='f27'>" +
		"<forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='2010-07-10T23:08:26.000Z'/>" +
		"<message xmlns='jabber:client' from='" + orchard + "' id='m1' to='" + balcony + "' type='chat'>" +
		"<body>Call me but love, and I'll be new baptized</body></message></forwarded></result></message>"
	if got := w.core.Told(t); len(got) != 1 || got[0] != want {
		t.Errorf("told %s\nwant %s", got, want)
	}
	fin := "<fin xmlns='urn:xmpp:mam:2' complete='true'><set xmlns='http://jabber.org/protocol/rsm'><first index='0'>" + id + "</first><last>" + id + "</last><count>1</count></set></fin>"
	if got := servertest.Said(t, a); got != fin {
		t.Errorf("answered %s, want %s", got, fin)
	}
	got := servertest.Said(t, servertest.Get(t, w.Feature, balcony, "", "<query xmlns='urn:xmpp:mam:2'/>"))
	for _, field := range []string{"with", "start", "end", "before-id", "after-id"} {
		if !strings.Contains(got, " var='"+field+"'/>") {
			t.Errorf("the form has no %s: %s", field, got)
		}
	}
	if !strings.Contains(got, " var='ids'><validate xmlns='http://jabber.org/protocol/xdata-validate' datatype='xs:string'><open/></validate></field>") {
		t.Errorf("§4.1.6: the ids are not open: %s", got)
	}
}

// What a reader may not read fills no page, ends none, and is in no metadata.
func TestHiddenEntries(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.comes(bodies(3, "secret")...)
	w.comes("a", "secret3", "b")
	w.comes(bodies(3, "secret")...)
	w.comes("c", "secret4")
	w.gate.Hide = hideBody("secret")
	all := w.kept(juliet)
	if got, a := w.asks(set("<max>2</max>")); got != "a b" || !strings.Contains(servertest.Said(t, a), "<first index='0'>"+all[3].ID.String()+"</first><last>"+all[5].ID.String()) {
		t.Errorf("forward: %q, %s", got, servertest.Said(t, a))
	}
	if got, a := w.asks(set("<max>2</max><before/>")); got != "b c" || !strings.Contains(servertest.Said(t, a), "<first>"+all[5].ID.String()+"</first><last>"+all[9].ID.String()) {
		t.Errorf("backward: %q, %s", got, servertest.Said(t, a))
	}
	if got, _ := w.asks(filter("ids", all[0].ID.String()+" "+all[3].ID.String())); got != "a" {
		t.Errorf("by ids: %q", got)
	}
	metadata := func() string {
		return servertest.Said(t, servertest.Get(t, w.Feature, balcony, "", "<metadata xmlns='urn:xmpp:mam:2'/>"))
	}
	if want := "<metadata xmlns='urn:xmpp:mam:2'><start id='" + all[3].ID.String() + "' timestamp='2010-07-10T23:08:29.000Z'/><end id='" +
		all[9].ID.String() + "' timestamp='2010-07-10T23:08:35.000Z'/></metadata>"; metadata() != want {
		t.Errorf("metadata: %s, want %s", metadata(), want)
	}
	w.gate.Hide = hideBody("")
	if got := metadata(); got != "<metadata xmlns='urn:xmpp:mam:2'/>" {
		t.Errorf("metadata of what nobody may read: %s", got)
	}
	w.gate.Hide, w.core.Hide = nil, func(s stanza.Stanza) bool { return strings.Contains(servertest.Text(t, s.Element()), "secret") }
	if got, a := w.asks(""); got != "a b c" || a.Condition != stanza.NoCondition {
		t.Errorf("what is not released: %q, %s", got, a.Condition)
	}
}

// Places and numbers are told where they are known without reading all, and count only what the reader may read (XEP-0059 §2.2, §2.7).
func TestCounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.comes("a", "secret", "b", "c")
	w.gate.Hide = hideBody("secret")
	all := w.kept(juliet)
	for _, tc := range []struct{ name, in, index, count string }{
		{"all of them", "", "0", "3"},
		{"the first page", set("<max>2</max>"), "0", ""},
		{"a later one", set("<max>2</max><after>" + all[0].ID.String() + "</after>"), "", ""},
		{"the last page", set("<max>2</max><before/>"), "", ""},
		{"the last page, of all", set("<max>5</max><before/>"), "0", "3"},
		{"of one person", filter("with", romeo), "0", "3"},
		{"by their ids", filter("ids", all[0].ID.String()+" "+all[1].ID.String()), "0", "1"},
		{"how many", set("<max>0</max>"), "", "3"},
		{"how many of nobody", filter("with", "x@y.lit") + set("<max>0</max>"), "", "0"},
	} {
		_, a := w.asks(tc.in)
		e := a.Payload.Child("http://jabber.org/protocol/rsm", "set")
		index, count := "", ""
		if first := e.Child(e.Space(), "first"); first != nil {
			index, _ = first.Attr("index")
		}
		if c := e.Child(e.Space(), "count"); c != nil {
			count = c.Text()
		}
		if index != tc.index || count != tc.count {
			t.Errorf("%s: index %q and count %q, want %q and %q", tc.name, index, count, tc.index, tc.count)
		}
	}
}

// However much is hidden, a reader comes to what is not.
func TestReadingPastMuchThatIsHidden(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.comes(bodies(30, "secret")...)
	w.comes("a")
	w.comes(bodies(30, "secret")...)
	w.gate.Hide = hideBody("secret")
	for name, way := range map[string][3]string{"forward": {"", "after", "last"}, "backward": {"<before/>", "before", "first"}} {
		place, found := way[0], ""
		for range 20 {
			got, a := w.asks(set("<max>1</max>" + place))
			found += got
			said := servertest.Said(t, a)
			if strings.Contains(said, "complete='true'") {
				break
			}
			_, after, ok := strings.Cut(said, "<"+way[2]+">")
			edge, _, _ := strings.Cut(after, "<")
			if !ok {
				t.Fatalf("%s: no place to go on from: %s", name, said)
			}
			place = "<" + way[1] + ">" + edge + "</" + way[1] + ">"
		}
		if found != "a" {
			t.Errorf("%s: found %q", name, found)
		}
	}
}

// A result is labelled as what is in it: the gate holds the label around a message against that of the message.
func TestResultsAreLabelled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	label := "<securitylabel xmlns='urn:xmpp:sec-label:0'><label><x xmlns='urn:x'/></label></securitylabel>"
	if _, err := servertest.Comes(t, w.Feature, message(orchard, balcony, "<body>b</body>"+label)); err != nil {
		t.Fatal(err)
	}
	servertest.Set(t, w.Feature, balcony, "", "<query xmlns='urn:xmpp:mam:2'/>")
	got := w.core.Told(t)
	if len(got) != 1 || !strings.HasPrefix(got[0], "<message from='"+juliet+"' to='"+balcony+"'>"+label+"<result ") || strings.Count(got[0], label) != 2 {
		t.Errorf("told %s", got)
	}
}
