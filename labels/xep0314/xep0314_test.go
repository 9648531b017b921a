package xep0314_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
	"sallyport/labels/spif"
	"sallyport/labels/xep0258"
	"sallyport/labels/xep0314"
)

const data = "../testdata"

func parse(t testing.TB, text string) *xmlstream.Element {
	t.Helper()
	e, err := xmlstream.ParseDocument([]byte(text), xmlstream.Options{Limits: xmlstream.ServerLimits(), ContentNS: xmlstream.NSServer})
	if err != nil {
		t.Fatalf("%v\n%.400s", err, text)
	}
	return e
}

func readFile(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(data, name))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(b))
}

func reader(t testing.TB) *xep0258.Reader {
	t.Helper()
	p, problems := spif.Load(filepath.Join(data, "guard/guard.spif.xml"))
	if p == nil {
		t.Fatal(problems)
	}
	reg, err := labels.NewRegistry(p)
	if err != nil {
		t.Fatal(err)
	}
	return xep0258.NewReader(reg)
}

const (
	publicESS = "MQoCAQEGBYg3ggIB"
	relGBR    = "MSwCAQIGBYg3ggIBMSAwHoAKYIZIAWUCAQgDAaEQMA4GBog3ggIBAzEEAgIDOg=="
)

// label is a securitylabel with the name id, or without one.
func label(ess, id string) string {
	if id != "" {
		id = " xmlns:p='urn:xmpp:sec-label:pubsub:0' p:id='" + id + "'"
	}
	return "<securitylabel xmlns='urn:xmpp:sec-label:0'" + id + "><label><esssecuritylabel xmlns='urn:xmpp:sec-label:ess:0'>" +
		ess + "</esssecuritylabel></label></securitylabel>"
}

func item(id, pointer string) string {
	if pointer != "" {
		pointer = " xmlns:p='urn:xmpp:sec-label:pubsub:0' p:label='" + pointer + "'"
	}
	return "<item id='" + id + "'" + pointer + "><x xmlns='urn:x'/></item>"
}

func iq(inside string) string { return "<iq xmlns='jabber:server' type='result'>" + inside + "</iq>" }

func items(inside string) string {
	return iq("<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='n'>" + inside + "</items></pubsub>")
}

func publish(inside string) string {
	return strings.NewReplacer("<items ", "<publish ", "</items>", "</publish>", "'result'", "'set'").Replace(items(inside))
}

func disco(inside string) string {
	return iq("<query xmlns='http://jabber.org/protocol/disco#items' node='n'>" + inside + "</query>")
}

func notify(inside, beside string) string {
	return "<message xmlns='jabber:server'><event xmlns='http://jabber.org/protocol/pubsub#event'><items node='n'>" + inside +
		"</items></event>" + beside + "</message>"
}

