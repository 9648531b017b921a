package catalogue_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/labels"
	"sallyport/labels/catalogue"
	"sallyport/labels/xep0258"
)

// The element, to the last octet.
func TestElement(t *testing.T) {
	reg := registry(t, guardSPIF, partnerSPIF)
	c := &catalogue.Catalogue{Name: "GUARD", Desc: "labels", Restrict: true, Items: []catalogue.Item{
		{Selector: "PUBLIC", Default: true, Label: label(t, reg, public), Equivalents: []*labels.Label{labelUnder(t, reg, partnerID, 1)}},
		{Selector: "None"},
	}}
	w := writing
	w.Node = "n"
	got := string(octets(t, element(t, c, w)))
	want := `<catalog xmlns='urn:xmpp:sec-label:catalog:2' desc='labels' id='` + c.Digest() + `' name='GUARD' node='n' restrict='true' size='2' to='romeo@low.example'>` +
		`<item default='true' selector='PUBLIC'><securitylabel xmlns='urn:xmpp:sec-label:0'><displaymarking bgcolor='lime' fgcolor='black'>GUARD PUBLIC</displaymarking>` +
		`<label><esssecuritylabel xmlns='urn:xmpp:sec-label:ess:0'>MQoCAQEGBYg3ggIB</esssecuritylabel></label>` +
		`<equivalentlabel><esssecuritylabel xmlns='urn:xmpp:sec-label:ess:0'>MQoCAQEGBYg3ggIC</esssecuritylabel></equivalentlabel>` +
		`</securitylabel></item><item selector='None'/></catalog>`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestElementRefuses(t *testing.T) {
	w := newWorld(t)
	pub := label(t, w.reg, public)
	big := &catalogue.Catalogue{}
	for n := range catalogue.MaxItems {
		big.Items = append(big.Items, catalogue.Item{Selector: fmt.Sprint(strings.Repeat("x", 200), n), Label: pub})
	}
	many := &catalogue.Catalogue{Items: make([]catalogue.Item, catalogue.MaxItems+1)}
	for _, row := range []struct {
		name string
		c    *catalogue.Catalogue
		w    catalogue.Writing
		says string
	}{
		{"no catalogue", nil, writing, "no catalogue"},
		{"no syntax", &catalogue.Catalogue{Items: []catalogue.Item{{Label: pub}}}, catalogue.Writing{At: now}, "item 1"},
		{"too many items", many, writing, "at most 1000"},
		{"too large for a stanza", big, writing, "offer fewer"},
		{"two defaults", &catalogue.Catalogue{Items: []catalogue.Item{{Default: true}, {Default: true}}}, writing, "item 2"},
		{"mixed selectors", &catalogue.Catalogue{Items: []catalogue.Item{{Selector: "A"}, {}}}, writing, "item 2"},
		{"a label of no policy", &catalogue.Catalogue{Items: []catalogue.Item{{Label: &labels.Label{}}}}, writing, "item 1"},
		{"an equivalent of no policy", &catalogue.Catalogue{Items: []catalogue.Item{{Label: pub, Equivalents: []*labels.Label{nil}}}}, writing, "item 1"},
		{"equivalents of nothing", &catalogue.Catalogue{Items: []catalogue.Item{{Equivalents: []*labels.Label{pub}}}}, writing, "item 1"},
		{"a name with a control character", &catalogue.Catalogue{Name: "a\u202Eb"}, writing, "name"},
		{"a name that is not UTF-8", &catalogue.Catalogue{Name: "\xff"}, writing, "name"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if e, err := row.c.Element(row.w); e != nil || err == nil || !strings.Contains(err.Error(), row.says) {
				t.Errorf("got %v, want %q", err, row.says)
			}
		})
	}
}

