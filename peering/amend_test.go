package peering_test

import (
	"strings"
	"testing"
	"time"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/peering"
)

// released is what the test policy lets through of a message with a label and these children.
func released(t *testing.T, attrs, in string) peering.Released {
	t.Helper()
	e := peering.NewEngine(policy(t, definition(t)))
	a := arrival(t, "in", "<message from='a@in.example/r' to='b@out.example'"+attrs+">"+ours(t, "UNCLASSIFIED")+in+"</message>")
	v := e.Judge(&a)
	r, ok := v.Released()
	if !ok {
		t.Fatalf("refused: %+v", v.Refusal)
	}
	return r
}

func TestReduced(t *testing.T) {
	t.Parallel()
	r := released(t, " type='chat' id='1'", "<body>x</body><thread>t</thread>")
	drop := func(local string) func(stanza.Stanza) *xmlstream.Element {
		return func(s stanza.Stanza) *xmlstream.Element {
			return s.Element().MapChildren(func(c *xmlstream.Element) *xmlstream.Element {
				if c.Local() == local {
					return nil
				}
				return c
			})
		}
	}
	add := func(n xmlstream.Node, last bool) func(stanza.Stanza) *xmlstream.Element {
		return func(s stanza.Stanza) *xmlstream.Element {
			nodes := []xmlstream.Node{n}
			for i := range s.Element().NumNodes() {
				nodes = append(nodes, s.Element().NodeAt(i))
			}
			if last {
				nodes = append(nodes[1:], n)
			}
			return s.Element().WithNodes(nodes...)
		}
	}
	body := func(text string) xmlstream.Node {
		return xmlstream.ElementNode(xmlstream.NewElement(xmlstream.Name{Space: xmlstream.NSServer, Local: "body"}, nil, xmlstream.TextNode(text)))
	}
	tests := []struct {
		name string
		make func(stanza.Stanza) *xmlstream.Element
		ok   bool
	}{
		{"nothing changed", func(s stanza.Stanza) *xmlstream.Element { return s.Element() }, true},
		{"a thread less", drop("thread"), true},
		{"a body less", drop("body"), true},
		{"without the label", drop("securitylabel"), false},
		{"a child more", add(body("y"), true), false},
		{"a child twice", add(body("x"), true), false},
		{"a child before", add(body("x"), false), false},
		{"a text more", add(xmlstream.TextNode("y"), true), false},
		{"another recipient", func(s stanza.Stanza) *xmlstream.Element {
			return s.Element().WithAttr(xmlstream.Name{Local: "to"}, "c@out.example")
		}, false},
		{"another id", func(s stanza.Stanza) *xmlstream.Element {
			return s.Element().WithAttr(xmlstream.Name{Local: "id"}, "2")
		}, false},
		{"an attribute less", func(s stanza.Stanza) *xmlstream.Element { return s.Element().WithoutAttr(xmlstream.Name{Local: "id"}) }, false},
		{"another body", func(s stanza.Stanza) *xmlstream.Element {
			return s.Element().MapChildren(func(c *xmlstream.Element) *xmlstream.Element {
				if c.Local() == "body" {
					return c.WithNodes(xmlstream.TextNode("y"))
				}
				return c
			})
		}, false},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			e := tc.make(r.Stanza())
			s, err := stanza.From(e)
			if err != nil {
				t.Fatal(err)
			}
			got, err := r.Reduced(s)
			if (err == nil) != tc.ok || got.IsZero() == tc.ok {
				t.Fatalf("got %v, %v", got.IsZero(), err)
			}
			if tc.ok && (!got.Element().Equal(e) || got.Link() != r.Link() || got.PolicyVersion() != r.PolicyVersion()) {
				t.Errorf("got another release: %s", canonical(t, got.Element()))
			}
		})
	}
	var zero peering.Released
	if got, err := zero.Reduced(r.Stanza()); err == nil || !got.IsZero() {
		t.Error("the zero value was reduced to something")
	}
	if got, err := r.Reduced(stanza.Stanza{}); err == nil || !got.IsZero() {
		t.Error("something was reduced to nothing")
	}
}

func TestDelayed(t *testing.T) {
	t.Parallel()
	since := time.Date(2026, 11, 21, 13, 0, 0, 999, time.FixedZone("", 3600))
	got := released(t, " type='chat'", "<body>x</body>").Delayed(since)
	const want = "<delay xmlns='urn:xmpp:delay' from='in.example' stamp='2026-11-21T12:00:00Z'/></message>"
	if text := canonical(t, got.Element()); !strings.HasSuffix(text, want) {
		t.Errorf("got %s", text)
	}
	again := got.Delayed(since.Add(time.Hour))
	if text := canonical(t, again.Element()); strings.Count(text, "<delay") != 1 || !strings.Contains(text, "T13:00:00Z") {
		t.Errorf("two stamps of ours: %s", text)
	}
	plain := released(t, " type='chat'", "<body>x</body>")
	if _, err := plain.Reduced(again.Stanza()); err == nil {
		t.Error("a stamp passes for something left out")
	}
}

func TestReplyTold(t *testing.T) {
	t.Parallel()
	e := peering.NewEngine(policy(t, definition(t)))
	a := arrival(t, "in", "<message from='a@in.example/r' to='b@out.example' id='7'>"+ours(t, "UNCLASSIFIED")+"<body>secret text</body></message>")
	v := e.Judge(&a)
	seen := map[string]bool{}
	for told := peering.ToldNothing; told.String() != "" || told == peering.ToldNothing; told++ {
		r, ok := e.ReplyTold(&v, peering.Expired, told)
		if !ok {
			t.Fatalf("%d: no reply", told)
		}
		text := canonical(t, r.Element())
		if !strings.Contains(text, told.String()) || !strings.Contains(text, "reference "+v.Ref()) || strings.Contains(text, "secret") {
			t.Errorf("%d: %s", told, text)
		}
		if seen[text] {
			t.Errorf("%d says what another says", told)
		}
		seen[text] = true
	}
	var none peering.Verdict
	if _, ok := e.ReplyTold(&none, peering.Expired, peering.ToldExpired); ok {
		t.Error("a reply to nobody")
	}
}

func TestCausesThatEmptyRooms(t *testing.T) {
	t.Parallel()
	for c, want := range map[peering.Cause]bool{
		peering.ByVerdict: false, peering.Undelivered: true, peering.Doubtful: true, peering.Expired: true, peering.Unroutable: true,
		peering.Overloaded: false, peering.TooBig: false, peering.AuditDown: false, 200: false,
	} {
		if c.RemovesOccupant() != want {
			t.Errorf("%v: %v, want %v", c, !want, want)
		}
	}
}
