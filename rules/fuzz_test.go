package rules_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/rules"
)

// canarySpec is the allow-list that the canary test knows by heart, see allowed below.
func canarySpec() rules.ProfileSpec {
	return rules.ProfileSpec{
		Name: "canary", Mode: "strip",
		Messages: []string{"normal", "chat", "groupchat", "headline"}, Presence: []string{"available", "unavailable"}, IQ: []string{"get", "set", "result"},
		Attributes: []string{"good"},
		Elements: []rules.ElementSpec{
			{Name: "body", In: []string{"message", "presence", "iq"}, Text: "any", Attributes: []string{"good"}, Max: 3},
			{Name: "{u:a}a", In: []string{"message", "{u:b}b"}, Attributes: []string{"good", "xml:lang=lang"}, Max: 2},
			{Name: "{u:b}b", In: []string{"message", "{u:a}a"}, Text: "any", Max: 2},
			{Name: "{u:deep}deep", In: []string{"message", "presence"}, Deep: true, Max: 2},
			{Name: "{u:drop}drop", In: []string{"message", "{u:a}a"}, Drop: true},
		},
	}
}

// grower makes random stanzas in which every text and every attribute value is a mark of its own.
type grower struct {
	*rand.Rand
	marks   int
	allowed []string // marks that may cross, by the oracle below
}

func (g *grower) mark() string {
	g.marks++
	return fmt.Sprintf("m%dm", g.marks)
}

// place says what the oracle knows of one spot: the name of what is allowed there.
type place struct{ space, local string }

var (
	growSpaces = []string{"jabber:server", "jabber:client", "u:a", "u:b", "u:deep", "u:drop", "u:x", ""}
	growLocals = []string{"body", "a", "b", "deep", "drop", "x"}
	growNames  = []place{{"jabber:server", "body"}, {"u:a", "a"}, {"u:b", "b"}, {"u:deep", "deep"}, {"u:deep", "x"}, {"u:drop", "drop"}}
)

// element grows an element whose parent is p. The oracle is told whether all above it survives, and repeats the
// allow-list in code of its own.
func (g *grower) element(p place, alive, deep bool, seen map[place]int, levels int) *xmlstream.Element {
	at := place{growSpaces[g.IntN(len(growSpaces))], growLocals[g.IntN(len(growLocals))]}
	if g.IntN(4) > 0 { // mostly names that are on the list, though often in the wrong place
		at = growNames[g.IntN(len(growNames))]
	}
	limit, listed := limits(p, at)
	if !listed && deep && at.space == "u:deep" {
		limit, listed = 1000, true
	}
	seen[at]++
	alive = alive && listed && seen[at] <= limit
	inDeep := alive && at.space == "u:deep"
	text := at.local == "body" && at.space == "jabber:server" || at == place{"u:b", "b"} || inDeep

	var attrs []xmlstream.Attr
	for _, name := range []xmlstream.Name{{Local: "good"}, {Local: "bad"}, {Space: "u:x", Local: "good"}} {
		if g.IntN(3) > 0 {
			continue
		}
		m := g.mark()
		attrs = append(attrs, xmlstream.Attr{Name: name, Value: m})
		good := name.Space == "" && (inDeep || name.Local == "good" && (at == place{"jabber:server", "body"} || at == place{"u:a", "a"}))
		if alive && good {
			g.allowed = append(g.allowed, m)
		}
	}
	below := map[place]int{}
	var nodes []xmlstream.Node
	for range 1 + g.IntN(4) {
		if g.IntN(2) == 0 || levels == 0 {
			m := g.mark()
			nodes = append(nodes, xmlstream.TextNode(m))
			if alive && text {
				g.allowed = append(g.allowed, m)
			}
			continue
		}
		nodes = append(nodes, xmlstream.ElementNode(g.element(at, alive, inDeep, below, levels-1)))
	}
	return xmlstream.NewElement(xmlstream.Name{Space: at.space, Local: at.local}, attrs, nodes...)
}

// limits is the allow-list again: how many of what may stand where.
func limits(parent, child place) (int, bool) {
	root := parent.space == "jabber:server" && (parent.local == "message" || parent.local == "presence" || parent.local == "iq")
	message := root && parent.local == "message"
	switch child {
	case place{"jabber:server", "body"}:
		return 3, root
	case place{"u:a", "a"}:
		return 2, message || parent == place{"u:b", "b"}
	case place{"u:b", "b"}:
		return 2, message || parent == place{"u:a", "a"}
	case place{"u:deep", "deep"}:
		return 2, root && parent.local != "iq"
	}
	return 0, false
}