// The id changes with what a client would offer, and with nothing else.
func TestDigest(t *testing.T) {
	reg := registry(t, guardSPIF, partnerSPIF)
	make := func(change func(*catalogue.Catalogue)) *catalogue.Catalogue {
		c := &catalogue.Catalogue{Name: "N", Items: []catalogue.Item{{Selector: "A", Label: label(t, reg, public)}, {Selector: "B"}}}
		change(c)
		return c
	}
	base := make(func(*catalogue.Catalogue) {})
	for _, row := range []struct {
		name   string
		change func(*catalogue.Catalogue)
		same   bool
	}{
		{"nothing", func(*catalogue.Catalogue) {}, true},
		{"id", func(c *catalogue.Catalogue) { c.ID = "7" }, true},
		{"what was left out", func(c *catalogue.Catalogue) { c.Left.Invalid = 1 }, true},
		{"name", func(c *catalogue.Catalogue) { c.Name = "M" }, false},
		{"name and description share their letters", func(c *catalogue.Catalogue) { c.Name, c.Desc = "", "N" }, false},
		{"restrict", func(c *catalogue.Catalogue) { c.Restrict = true }, false},
		{"selector", func(c *catalogue.Catalogue) { c.Items[0].Selector = "C" }, false},
		{"default", func(c *catalogue.Catalogue) { c.Items[1].Default = true }, false},
		{"label", func(c *catalogue.Catalogue) { c.Items[0].Label = label(t, reg, internal) }, false},
		{"value", func(c *catalogue.Catalogue) { c.Items[0].Label = label(t, reg, public, gbr) }, false},
		{"equivalent", func(c *catalogue.Catalogue) {
			c.Items[0].Equivalents = []*labels.Label{labelUnder(t, reg, partnerID, 1)}
		}, false},
		{"order", func(c *catalogue.Catalogue) { c.Items[0], c.Items[1] = c.Items[1], c.Items[0] }, false},
		{"fewer", func(c *catalogue.Catalogue) { c.Items = c.Items[:1] }, false},
	} {
		if got := make(row.change).Digest() == base.Digest(); got != row.same {
			t.Errorf("%s: same id %v, want %v", row.name, got, row.same)
		}
	}
	for _, w := range []catalogue.Writing{
		{To: jid.MustParse("a@b.example"), Syntax: xep0258.STANAG4774, At: now},
		{Syntax: xep0258.ESS, At: now.Add(48 * time.Hour), Node: "n"},
	} {
		if id, _ := element(t, base, w).Attr("id"); id != base.Digest() {
			t.Errorf("%+v changes the id", w)
		}
	}
}

// Selectors are made from what there is, are told apart, and stay within their limits.
func TestWithSelectors(t *testing.T) {
	reg := registry(t, guardSPIF, "fixed/food-policy.xml", "spiffing/nato-4774-policy.xml")
	long := strings.Repeat("ü", 128)
	for _, row := range []struct {
		name  string
		items []catalogue.Item
		lang  string
		want  string
	}{
		{"none", nil, "", ""},
		{"class", []catalogue.Item{{Label: label(t, reg, internal)}}, "", "INTERNAL"},
		{"values", []catalogue.Item{{Label: label(t, reg, internal, bravo, fra, gbr)}}, "", "INTERNAL|BRAVO REL TO FRA, GBR"},
		{"a class hidden by a value", []catalogue.Item{{Label: labelFile(t, reg, "food/l-luxury-sweet.xml")}}, "", "Luxury|Taste Sensations Sweet"},
		{"a value that stands for the policy", []catalogue.Item{{Label: labelFile(t, reg, "spiffing/nato-4774-17-6.nato")}}, "", "CONFIDENTIAL|Only IRL, Only SWE, Only UKR, Only NATO, Context KFOR"},
		{"another language", []catalogue.Item{{Label: label(t, reg, internal, gbr)}}, "fr", "INTERNAL|REL TO GBR"},
		{"numbers", []catalogue.Item{{Label: label(t, reg, public)}, {Label: label(t, reg, public)}, {Label: label(t, reg, public)}}, "", "PUBLIC; PUBLIC (2); PUBLIC (3)"},
		{"long ones", []catalogue.Item{{Selector: long}, {Selector: long}}, "", long + "; " + strings.Repeat("ü", 126) + " (2)"},
		{"no label", []catalogue.Item{{}}, "", "No label"},
	} {
		t.Run(row.name, func(t *testing.T) {
			c := &catalogue.Catalogue{Items: row.items}
			got := c.WithSelectors(row.lang)
			if err := got.Check(); err != nil {
				t.Error(err)
			}
			var names []string
			for _, i := range got.Items {
				names = append(names, i.Selector)
			}
			if strings.Join(names, "; ") != row.want {
				t.Errorf("got %q, want %q", names, row.want)
			}
		})
	}
}
