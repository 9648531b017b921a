package labels_test

import (
	"fmt"
	"slices"
	"testing"

	"sallyport/labels"

	"pgregory.net/rapid"
)

// mirror draws two policies whose values correspond one to one, except those in lost, which have no equivalent. The
// second has its tag sets, tags and numbers in another order.
type mirror struct {
	here, there *labels.Policy
	values      []labels.Value
	lost        map[labels.Value]bool
	classes     int
}

func drawMirror(t *rapid.T, losses bool) mirror {
	m := mirror{lost: map[labels.Value]bool{}}
	a := labels.PolicySpec{Name: "A", ID: "2.999.1", Equivalents: []labels.EquivalentPolicySpec{{Name: "over there", ID: "2.999.2"}}}
	b := labels.PolicySpec{Name: "B", ID: "2.999.2"}
	m.classes = rapid.IntRange(1, 5).Draw(t, "classes")
	for i := range m.classes {
		n := uint32(100 - i*7)
		a.Classes = append(a.Classes, labels.ClassSpec{
			Name: fmt.Sprintf("A%d", i), LACV: uint32(i), Hierarchy: i,
			Equivalents: []labels.EquivalentClassSpec{{Policy: "over there", LACV: n, Applied: labels.AppliedBoth}},
		})
		b.Classes = append(b.Classes, labels.ClassSpec{Name: fmt.Sprintf("B%d", i), LACV: n, Hierarchy: i})
	}
	for s := range rapid.IntRange(1, 4).Draw(t, "tag sets") {
		setA := labels.TagSetSpec{Name: fmt.Sprintf("S%d", s), ID: fmt.Sprintf("2.999.1.%d", s)}
		setB := labels.TagSetSpec{Name: fmt.Sprintf("T%d", s), ID: fmt.Sprintf("2.999.2.%d", 9-s)}
		for i, kind := range rapid.Permutation(kinds).Draw(t, "kinds")[:rapid.IntRange(1, 3).Draw(t, "tags")] {
			tagA, tagB := labels.TagSpec{Kind: kind}, labels.TagSpec{Kind: kind}
			for n := range uint32(rapid.IntRange(1, 30).Draw(t, "categories")) {
				v := labels.Value{TagSet: setA.ID, Kind: kind, LACV: n}
				c := labels.CategorySpec{Name: fmt.Sprintf("V%d.%d", i, n), LACV: n}
				if losses && rapid.IntRange(0, 5).Draw(t, "lost") == 0 {
					m.lost[v] = true
				} else {
					c.Equivalents = []labels.EquivalentCategorySpec{{Policy: "over there", TagSet: setB.ID, Kind: kind, LACV: 40 - n, Applied: labels.AppliedBoth}}
				}
				tagA.Categories = append(tagA.Categories, c)
				tagB.Categories = append(tagB.Categories, labels.CategorySpec{Name: fmt.Sprintf("W%d.%d", i, n), LACV: 40 - n})
				m.values = append(m.values, v)
			}
			setA.Tags, setB.Tags = append(setA.Tags, tagA), append([]labels.TagSpec{tagB}, setB.Tags...)
		}
		a.TagSets, b.TagSets = append(a.TagSets, setA), append([]labels.TagSetSpec{setB}, b.TagSets...)
	}
	m.here, m.there = mustCompile(t, a), mustCompile(t, b)
	return m
}

func mustCompile(t *rapid.T, s labels.PolicySpec) *labels.Policy {
	p, problems := labels.Compile(s)
	if p == nil {
		t.Fatalf("%v", problems)
	}
	return p
}

// pick draws about a share of the values.
func pick(t *rapid.T, vs []labels.Value, share float64) []labels.Value {
	var out []labels.Value
	for _, v := range vs {
		if rapid.Float64Range(0, 1).Draw(t, "value") < share {
			out = append(out, v)
		}
	}
	return out
}

func mustTranslator(t *rapid.T, from, to *labels.Policy, r labels.Reading) *labels.Translator {
	tr, problems := labels.NewTranslator(from, to, r, labels.TranslatorOptions{})
	if tr == nil || len(problems) > 0 {
		t.Fatalf("%v", problems)
	}
	return tr
}