// TestLabels: who has which label. A letter for each item: P public, G released to GBR, - none.
func TestLabels(t *testing.T) {
	p, g := label(publicESS, "p"), label(relGBR, "g")
	wrapped := "<forwarded xmlns='urn:xmpp:forward:0'><message xmlns='jabber:client'>" + label(publicESS, "") + "</message></forwarded>"
	tests := []struct {
		name, stanza, want string
		place              xep0314.Place
		code               labels.Code
	}{
		{"publish in the test data", readFile(t, "xmpp/pubsub-publish.xml"), "G", xep0314.Publish, 0},
		{"items in the test data", readFile(t, "xmpp/pubsub-items-result.xml"), "GP", xep0314.Retrieval, 0},
		{"publish, one for all", publish(item("1", "") + item("2", "") + label(publicESS, "")), "PP", xep0314.Publish, 0},
		{"publish, label first", publish(label(publicESS, "") + item("1", "")), "P", xep0314.Publish, 0},
		{"publish without a label", publish(item("1", "")), "-", xep0314.Publish, 0},
		{"publish without items", publish(label(publicESS, "")), "", xep0314.Publish, 0},
		{"publish, two labels", publish(item("1", "") + label(publicESS, "") + label(relGBR, "")), "", 0, labels.CodeCount},
		{"publish, a named label", publish(item("1", "") + p), "", 0, labels.CodeMisplaced},
		{"publish, a pointer", publish(item("1", "p") + label(publicESS, "")), "", 0, labels.CodeMisplaced},
		{"publish, label in the item", publish("<item>" + label(publicESS, "") + "</item>"), "", 0, labels.CodeMisplaced},
		{"publish, label beside publish", iq("<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='n'/>" + label(publicESS, "") + "</pubsub>"), "", 0, labels.CodeMisplaced},
		{"items", items(item("1", "p") + item("2", "g") + item("3", "p") + item("4", "") + p + g), "PGP-", xep0314.Retrieval, 0},
		{"items, labels first", items(g + p + item("1", "p") + item("2", "g")), "PG", xep0314.Retrieval, 0},
		{"items, request", strings.Replace(items(item("1", "")), "result", "get", 1), "-", xep0314.Retrieval, 0},
		{"items, pointer to nothing", items(item("1", "q") + item("2", "p") + p), "", 0, labels.CodeSyntax},
		{"items, pointer to nothing, no labels", items(item("1", "p")), "", 0, labels.CodeSyntax},
		{"items, empty pointer", items(strings.Replace(item("1", "p"), "'p'", "''", 1) + item("2", "p") + p), "", 0, labels.CodeSyntax},
		{"items, label of nobody", items(item("1", "p") + p + g), "", 0, labels.CodeMisplaced},
		{"items, label without a name", items(item("1", "") + label(publicESS, "")), "", 0, labels.CodeMisplaced},
		{"items, one name twice", items(item("1", "p") + p + p), "", 0, labels.CodeCount},
		{"items, U then S under one name", items(item("1", "p") + p + label(relGBR, "p")), "", 0, labels.CodeCount},
		{"items, name with a blank", items(item("1", "a b") + label(publicESS, "a b")), "", 0, labels.CodeSyntax},
		{"items, empty name", items(strings.Replace(item("1", "p")+p, "'p'", "''", 2)), "", 0, labels.CodeSyntax},
		{"items, name too long", items(item("1", strings.Repeat("a", 257)) + label(publicESS, strings.Repeat("a", 257))), "", 0, labels.CodeSyntax},
		{"items, label deeper", items("<item id='1'>" + label(publicESS, "p") + "</item>"), "", 0, labels.CodeMisplaced},
		{"items, attribute elsewhere", items("<item><x xmlns='urn:x' xmlns:p='urn:xmpp:sec-label:pubsub:0' p:label='p'/></item>"), "", 0, labels.CodeMisplaced},
		{"items, unknown attribute of the namespace", items("<item xmlns:p='urn:xmpp:sec-label:pubsub:0' p:more='p'/>"), "", 0, labels.CodeMisplaced},
		{"items, a bare label element", items("<label xmlns='urn:xmpp:sec-label:0'/>"), "", 0, labels.CodeMisplaced},
		{"items, label in a wrapped message", items("<item>" + wrapped + "</item>"), "", 0, labels.CodeMisplaced},
		{"two containers", iq("<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='n'/><items node='n'/></pubsub>"), "", 0, labels.CodeSyntax},
		{"disco", disco(item("1", "g") + item("2", "") + g), "G-", xep0314.Discovery, 0},
		{"disco, label of nobody", disco(item("1", "") + g), "", 0, labels.CodeMisplaced},
		{"notification", notify(item("1", "")+item("2", ""), label(relGBR, "")), "GG", xep0314.Notification, 0},
		{"notification without a label", notify(item("1", ""), ""), "-", xep0314.Notification, 0},
		{"notification, label in items", notify(item("1", "")+label(publicESS, ""), ""), "", 0, labels.CodeMisplaced},
		{"notification, label in items and message", notify(item("1", "p")+p, label(publicESS, "")), "", 0, labels.CodeMisplaced},
		{"notification, two labels", notify(item("1", ""), label(publicESS, "")+label(relGBR, "")), "", 0, labels.CodeCount},
		{"notification, a pointer", notify(item("1", "p"), label(publicESS, "")), "", 0, labels.CodeMisplaced},
		{"notification with a wrapped message", notify("<item>"+wrapped+"</item>", label(relGBR, "")), "G", xep0314.Notification, 0},
		{"labelled error", strings.Replace(publish(item("1", "")+label(publicESS, "")), "'set'", "'error'", 1), "", 0, labels.CodeMisplaced},
		{"labelled error notification", strings.Replace(notify(item("1", ""), label(publicESS, "")), "<message ", "<message type='error' ", 1), "", 0, labels.CodeMisplaced},
		{"error without a label", strings.Replace(publish(item("1", "")), "'set'", "'error'", 1), "", xep0314.Nowhere, 0},
		{"iq without items", iq("<x xmlns='urn:x'/>"), "", xep0314.Nowhere, 0},
		{"I19 labelled iq without items", iq(label(publicESS, "")), "", 0, labels.CodeMisplaced},
		{"I25 catalogue", readFile(t, "xmpp/catalog-result.xml"), "", 0, labels.CodeMisplaced},
		{"presence", "<presence xmlns='jabber:server'>" + label(publicESS, "") + "</presence>", "", 0, labels.CodeMisplaced},
		{"chat", "<message xmlns='jabber:server'><body>x</body>" + label(publicESS, "") + "</message>", "", xep0314.Nowhere, 0},
		{"items in a message", "<message xmlns='jabber:server'><pubsub xmlns='http://jabber.org/protocol/pubsub'><items>" + p + "</items></pubsub></message>", "", 0, labels.CodeMisplaced},
		{"event in an iq", iq("<event xmlns='http://jabber.org/protocol/pubsub#event'><items>" + p + "</items></event>"), "", 0, labels.CodeMisplaced},
	}
	r := reader(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := xep0314.Read(parse(t, tt.stanza))
			var e *labels.Error
			if errors.As(err, &e); tt.code != 0 || err != nil {
				if e == nil || e.Code != tt.code || c.Items != nil || c.Label != nil {
					t.Fatalf("got %v %v, want %v", c, err, tt.code)
				}
				return
			}
			if c.Place != tt.place || c.Place != xep0314.Nowhere && tt.place != xep0314.Publish && c.Node != "n" && c.Node != "news" {
				t.Errorf("in %v of node %q, want %v", c.Place, c.Node, tt.place)
			}
			if got := letters(t, r, c.Items); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
	if _, err := xep0314.Labels(nil); err == nil {
		t.Error("no stanza, and no error")
	}
}

func letters(t *testing.T, r *xep0258.Reader, all []xep0314.ItemLabel) string {
	t.Helper()
	out := ""
	for _, it := range all {
		if it.Label == nil {
			out += "-"
			continue
		}
		f := r.ReadLabel(it.Label)
		switch f.Label.String() {
		case "GUARD PUBLIC":
			out += "P"
		case "GUARD INTERNAL USE REL TO GBR":
			out += "G"
		default:
			t.Errorf("read %v %s", f.State, f.Detail)
		}
	}
	return out
}

func TestWithLabels(t *testing.T) {
	p, g := parse(t, label(publicESS, "")), parse(t, label(relGBR, ""))
	by := map[string]*xmlstream.Element{"P": p, "G": g, "-": nil}
	tests := []struct{ name, stanza, give, want string }{ // want "": refused
		{"publish", publish(item("1", "") + item("2", "")), "GG", publish(item("1", "") + item("2", "") + label(relGBR, ""))},
		{"publish, label replaced", publish(label(publicESS, "") + item("1", "")), "G", publish(item("1", "") + label(relGBR, ""))},
		{"publish, label removed", publish(item("1", "") + label(publicESS, "")), "-", publish(item("1", ""))},
		{"publish, no items", publish(label(publicESS, "")), "G", publish(label(relGBR, ""))},
		{"publish, two labels", publish(item("1", "") + item("2", "")), "GP", ""},
		{"publish, one without", publish(item("1", "") + item("2", "")), "G-", ""},
		{"items, a shared label once", items(item("1", "") + item("2", "x") + item("3", "") + label(publicESS, "x")), "GPG", items(item("1", "label-1") + item("2", "label-2") + item("3", "label-1") + label(relGBR, "label-1") + label(publicESS, "label-2"))},
		{"items, one without", items(item("1", "x") + item("2", "x") + label(publicESS, "x")), "-P", items(item("1", "") + item("2", "label-1") + label(publicESS, "label-1"))},
		{"disco", disco(item("1", "")), "P", disco(item("1", "label-1") + label(publicESS, "label-1"))},
		{"notification", notify(item("1", ""), label(publicESS, "")+"<body>x</body>"), "G", notify(item("1", ""), "<body>x</body>"+label(relGBR, ""))},
		{"notification, two labels", notify(item("1", "")+item("2", ""), ""), "GP", ""},
		{"no place", iq("<x xmlns='urn:x'/>"), "", ""},
		{"already out of place", iq(label(publicESS, "")), "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			at := -1
			got, err := xep0314.WithLabels(parse(t, tt.stanza), func(*xmlstream.Element) *xmlstream.Element {
				at++
				return by[tt.give[at:at+1]]
			})
			if tt.want == "" {
				if err == nil {
					t.Errorf("written as %s", text(t, got))
				}
				return
			}
			if err != nil || !got.Equal(parse(t, tt.want)) {
				t.Errorf("%v\ngot  %s\nwant %s", err, text(t, got), tt.want)
			}
		})
	}
	for name, wrong := range map[string]*xmlstream.Element{"not a label": parse(t, item("1", "")), "a named label": parse(t, label(publicESS, "p"))} {
		for _, stanza := range []string{publish(item("1", "")), items(item("1", ""))} {
			if e, err := xep0314.WithLabels(parse(t, stanza), func(*xmlstream.Element) *xmlstream.Element { return wrong }); err == nil {
				t.Errorf("%s was written: %s", name, text(t, e))
			}
		}
	}
}

