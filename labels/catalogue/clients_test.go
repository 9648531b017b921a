package catalogue_test

import (
	"slices"
	"strings"
	"testing"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
	"sallyport/labels/catalogue"
	"sallyport/labels/xep0258"
)

// What clients make of a catalog element, written after their source: nbxmpp 4.2.2 (Debian 12) and 5 (Gajim), Swiften 4
// (Swift). testbed/nbxmpp asks the first one itself.

// choice is an item as a client keeps it.
type choice struct {
	name    string
	label   bool // false: send without label
	marking string
	beside  int // equivalent labels it will send
}

// shown is a catalogue as a client keeps it.
type shown struct {
	choices  []choice
	chosen   string // preselected
	restrict bool
	enabled  bool
}

const nsLabel = "urn:xmpp:sec-label:0"

func marked(sl *xmlstream.Element) string {
	if m := sl.Child(nsLabel, "displaymarking"); m != nil {
		return m.Text()
	}
	return ""
}

// nbxmpp keeps a dictionary by selector. Version 4 knows neither items without label nor restrict.
func nbxmpp(e *xmlstream.Element, version int) shown {
	out := shown{enabled: true}
	if s, _ := e.Attr("restrict"); version >= 5 {
		out.restrict = s == "true" || s == "True" || s == "1"
	}
	for item := range e.Children() {
		selector, has := item.Attr("selector")
		if !has {
			continue
		}
		sl := item.Child(nsLabel, "securitylabel")
		d, _ := item.Attr("default")
		if d == "true" && (version >= 5 || sl != nil) {
			out.chosen = selector
		}
		c := choice{name: selector}
		switch {
		case sl == nil && version < 5, sl != nil && sl.Child(nsLabel, "label") == nil:
			continue
		case sl != nil:
			c.label, c.marking = true, marked(sl)
		}
		if i := slices.IndexFunc(out.choices, func(o choice) bool { return o.name == selector }); i >= 0 {
			out.choices[i] = c
			continue
		}
		out.choices = append(out.choices, c)
	}
	return out
}

// swiften keeps every item; the window shows the selector or the marking and preselects the first without a default.
func swiften(e *xmlstream.Element) shown {
	var out shown
	for item := range e.Children() {
		if !item.Is(catalogue.NS, "item") {
			continue
		}
		var c choice
		c.name, _ = item.Attr("selector")
		if sl := item.Child(nsLabel, "securitylabel"); sl != nil {
			c.label, c.marking = true, marked(sl)
			for b := range sl.Children() {
				if b.Is(nsLabel, "equivalentlabel") {
					c.beside++
				}
			}
		}
		if c.name == "" {
			c.name = c.marking
		}
		if d, _ := item.Attr("default"); out.chosen == "" && (d == "true" || d == "1") {
			out.chosen = c.name
		}
		out.choices = append(out.choices, c)
	}
	out.enabled = len(out.choices) > 0
	if out.chosen == "" && out.enabled {
		out.chosen = out.choices[0].name
	}
	return out
}

func (s shown) names() string {
	var out []string
	for _, c := range s.choices {
		out = append(out, c.name)
	}
	return strings.Join(out, "; ")
}

// What the clients make of elements that others write: the reasons for the form of ours.
func TestClientsLoseWhatIsWrittenOtherwise(t *testing.T) {
	two := ess(publicESS, marking("GUARD PUBLIC"))
	for _, row := range []struct {
		name, text           string
		old, gajim, swift    string // choices
		oldPre, pre, swiftly string // preselected
	}{
		{name: "no selectors", text: catalog("", item(" default='true'", two)), swift: "GUARD PUBLIC", swiftly: "GUARD PUBLIC"},
		{
			name: "one selector twice", text: catalog("", item(" selector='A'", two)+item(" selector='A'", two)),
			old: "A", gajim: "A", swift: "A; A", swiftly: "A",
		},
		{
			name: "default as a number", text: catalog("", item(" selector='A'", two)+item(" selector='B' default='1'", two)),
			old: "A; B", gajim: "A; B", swift: "A; B", swiftly: "B",
		},
		{
			name: "without label, and the default", text: catalog("", item(" selector='A'", two)+item(" selector='B' default='true'", "")),
			old: "A", gajim: "A; B", pre: "B", swift: "A; B", swiftly: "B",
		},
		{
			name: "no default", text: catalog("", item(" selector='A'", two)+item(" selector='B'", two)),
			old: "A; B", gajim: "A; B", swift: "A; B", swiftly: "A",
		},
		{name: "a securitylabel without label", text: catalog("", item(" selector='A'", "<securitylabel xmlns='urn:xmpp:sec-label:0'/>")), swift: "A", swiftly: "A"},
		{name: "nothing", text: catalog("", "")},
	} {
		t.Run(row.name, func(t *testing.T) {
			e, err := xmlstream.ParseDocument([]byte(row.text), xmlstream.Options{})
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range []struct {
				client      string
				got         shown
				names, pres string
			}{
				{"nbxmpp 4", nbxmpp(e, 4), row.old, row.oldPre},
				{"nbxmpp 5", nbxmpp(e, 5), row.gajim, row.pre},
				{"Swift", swiften(e), row.swift, row.swiftly},
			} {
				if c.got.names() != c.names || c.got.chosen != c.pres {
					t.Errorf("%s shows %q and preselects %q, want %q and %q", c.client, c.got.names(), c.got.chosen, c.names, c.pres)
				}
			}
		})
	}
}

