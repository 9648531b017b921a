package search_test

import (
	"strings"
	"testing"

	"sallyport/internal/xmpp/jid"
	"sallyport/server"
	"sallyport/server/search"
	"sallyport/server/servertest"
)

func query(in string) string { return "<query xmlns='jabber:iq:search'>" + in + "</query>" }

func item(name, first, last, nick, email string) string {
	e := func(name, text string) string {
		if text == "" {
			return "<" + name + "/>"
		}
		return "<" + name + ">" + text + "</" + name + ">"
	}
	return "<item jid='" + name + "@capulet.com'>" + e("first", first) + e("last", last) + e("nick", nick) + e("email", email) + "</item>"
}

func set(in string) string { return "<set xmlns='http://jabber.org/protocol/rsm'>" + in + "</set>" }

// found is a page with one of two people.
func found(name, index string) string {
	return set("<first index='" + index + "'>" + name + "@capulet.com</first><last>" + name + "@capulet.com</last><count>2</count>")
}

// TestSearch has the examples of XEP-0055 §2 and §3.
func TestSearch(t *testing.T) {
	t.Parallel()
	d := search.New(servertest.Store(t, "juliet@capulet.com", "tybalt@capulet.com", "nurse@capulet.com", "peter@capulet.com"))
	card := func(name, in string) {
		d.Carded(t.Context(), jid.MustParse(name+"@capulet.com"), servertest.Element(t, "<vCard xmlns='vcard-temp'>"+in+"</vCard>"))
	}
	card("juliet", "<N><GIVEN>Juliet</GIVEN><FAMILY>Capulet</FAMILY></N><NICKNAME>JuliC</NICKNAME><EMAIL><USERID>juliet@shakespeare.lit</USERID></EMAIL>")
	card("tybalt", "<N><GIVEN>Tybalt</GIVEN><FAMILY>CAPULET</FAMILY></N><NICKNAME>ty</NICKNAME>")
	card("nurse", "<NICKNAME>Straße</NICKNAME>")
	card("peter", "<FN>Peter</FN>")
	card("nurse", "<NICKNAME>Straße</NICKNAME><N/>")
	f := d.Feature()
	juliet, tybalt := item("juliet", "Juliet", "Capulet", "JuliC", "juliet@shakespeare.lit"), item("tybalt", "Tybalt", "CAPULET", "ty", "")
	for _, tc := range []struct{ name, in, want string }{
		{"§2.1", query("<last>Capulet</last>"), query(juliet + tybalt)},
		{"two fields", query("<last>cap</last><first>JU</first>"), query(juliet)},
		{"a field that does not match", query("<last>cap</last><first>Romeo</first>"), "<query xmlns='jabber:iq:search'/>"},
		{"another case of a letter", query("<nick>STRASSE</nick>"), query(item("nurse", "", "", "Straße", ""))},
		{"the middle", query("<last>pulet</last>"), "<query xmlns='jabber:iq:search'/>"},
		{"signs of SQL", query("<last>%</last>"), "<query xmlns='jabber:iq:search'/>"},
		{"nothing", "<query xmlns='jabber:iq:search'/>", "not-acceptable"},
		{"blanks", query("<last> </last>"), "not-acceptable"},
		{"the first of two", query("<last>Capulet</last>" + set("<max>1</max>")), query(juliet + found("juliet", "0"))},
		{"the next", query("<last>Capulet</last>" + set("<max>1</max><after>juliet@capulet.com</after>")), query(tybalt + found("tybalt", "1"))},
		{"how many", query("<last>Capulet</last>" + set("<max>0</max>")), query(set("<count>2</count>"))},
		{"behind nobody", query("<last>Capulet</last>" + set("<after>x@capulet.com</after>")), "item-not-found"},
		{"by number", query("<last>Capulet</last>" + set("<index>1</index>")), "feature-not-implemented"},
		{"both ways", query("<last>Capulet</last>" + set("<after>a</after><before/>")), "bad-request"},
		{"a form of somebody else", query("<x xmlns='jabber:x:data' type='submit'/>"), "bad-request"},
	} {
		if got := servertest.Said(t, servertest.Set(t, f, "tybalt@capulet.com/x", "capulet.com", tc.in)); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
	}
	form := "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'><value>jabber:iq:search</value></field><field var='last'><value>Capulet</value></field></x>"
	got := servertest.Said(t, servertest.Set(t, f, "tybalt@capulet.com/x", "capulet.com", query(form)))
	if !strings.Contains(got, "<reported><field label='Address' type='jid-single' var='jid'/>") || strings.Count(got, "<item>") != 2 ||
		!strings.Contains(got, "<item><field var='jid'><value>juliet@capulet.com</value></field><field var='first'><value>Juliet</value></field>") {
		t.Errorf("§3: %s", got)
	}
	got = servertest.Said(t, servertest.Get(t, f, "tybalt@capulet.com/x", "capulet.com", "<query xmlns='jabber:iq:search'/>"))
	if !strings.Contains(got, "<first/>") || !strings.Contains(got, "<field label='Given name' type='text-single' var='first'/>") {
		t.Errorf("fields: %s", got)
	}
	q := &server.Request{Payload: servertest.Element(t, query("<last>Capulet</last>")), Set: true, From: jid.MustParse("romeo@montague.net/x"), Domain: jid.MustParse("capulet.com"), Local: true}
	if a := f.IQ[0].Handle(t.Context(), q); a.Condition.String() != "forbidden" {
		t.Errorf("an account of another domain: %s", servertest.Said(t, a))
	}
	card("tybalt", "<FN>Tybalt</FN>")
	if got := servertest.Said(t, servertest.Set(t, f, "tybalt@capulet.com/x", "capulet.com", query("<last>Capulet</last>"))); got != query(juliet) {
		t.Errorf("who has taken his name back is found: %s", got)
	}
}

func TestKey(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{" Ångström ": "ångström", "ＦＵＬＬ": "full", "": "", strings.Repeat("ä", 200): strings.Repeat("ä", 128)} {
		if got := search.Key(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}