// Where equivalences are one to one, there and back is the same label, and each reading of them agrees.
func TestTranslationRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawMirror(t, false)
		out := mustTranslator(t, m.here, m.there, labels.Outbound)
		foreign := mustTranslator(t, m.here, m.there, labels.ForeignSPIF)
		back := mustTranslator(t, m.there, m.here, labels.LocalSPIF)
		l, err := m.here.Label(labels.LabelForm{Policy: "2.999.1", Class: uint32(rapid.IntRange(0, m.classes-1).Draw(t, "class")), Values: pick(t, m.values, 0.3)})
		if err != nil {
			t.Fatal(err)
		}
		there := out.Translate(l, today)
		if there.Status != labels.Translated || len(there.Result.Form().Values) != len(l.Form().Values) {
			t.Fatalf("%s: %s", there.Status, there.Reason)
		}
		if again := foreign.Translate(l, today); !again.Label().Equal(there.Label()) {
			t.Fatalf("outbound gives %v, the other direction %v", there.Label(), again.Label())
		}
		if home := back.Translate(there.Label(), today); !home.Label().Equal(l) {
			t.Fatalf("%+v came back as %+v: %s", l.Form(), home.Label().Form(), home.Reason)
		}
	})
}

// What a label says is never lost: a translation exists only when every value has an equivalent.
func TestTranslationLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawMirror(t, true)
		values := pick(t, m.values, 0.1)
		l, err := m.here.Label(labels.LabelForm{Policy: "2.999.1", Values: values})
		if err != nil {
			t.Fatal(err)
		}
		lost := slices.ContainsFunc(values, func(v labels.Value) bool { return m.lost[v] })
		got := mustTranslator(t, m.here, m.there, labels.Outbound).Translate(l, today)
		if want := map[bool]labels.TranslationStatus{true: labels.NoMapping, false: labels.Translated}[lost]; got.Status != want {
			t.Fatalf("%s (%s), want %s for %+v", got.Status, got.Reason, want, values)
		}
	})
}

// Access is the same on both sides of a translation that is one to one: who is cleared for the label there is the
// mirror of who is cleared for it here.
func TestTranslationKeepsAccess(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawMirror(t, false)
		l, err := m.here.Label(labels.LabelForm{Policy: "2.999.1", Values: pick(t, m.values, 0.1)})
		if err != nil {
			t.Fatal(err)
		}
		held := pick(t, m.values, 0.9)
		c, err := m.here.Clearance(labels.ClearanceForm{Policy: "2.999.1", Classes: []uint32{0}, Values: held})
		if err != nil {
			t.Fatal(err)
		}
		mirrored := labels.ClearanceForm{Policy: "2.999.2", Classes: []uint32{100}}
		for _, v := range held {
			v.LACV = 40 - v.LACV
			v.TagSet = "2.999.2." + string('9'-(v.TagSet[len(v.TagSet)-1]-'0'))
			mirrored.Values = append(mirrored.Values, v)
		}
		d, err := m.there.Clearance(mirrored)
		if err != nil {
			t.Fatal(err)
		}
		there := mustTranslator(t, m.here, m.there, labels.Outbound).Translate(l, today).Label()
		if a, b := m.here.Decide(l, c), m.there.Decide(there, d); a.Granted != b.Granted {
			t.Fatalf("here %v (%s), there %v (%s)", a.Granted, a.Explain(), b.Granted, b.Explain())
		}
	})
}