func text(t *testing.T, e *xmlstream.Element) string {
	t.Helper()
	b, err := xmlstream.AppendElement(nil, e, "")
	if err != nil {
		t.Error(err)
	}
	return string(b)
}

func TestErrors(t *testing.T) { // XEP-0314 §6.1.1
	s, err := stanza.From(parse(t, "<iq xmlns='jabber:server' type='set' id='1' from='a@a.example/x' to='p.b.example'><pubsub xmlns='http://jabber.org/protocol/pubsub'/></iq>"))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name  string
		reply func(stanza.Stanza) (stanza.Stanza, bool)
		want  string
	}{
		{"beyond the node", xep0314.BeyondNode, "<error type='modify'><bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"},
		{"beyond the publisher", xep0314.BeyondPublisher, "<error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"},
	} {
		got, ok := tt.reply(s)
		want := tt.want + "<insufficient-clearance xmlns='urn:xmpp:sec-label:pubsub:errors:0'/></error>"
		if !ok || !strings.Contains(text(t, got.Element()), want) || strings.Contains(text(t, got.Element()), "<pubsub") {
			t.Errorf("%s: %v %s", tt.name, ok, text(t, got.Element()))
		}
	}
}

// What is accepted can be written and says the same when read again; nothing panics.
func FuzzLabels(f *testing.F) {
	for _, name := range []string{"xmpp/pubsub-publish.xml", "xmpp/pubsub-items-result.xml", "xmpp/catalog-result.xml", "xmpp/message-ess.xml"} {
		f.Add([]byte(readFile(f, name)))
	}
	for _, s := range []string{
		publish(item("1", "") + item("2", "") + label(publicESS, "")), publish(label(publicESS, "")),
		items(item("1", "p") + item("2", "") + label(relGBR, "p")), disco(item("1", "g") + label(relGBR, "g")),
		notify(item("1", ""), label(relGBR, "")), items(item("1", "p") + label(relGBR, "p") + label(publicESS, "p")),
		notify(item("1", "p")+label(publicESS, "p"), label(relGBR, "")),
	} {
		f.Add([]byte(s))
	}
	o := xmlstream.Options{Limits: xmlstream.ServerLimits(), ContentNS: xmlstream.NSServer}
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := xmlstream.ParseDocument(b, o)
		if err != nil {
			return
		}
		c, err := xep0314.Read(e)
		if err != nil || c.Place == xep0314.Nowhere {
			return
		}
		at := 0
		again, err := xep0314.WithLabels(e, func(item *xmlstream.Element) *xmlstream.Element {
			if item == nil {
				return c.Label
			}
			at++
			return c.Items[at-1].Label
		})
		if err != nil {
			t.Fatalf("not written: %v", err)
		}
		d, err := xep0314.Read(again)
		if err != nil || d.Place != c.Place || d.Node != c.Node || !d.Label.Equal(c.Label) || len(d.Items) != len(c.Items) {
			t.Fatalf("read again as %v: %v", d, err)
		}
		for i := range d.Items {
			if !d.Items[i].Label.Equal(c.Items[i].Label) {
				t.Fatalf("item %d has another label", i)
			}
		}
	})
}
