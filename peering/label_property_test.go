package peering_test

import (
	"testing"

	"pgregory.net/rapid"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
	"sallyport/labels/xep0258"
	"sallyport/peering"
	"sallyport/rules"
)

// Whatever is released with a label is valid now and granted, for every clearance on both sides, under the policies of
// today: said again here from the bytes that leave, by nothing of the engine.
func TestReleasedIsCleared(tt *testing.T) {
	tt.Parallel()
	reg := guardRegistry(tt)
	released := 0
	check := func(t *rapid.T) {
		w := draw(t, tt, reg)
		p, problems := peering.Compile(w.def)
		if len(problems) > 0 {
			return // a translation that no policy has an equivalence for
		}
		v := p.Judge(&w.arrival)
		r, ok := v.Released()
		if !ok {
			return
		}
		released++
		w.check(t, reg, r.Element())
	}
	for range 50 { // few are drawn with -short, and few of those are released
		if rapid.Check(tt, check); released > 0 {
			break
		}
	}
	if released == 0 {
		tt.Error("none of the drawn messages was released: nothing was tried")
	}
}

// world is one boundary and one message, drawn.
type world struct {
	def      peering.Definition
	arrival  peering.Arrival
	received *labels.Label // nil: the default
	from, to *peering.Peer
}

func draw(t *rapid.T, tt *testing.T, reg *labels.Registry) *world {
	w := &world{def: twoPolicies(tt, reg)}
	for i := range w.def.Peers {
		p := &w.def.Peers[i]
		p.Clearances = drawClearances(t, reg, "peer")
		p.SendLabels = peering.SendLabels(rapid.IntRange(0, 2).Draw(t, "send"))
		p.Equivalents = peering.Equivalents(rapid.IntRange(0, 2).Draw(t, "equivalents"))
		p.KeepPrivacyMarks = rapid.Bool().Draw(t, "keep")
		p.TranslateOut = labels.Reading(rapid.IntRange(0, 3).Draw(t, "out"))
		p.TranslateIn = labels.Reading(rapid.IntRange(0, 3).Draw(t, "in"))
		if rapid.Bool().Draw(t, "default") {
			p.DefaultLabel, p.Unlabelled = drawLabel(t, reg), peering.UnlabelledDefault
		}
	}
	guard, _ := reg.Policy(guardID)
	partner, _ := reg.Policy(partnerID)
	w.def.Sides = map[string]peering.Side{"inside": {LabelPolicy: guard}, "outside": {LabelPolicy: partner}}
	if rapid.IntRange(0, 2).Draw(t, "link") == 0 {
		w.def.LinkClear = map[string]labels.ClearanceSet{"s2s": drawClearances(t, reg, "link")}
	}
	if rapid.IntRange(0, 3).Draw(t, "rule") == 0 {
		w.def.Rules = ruled(tt, rules.RuleSpec{
			ID: "r", Action: "relabel", Label: "f", NewLabel: drawLabel(t, reg), Downgrade: rapid.Bool().Draw(t, "downgrade"),
		})
	}
	inside := ""
	if rapid.IntRange(0, 5).Draw(t, "labelled") > 0 {
		w.received = drawLabel(t, reg)
		inside = wire(tt, w.received)
	}
	peer, text := "in", outward(inside)
	w.from, w.to = &w.def.Peers[0], &w.def.Peers[1]
	if rapid.Bool().Draw(t, "inwards") {
		peer, text = "out", inward(inside)
		w.from, w.to = w.to, w.from
	}
	w.arrival = arrival(tt, peer, text)
	if rapid.IntRange(0, 2).Draw(t, "sender") == 0 {
		w.arrival.Facts.Sender = peering.ClearanceFact{Clearances: drawClearances(t, reg, "sender"), Source: "directory"}
	}
	if rapid.IntRange(0, 2).Draw(t, "recipient") == 0 {
		w.arrival.Facts.Recipient = peering.ClearanceFact{Clearances: drawClearances(t, reg, "recipient"), Source: "directory"}
	}
	return w
}

// drawLabel draws any label that can be written down, most of them valid: one that nothing else forbids shall pass now
// and then.
func drawLabel(t *rapid.T, reg *labels.Registry) *labels.Label {
	for {
		l := drawAny(t, reg)
		if l.Policy().Validate(l, noon).Granted || rapid.IntRange(0, 9).Draw(t, "invalid") == 0 {
			return l
		}
	}
}