// downward draws a clearance that lists every classification up to one.
func (w *world) downward(t *rapid.T) *labels.Clearance {
	f := labels.ClearanceForm{Policy: "2.999.1", Values: w.subset(t, "cleared", rapid.Float64Range(0, 1).Draw(t, "share"))}
	for i := range rapid.IntRange(0, 5).Draw(t, "up to") {
		f.Classes = append(f.Classes, uint32(i*3)) // one that the policy lacks has no effect
	}
	c, err := w.policy.Clearance(f)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (w *world) draw(t *rapid.T, share float64) *labels.Label {
	n := 0
	for {
		if _, ok := w.policy.ClassName(uint32(n * 3)); !ok {
			break
		}
		n++
	}
	l, err := w.policy.Label(labels.LabelForm{Policy: "2.999.1", Class: uint32(rapid.IntRange(0, n-1).Draw(t, "class") * 3), Values: w.subset(t, "label", share)})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// Whoever may read the outer label may read the inner one, if the clearance lists the lower classifications too.
func TestDominanceImpliesAccess(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		share := rapid.SampledFrom([]float64{0.02, 0.1, 0.5}).Draw(t, "values")
		inner := w.draw(t, share)
		outer := w.draw(t, share)
		if rapid.Bool().Draw(t, "more restricted") { // else two random labels seldom dominate each other
			f := inner.Form()
			f.Values = slices.DeleteFunc(f.Values, func(v labels.Value) bool {
				return v.Kind.Type() == labels.TypePermissive && rapid.IntRange(0, 3).Draw(t, "narrowed") == 0
			})
			for _, v := range outer.Form().Values {
				if v.Kind.Type() != labels.TypePermissive {
					f.Values = append(f.Values, v)
				}
			}
			outer, _ = w.policy.Label(f)
		}
		if !inner.Dominates(inner) || !outer.Dominates(outer) {
			t.Fatal("a label does not dominate itself")
		}
		if !outer.Dominates(inner) {
			return
		}
		for range 20 {
			if c := w.downward(t); w.policy.Decide(outer, c).Granted && !w.policy.Decide(inner, c).Granted {
				t.Fatalf("%+v dominates %+v, but %+v reads the first alone", outer.Form(), inner.Form(), c.Form())
			}
		}
	})
}

// The dominant label dominates every part, except where the standard leaves out a permissive tag that a part has.
func TestDominantDominates(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		share := rapid.SampledFrom([]float64{0.05, 0.5, 0.95}).Draw(t, "values")
		parts := []*labels.Label{w.draw(t, share), w.draw(t, share), w.draw(t, share)}[:rapid.IntRange(1, 3).Draw(t, "parts")]
		whole, err := labels.Dominant(today, parts...)
		if err != nil {
			return // a policy decision; what it takes is in the table
		}
		kept := permissiveTags(whole)
		for _, part := range parts {
			left := false
			for tag := range permissiveTags(part) {
				left = left || !kept[tag]
			}
			if got := whole.Dominates(part); got == left {
				t.Fatalf("%+v dominates %+v: %v; a permissive tag was left out: %v", whole.Form(), part.Form(), got, left)
			}
		}
		if again, err := labels.Dominant(today, slices.Concat(parts, []*labels.Label{parts[0]})...); err != nil || !again.Equal(whole) {
			t.Fatalf("a part named twice changes the whole: %v, %v", again, err)
		}
	})
}

func permissiveTags(l *labels.Label) map[int]bool {
	out := map[int]bool{}
	for c := range l.Categories() {
		if c.Kind.Type() == labels.TypePermissive {
			out[c.Tag] = true
		}
	}
	return out
}

// An intersection grants what both clearances grant and nothing else that one of them does not.
func TestIntersectNeverWidens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		a, b := w.downward(t), w.downward(t)
		both, err := a.Intersect(b)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := labels.NewClearance(a.Form()).Intersect(labels.NewClearance(b.Form()))
		if err != nil || !raw.Equal(both) {
			t.Fatalf("not resolved: %+v, resolved: %+v (%v)", raw.Form(), both.Form(), err)
		}
		if other, err := b.Intersect(a); err != nil || !other.Equal(both) {
			t.Fatalf("the order counts: %+v, %+v", both.Form(), other.Form())
		}
		if same, err := both.Intersect(a); err != nil || !same.Equal(both) {
			t.Fatalf("twice is not once: %+v, %+v", both.Form(), same.Form())
		}
		for range 20 {
			l := w.draw(t, 0.05)
			if w.policy.Decide(l, both).Granted && !(w.policy.Decide(l, a).Granted && w.policy.Decide(l, b).Granted) {
				t.Fatalf("%+v is granted by %+v, not by %+v and %+v", l.Form(), both.Form(), a.Form(), b.Form())
			}
		}
	})
}
