package catalogue_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
	"sallyport/labels/catalogue"
)

// Labels under the guard policy, see ess-vectors.tsv.
const (
	publicESS  = "MQoCAQEGBYg3ggIB"
	relGBR     = "MSwCAQIGBYg3ggIBMSAwHoAKYIZIAWUCAQgDAaEQMA4GBog3ggIBAzEEAgIDOg=="
	trailing   = "MSwCAQIGBYg3ggIBMSAwHoAKYIZIAWUCAQgDAaEQMA4GBog3ggIBAzEEAgIDOgUA"
	otherESS   = "MQYCAQQGASk=" // policy 1.1
	noClassESS = "MQMGASk="
)

func catalog(attrs, inside string) string {
	return "<catalog xmlns='urn:xmpp:sec-label:catalog:2'" + attrs + ">\n" + inside + "</catalog>"
}

func item(attrs, inside string) string { return "<item" + attrs + ">" + inside + "</item>\n" }

func ess(base64 string, more ...string) string {
	return "<securitylabel xmlns='urn:xmpp:sec-label:0'>" + strings.Join(more, "") +
		"<label><esssecuritylabel xmlns='urn:xmpp:sec-label:ess:0'>" + base64 + "</esssecuritylabel></label></securitylabel>"
}

func marking(s string) string { return "<displaymarking>" + s + "</displaymarking>" }

func beside(base64 string) string {
	return "<equivalentlabel><esssecuritylabel xmlns='urn:xmpp:sec-label:ess:0'>" + base64 + "</esssecuritylabel></equivalentlabel>"
}

// The answer in the test data reads as it says.
func TestParseAnswerOfTestData(t *testing.T) {
	reg := registry(t, guardSPIF)
	iq, err := xmlstream.ParseDocument([]byte(strings.TrimSpace(string(readData(t, "xmpp/catalog-result.xml")))), xmlstream.Options{ContentNS: xmlstream.NSClient})
	if err != nil {
		t.Fatal(err)
	}
	c, err := catalogue.Parse(octets(t, iq.Child(catalogue.NS, "catalog")), reg)
	if err != nil {
		t.Fatal(err)
	}
	if c.Name != "GUARD" || c.Desc != "labels for romeo@low.example" || !c.Restrict || len(c.Items) != 3 {
		t.Errorf("read %+v", c)
	}
	first, ok := c.Default()
	if !ok || first.Selector != "PUBLIC" || !first.Label.Equal(label(t, reg, public)) {
		t.Errorf("default %+v", first)
	}
	if last := c.Items[2]; last.Selector != "INTERNAL|REL TO FRA, GBR" || !last.Label.Equal(label(t, reg, internal, fra, gbr)) {
		t.Errorf("last item %+v", last)
	}
}

func TestParse(t *testing.T) {
	reg := registry(t, guardSPIF, partnerSPIF)
	open := labelUnder(t, reg, partnerID, 1)
	openESS := essOf(t, open)
	for _, row := range []struct {
		name, text string
		want       catalogue.Catalogue
	}{
		{"empty", catalog("", ""), catalogue.Catalogue{}},
		{"names", catalog(" name='N' desc='D' restrict='1'", ""), catalogue.Catalogue{Name: "N", Desc: "D", Restrict: true}},
		{"declaration and byte order mark", "\xEF\xBB\xBF<?xml version='1.0' encoding='UTF-8'?>\n" + catalog("", ""), catalogue.Catalogue{}},
		{"what an answer says besides", catalog(" to='a@b.example' from='c@d.example' node='n' id='7' size='0'", ""), catalogue.Catalogue{}},
		{
			"no selectors", catalog("", item("", ess(publicESS))+item(" default='1'", ess(relGBR))),
			catalogue.Catalogue{Items: []catalogue.Item{{Label: label(t, reg, public)}, {Default: true, Label: label(t, reg, internal, gbr)}}},
		},
		{
			"without label", catalog("", item(" selector='None' default='true'", "")+item(" selector='A|B' default='false'", ess(publicESS))),
			catalogue.Catalogue{Items: []catalogue.Item{{Selector: "None", Default: true}, {Selector: "A|B", Label: label(t, reg, public)}}},
		},
		{
			"equivalent", catalog("", item("", ess(publicESS, marking("GUARD PUBLIC"), beside(openESS)))),
			catalogue.Catalogue{Items: []catalogue.Item{{Label: label(t, reg, public), Equivalents: []*labels.Label{open}}}},
		},
		{
			"a marking that says less is forgotten", catalog("", item("", ess(relGBR, marking("GUARD PUBLIC")))),
			catalogue.Catalogue{Items: []catalogue.Item{{Label: label(t, reg, internal, gbr)}}},
		},
		{
			"not valid, which is for For to say", catalog("", item("", ess(essOf(t, label(t, reg, public, five))))),
			catalogue.Catalogue{Items: []catalogue.Item{{Label: label(t, reg, public, five)}}},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			c, err := catalogue.Parse([]byte(row.text), reg)
			if err != nil {
				t.Fatalf("%v in %s", err, row.text)
			}
			if !c.Equal(&row.want) || c.ID != row.want.Digest() {
				t.Errorf("got %+v, want %+v", c, row.want)
			}
		})
	}
}