func (g *grower) stanza() *xmlstream.Element {
	kind := []string{"message", "message", "message", "presence", "iq"}[g.IntN(5)]
	attrs := []xmlstream.Attr{
		{Name: xmlstream.Name{Local: "to"}, Value: "b@b.example"},
		{Name: xmlstream.Name{Local: "from"}, Value: "a@a.example"},
	}
	if kind == "iq" {
		attrs = append(attrs, xmlstream.Attr{Name: xmlstream.Name{Local: "type"}, Value: "set"}, xmlstream.Attr{Name: xmlstream.Name{Local: "id"}, Value: "1"})
	}
	good, bad := g.mark(), g.mark()
	g.allowed = append(g.allowed, good)
	attrs = append(attrs, xmlstream.Attr{Name: xmlstream.Name{Local: "good"}, Value: good}, xmlstream.Attr{Name: xmlstream.Name{Local: "bad"}, Value: bad})
	n := 1
	if kind != "iq" {
		n = g.IntN(6)
	}
	var nodes []xmlstream.Node
	seen := map[place]int{}
	for range n {
		nodes = append(nodes, xmlstream.ElementNode(g.element(place{"jabber:server", kind}, true, false, seen, 4)))
	}
	return xmlstream.NewElement(xmlstream.Name{Space: "jabber:server", Local: kind}, attrs, nodes...)
}

// marksIn lists the marks in s.
func marksIn(s string) []string {
	var found []string
	for _, part := range strings.FieldsFunc(s, func(r rune) bool { return r != 'm' && (r < '0' || r > '9') }) {
		for digits := range strings.SplitSeq(part, "m") {
			if digits != "" && strings.Contains(s, "m"+digits+"m") {
				found = append(found, "m"+digits+"m")
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// FuzzCanary: each leaf of a random stanza carries its own mark; the marks that come out in strip mode equal those that
// an independent reading of the allow-list lets through.
func FuzzCanary(f *testing.F) {
	for seed := range uint64(64) {
		f.Add(seed)
	}
	p := compile(f, canarySpec())
	checkMixture(f, p)
	f.Fuzz(func(t *testing.T, seed uint64) {
		g := &grower{Rand: rand.New(rand.NewPCG(seed, 1))}
		e := g.stanza()
		s, err := stanza.From(e)
		if err != nil {
			t.Fatal(err)
		}
		r := p.Check(s)
		if r.Verdict == rules.Deny {
			if r.Reason != rules.Empty && r.Reason != rules.IQKind {
				t.Fatalf("seed %d: denied as %v at %s", seed, r.Reason, r.Path)
			}
			return
		}
		got := marksIn(write(t, r.Stanza))
		slices.Sort(g.allowed)
		if !slices.Equal(got, slices.Compact(g.allowed)) {
			b, _ := xmlstream.AppendElement(nil, e, "jabber:server")
			t.Fatalf("seed %d:\nin   %s\nout  %s\ngot  %v\nwant %v", seed, b, write(t, r.Stanza), got, g.allowed)
		}
		if again := p.Check(r.Stanza); again.Verdict != rules.Pass {
			t.Fatalf("seed %d: what came out does not pass as it is: %v %v %q", seed, again.Verdict, again.Reason, again.Removed)
		}
	})
}

// checkMixture: the property below would hold of nothing if the stanzas that are grown were all denied or all untouched.
func checkMixture(f *testing.F, p *rules.Profile) {
	f.Helper()
	verdicts := map[rules.ProfileVerdict]int{}
	for seed := range uint64(300) {
		g := &grower{Rand: rand.New(rand.NewPCG(seed, 1))}
		s, err := stanza.From(g.stanza())
		if err != nil {
			f.Fatal(err)
		}
		r := p.Check(s)
		verdicts[r.Verdict]++
		if r.Verdict == rules.Stripped && len(g.allowed) > 3 {
			verdicts[rules.Pass]++ // something on the list was there to survive
		}
	}
	if verdicts[rules.Stripped] < 100 || verdicts[rules.Pass] < 50 {
		f.Fatalf("verdicts over 300 stanzas: %v", verdicts)
	}
}

// FuzzCheck: no input makes a profile panic, and whatever a profile lets through it lets through unchanged the next time.
func FuzzCheck(f *testing.F) {
	for _, in := range []string{
		message("<body>x</body>" + label), message(carbon(inner)), presence("<show>away</show>"), iq("get", "<ping xmlns='urn:xmpp:ping'/>"),
		message("<body>cafe\u0301<x xmlns='u'/>\u0301</body>"), message(event("urn:xmpp:avatar:metadata", "<x/>")),
	} {
		f.Add([]byte(in))
	}
	var profiles []*rules.Profile
	for _, name := range []string{rules.Strict, rules.Chat, rules.Federation} {
		profiles = append(profiles, builtin(f, name))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := xmlstream.ParseDocument(b, xmlstream.Options{Limits: xmlstream.ServerLimits(), ContentNS: xmlstream.NSServer})
		if err != nil {
			return
		}
		s, err := stanza.From(e)
		if err != nil {
			return
		}
		for _, p := range profiles {
			r := p.Check(s)
			if r.Verdict == rules.Deny {
				if r.Reason == rules.NoReason {
					t.Fatalf("%s: denied without a reason", p.Name())
				}
				continue
			}
			if again := p.Check(r.Stanza); again.Verdict != rules.Pass {
				t.Fatalf("%s: what came out does not pass as it is: %v %v at %s %q", p.Name(), again.Verdict, again.Reason, again.Path, again.Removed)
			}
			for range rules.Wrapped(r.Stanza.Element()) {
				t.Fatalf("%s: a wrapped stanza came through", p.Name())
			}
		}
	})
}