func drawAny(t *rapid.T, reg *labels.Registry) *labels.Label {
	p := reg.Policies()[rapid.IntRange(0, 1).Draw(t, "policy")]
	f := labels.LabelForm{Policy: p.ID()}
	f.Class = rapid.SampledFrom(p.Classes()).Draw(t, "class").LACV
	f.Values = drawValues(t, p, 0, 2)
	if rapid.IntRange(0, 4).Draw(t, "private") == 0 {
		f.PrivacyMark = "CLEAR"
	}
	l, err := reg.Label(f)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func drawValues(t *rapid.T, p *labels.Policy, least, most int) []labels.Value {
	var all []labels.Value
	for _, tag := range p.Tags() {
		for _, c := range tag.Categories {
			all = append(all, c.Value)
		}
	}
	return rapid.SliceOfN(rapid.SampledFrom(all), least, most).Draw(t, "values")
}

// drawClearances draws generous ones: some messages shall pass.
func drawClearances(t *rapid.T, reg *labels.Registry, name string) labels.ClearanceSet {
	var all []*labels.Clearance
	for _, p := range reg.Policies() {
		if rapid.IntRange(0, 5).Draw(t, name) == 0 {
			continue
		}
		f := labels.ClearanceForm{Policy: p.ID()}
		for _, c := range p.Classes() {
			if rapid.IntRange(0, 9).Draw(t, "class held") > 0 {
				f.Classes = append(f.Classes, c.LACV)
			}
		}
		f.Values = drawValues(t, p, 20, 60)
		c, err := reg.Clearance(f)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	set, err := labels.NewClearanceSet(all...)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// check decides all over again about what leaves.
func (w *world) check(t *rapid.T, reg *labels.Registry, e *xmlstream.Element) {
	came := w.received
	if came == nil {
		if came = w.from.DefaultLabel; came == nil {
			t.Fatal("released without any label")
		}
	}
	granted(t, "incoming peer", w.from.Clearances, came)
	left := labelsIn(t, reg, e)
	if len(left) == 0 {
		return // the peer takes none, or came without: what it was judged for is not in the bytes
	}
	for _, l := range left {
		if d := l.Policy().Validate(l, noon); !d.Granted {
			t.Fatalf("released under %v, which is not valid: %s", l, d.Explain())
		}
	}
	sent := left[0]
	if w.to.Equivalents == peering.AddTranslation && len(left) > 1 {
		sent = left[1]
	}
	granted(t, "outgoing peer", w.to.Clearances, sent)
	if set, ok := w.def.LinkClear["s2s"]; ok && w.def.Rules.Len() == 0 {
		each(t, "link", set, append(left, came), came, sent)
	}
	// A rule may have put another label in the place of the one that the sender was cleared for.
	if f := &w.arrival.Facts.Sender; f.Source != "" && w.def.Rules.Len() == 0 {
		each(t, "sender", f.Clearances, append(left, came), came)
	}
	if f := &w.arrival.Facts.Recipient; f.Source != "" {
		each(t, "recipient", f.Clearances, append(left, came), sent)
	}
}

func granted(t *rapid.T, who string, set labels.ClearanceSet, l *labels.Label) {
	if d := l.Policy().Decide(l, set.For(l.PolicyID())); !d.Granted {
		t.Fatalf("released %v, and the %s is not cleared: %s", l, who, d.Explain())
	}
}

// each wants a grant for every one of must under whose policy there is a clearance, and for one of the forms at least.
func each(t *rapid.T, who string, set labels.ClearanceSet, forms []*labels.Label, must ...*labels.Label) {
	some := false
	for _, l := range must {
		if set.For(l.PolicyID()) != nil {
			granted(t, who, set, l)
			some = true
		}
	}
	for _, l := range forms {
		some = some || l.Policy().Decide(l, set.For(l.PolicyID())).Granted
	}
	if !some {
		t.Fatalf("released %v, and the %s is cleared for none of it: %s", forms, who, set)
	}
}

// labelsIn reads every label that leaves: the label and its equivalents.
func labelsIn(t *rapid.T, reg *labels.Registry, e *xmlstream.Element) []*labels.Label {
	sl := e.Child("urn:xmpp:sec-label:0", "securitylabel")
	if sl == nil {
		return nil
	}
	found := xep0258.NewReader(reg).Read(e)
	if found.State != xep0258.Labelled {
		t.Fatalf("released with a label that cannot be read: %s", found.Detail)
	}
	out := []*labels.Label{found.Label}
	for c := range sl.Children() {
		if !c.Is("urn:xmpp:sec-label:0", "equivalentlabel") {
			continue
		}
		name := c.Name()
		name.Local = "label"
		again := xmlstream.NewElement(sl.Name(), nil, xmlstream.ElementNode(xmlstream.NewElement(name, nil, c.NodeAt(0))))
		other := xep0258.NewReader(reg).ReadLabel(again)
		if other.State != xep0258.Labelled {
			t.Fatalf("released with an equivalent that cannot be read: %s", other.Detail)
		}
		out = append(out, other.Label)
	}
	return out
}