func essOf(t testing.TB, l *labels.Label) string {
	t.Helper()
	c := &catalogue.Catalogue{Items: []catalogue.Item{{Selector: "x", Label: l}}}
	e := element(t, c, writing)
	for i := range e.Children() {
		return i.Child("urn:xmpp:sec-label:0", "securitylabel").Child("urn:xmpp:sec-label:0", "label").
			Child("urn:xmpp:sec-label:ess:0", "esssecuritylabel").Text()
	}
	return ""
}

// What is refused, in which line and for which item; the code is that of a label.
func TestParseRefuses(t *testing.T) {
	reg := registry(t, guardSPIF, partnerSPIF)
	good := item(" selector='A'", ess(publicESS))
	var many, equivalents strings.Builder
	for n := range 10_000 {
		many.WriteString(item(fmt.Sprintf(" selector='%d'", n), ""))
	}
	for range 9 {
		equivalents.WriteString(beside(otherESS))
	}
	for _, row := range []struct {
		name, text string
		line, item int
		code       labels.Code
		says       string
	}{
		{"nothing", "", 1, 0, 0, "not-well-formed"},
		{"ends early", "<catalog xmlns='urn:xmpp:sec-label:catalog:2'>\n<item>", 2, 0, 0, "ends early"},
		{"document type", "<!DOCTYPE a []>" + catalog("", ""), 1, 0, 0, "restricted-xml"},
		{"comment", catalog("", "<!-- c -->"), 2, 0, 0, "restricted-xml"},
		{"another root", "\n<catalogue/>", 2, 0, 0, "neither"},
		{"old namespace", "<catalog xmlns='urn:xmpp:sec-label:catalog:0'/>", 1, 0, 0, "neither"},
		{"unknown attribute", catalog(" restricted='true'", ""), 1, 0, 0, "restricted"},
		{"attribute with a namespace", catalog(" xmlns:c='urn:xmpp:sec-label:catalog:2' c:restrict='true'", ""), 1, 0, 0, "restrict"},
		{"restrict", catalog(" restrict='yes'", ""), 1, 0, 0, "not true or false"},
		{"address", catalog(" to='@'", ""), 1, 0, 0, "no address"},
		{"size", catalog(" size='2'", good), 1, 0, 0, "1 items"},
		{"long name", catalog(" name='"+strings.Repeat("x", 257)+"'", ""), 1, 0, 0, "more than 256"},
		{"text", catalog("", "x"), 1, 0, 0, "text"},
		{"another element", catalog("", good+"<entry/>"), 3, 2, 0, "where an item"},
		{"item of another namespace", catalog("", good+"<item xmlns='x'/>"), 3, 2, 0, "where an item"},
		{"10,000 items", catalog("", many.String()), 1002, 1001, 0, "more than 1000"},
		{"two defaults", catalog("", item(" selector='A' default='true'", "")+"\n"+item(" selector='B' default='1'", "")), 4, 2, 0, "second default"},
		{"default", catalog("", item(" selector='A' default='TRUE'", "")), 2, 1, 0, "not true or false"},
		{"mixed selectors", catalog("", good+item("", ess(publicESS))), 3, 2, 0, "all have one, or none"},
		{"mixed selectors, the first without", catalog("", item("", ess(publicESS))+good), 3, 2, 0, "all have one, or none"},
		{"a selector again", catalog("", good+good), 3, 2, 0, "again"},
		{"empty selector", catalog("", item(" selector=''", "")), 2, 1, 0, "empty"},
		{"empty part", catalog("", item(" selector='A||B'", "")), 2, 1, 0, "empty part"},
		{"empty last part", catalog("", item(" selector='A|'", "")), 2, 1, 0, "empty part"},
		{"space around a part", catalog("", item(" selector='A |B'", "")), 2, 1, 0, "space"},
		{"deep selector", catalog("", item(" selector='1|2|3|4|5|6|7|8|9'", "")), 2, 1, 0, "9 parts"},
		{"long selector", catalog("", item(" selector='"+strings.Repeat("x", 257)+"'", "")), 2, 1, 0, "more than 256"},
		{"right-to-left override", catalog("", item(" selector='A\u202Ecilbup'", "")), 2, 1, 0, "control"},
		{"line feed in a selector", catalog("", item(" selector='A&#10;B'", "")), 2, 1, 0, "control"},
		{"unknown item attribute", catalog("", item(" selector='A' id='1'", "")), 2, 1, 0, "id"},
		{"text in an item", catalog("", good+item(" selector='B'", "x")), 3, 2, 0, "beside"},
		{"two labels", catalog("", item("", ess(publicESS)+ess(relGBR))), 2, 1, 0, "beside"},
		{"label element of another namespace", catalog("", item("", "<securitylabel xmlns='x'/>")), 2, 1, 0, "beside"},
		{"empty label", catalog("", item("", "<securitylabel xmlns='urn:xmpp:sec-label:0'><label/></securitylabel>")), 2, 1, labels.CodeNoLabel, "empty label"},
		{"no label in the securitylabel", catalog("", item("", "<securitylabel xmlns='urn:xmpp:sec-label:0'/>")), 2, 1, labels.CodeSyntax, "no label"},
		{"octets after the label", catalog("", good+item(" selector='B'", ess(trailing))), 3, 2, labels.CodeSyntax, ""},
		{"policy not loaded", catalog("", item("", ess(otherESS))), 2, 1, labels.CodePolicy, "1.1"},
		{"no classification", catalog("", item("", ess(noClassESS))), 2, 1, labels.CodeSyntax, ""},
		{"not base64", catalog("", item("", ess("?"))), 2, 1, labels.CodeSyntax, ""},
		{"marking that says more", catalog("", item("", ess(publicESS, marking("GUARD SECRET")))), 2, 1, labels.CodeMismatch, "marking"},
		{"selector that says more", catalog("", item(" selector='Home|SECRET'", ess(publicESS))), 2, 1, 0, "higher"},
		{"equivalent that does not parse", catalog("", item("", ess(publicESS, beside(trailing)))), 2, 1, labels.CodeSyntax, ""},
		{"equivalent under the same policy", catalog("", item("", ess(publicESS, beside(relGBR)))), 2, 1, 0, "of its own"},
		{"nine equivalents", catalog("", item("", ess(publicESS, equivalents.String()))), 2, 1, labels.CodeSyntax, ""},
		{"tags that look like items", catalog(" name='&lt;item>'", "<item selector='a/>b' default='true'><![CDATA[ ]]></item>\n<item\nselector='c'>x</item>"), 3, 2, 0, "beside"},
	} {
		t.Run(row.name, func(t *testing.T) {
			c, err := catalogue.Parse([]byte(row.text), reg)
			var e *catalogue.Error
			if c != nil || !errors.As(err, &e) {
				t.Fatalf("got %+v and %v", c, err)
			}
			if e.Line != row.line || e.Item != row.item || e.Code != row.code || !strings.Contains(err.Error(), row.says) {
				t.Errorf("got %q (line %d, item %d, %v), want line %d, item %d, %v and %q", err, e.Line, e.Item, e.Code, row.line, row.item, row.code, row.says)
			}
		})
	}
}

func TestParseRefusesLargeFile(t *testing.T) {
	_, err := catalogue.Parse(make([]byte, catalogue.MaxFile+1), registry(t, guardSPIF))
	if err == nil || !strings.Contains(err.Error(), "at most") {
		t.Errorf("got %v", err)
	}
}

func TestParseWithoutPolicies(t *testing.T) {
	_, err := catalogue.Parse([]byte(catalog("", item("", ess(publicESS)))), nil)
	var e *catalogue.Error
	if !errors.As(err, &e) || e.Code != labels.CodePolicy {
		t.Errorf("got %v, want %v", err, labels.CodePolicy)
	}
}