// Every client reads what we write as what it says.
func TestClientsReadOurElement(t *testing.T) {
	reg := registry(t, guardSPIF, partnerSPIF)
	pub, gb := label(t, reg, public), label(t, reg, internal, gbr)
	open := labelUnder(t, reg, partnerID, 1)
	for _, row := range []struct {
		name    string
		c       catalogue.Catalogue
		choices []choice
		chosen  string
		swiftly string // what Swift preselects, if something else
	}{
		{
			name: "as written", c: catalogue.Catalogue{Restrict: true, Items: []catalogue.Item{
				{Selector: "P", Label: pub, Equivalents: []*labels.Label{open}}, {Selector: "I|GB", Label: gb, Default: true},
			}},
			choices: []choice{{"P", true, "GUARD PUBLIC", 1}, {"I|GB", true, "GUARD INTERNAL USE REL TO GBR", 0}}, chosen: "I|GB",
		},
		{
			name: "selectors are made", c: catalogue.Catalogue{Items: []catalogue.Item{{Label: pub, Default: true}, {Label: gb}, {Label: gb}}},
			choices: []choice{{"PUBLIC", true, "GUARD PUBLIC", 0}, {"INTERNAL|REL TO GBR", true, "GUARD INTERNAL USE REL TO GBR", 0}, {"INTERNAL|REL TO GBR (2)", true, "GUARD INTERNAL USE REL TO GBR", 0}},
			chosen:  "PUBLIC",
		},
		{
			name: "without label", c: catalogue.Catalogue{Items: []catalogue.Item{{Label: pub}, {}}},
			choices: []choice{{"PUBLIC", true, "GUARD PUBLIC", 0}, {catalogue.NoLabelText, false, "", 0}}, swiftly: "PUBLIC",
		},
		{name: "nothing", c: catalogue.Catalogue{Restrict: true}},
	} {
		t.Run(row.name, func(t *testing.T) {
			for _, syntax := range []xep0258.Syntax{xep0258.ESS, xep0258.STANAG4774} {
				w := writing
				w.Syntax = syntax
				e, err := xmlstream.ParseDocument(octets(t, element(t, &row.c, w)), xmlstream.Options{})
				if err != nil {
					t.Fatal(err)
				}
				checkShown(t, "Swift", swiften(e), row.choices, max(row.chosen, row.swiftly))
				losing := slices.Clone(row.choices)
				for i := range losing {
					losing[i].beside = 0
				}
				gajim := nbxmpp(e, 5)
				checkShown(t, "nbxmpp 5", gajim, losing, row.chosen)
				if gajim.restrict != row.c.Restrict {
					t.Errorf("restrict reads as %v", gajim.restrict)
				}
				losing = slices.DeleteFunc(losing, func(c choice) bool { return !c.label })
				checkShown(t, "nbxmpp 4", nbxmpp(e, 4), losing, row.chosen)
			}
		})
	}
}

func checkShown(t *testing.T, client string, got shown, choices []choice, chosen string) {
	t.Helper()
	if !slices.Equal(got.choices, choices) || got.chosen != chosen {
		t.Errorf("%s shows %+v and preselects %q, want %+v and %q", client, got.choices, got.chosen, choices, chosen)
	}
}
