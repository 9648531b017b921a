package labels_test

import (
	"fmt"
	"slices"
	"testing"

	"sallyport/labels"

	"pgregory.net/rapid"
)

var kinds = []labels.Kind{
	labels.Restrictive, labels.EnumRestrictive, labels.Permissive, labels.EnumPermissive, labels.InformativeBits,
	labels.InformativeEnum,
}

// world is a random policy with a label and a clearance under it.
type world struct {
	policy    *labels.Policy
	values    []labels.Value
	label     labels.LabelForm
	clearance labels.ClearanceForm
}

func drawWorld(t *rapid.T) world {
	spec := labels.PolicySpec{Name: "P", ID: "2.999.1"}
	var w world
	classes := rapid.IntRange(1, 5).Draw(t, "classes")
	for i := range classes {
		spec.Classes = append(spec.Classes, labels.ClassSpec{Name: fmt.Sprintf("C%d", i), LACV: uint32(i * 3), Hierarchy: i})
	}
	for s := range rapid.IntRange(1, 4).Draw(t, "tag sets") {
		set := labels.TagSetSpec{Name: fmt.Sprintf("S%d", s), ID: fmt.Sprintf("2.999.1.%d", s)}
		next := map[labels.Kind]uint32{}
		for range rapid.IntRange(1, 4).Draw(t, "tags") {
			tag := labels.TagSpec{Name: "same", Kind: rapid.SampledFrom(kinds).Draw(t, "kind")}
			for range rapid.IntRange(0, 40).Draw(t, "categories") {
				n := next[tag.Kind]
				next[tag.Kind] = n + 1
				tag.Categories = append(tag.Categories, labels.CategorySpec{Name: fmt.Sprintf("V%d", n), LACV: n})
				w.values = append(w.values, labels.Value{TagSet: set.ID, Kind: tag.Kind, LACV: n})
			}
			set.Tags = append(set.Tags, tag)
		}
		spec.TagSets = append(spec.TagSets, set)
	}
	var problems []labels.Problem
	if w.policy, problems = labels.Compile(spec); w.policy == nil {
		t.Fatalf("%v", problems)
	}
	w.label = labels.LabelForm{Policy: "2.999.1", Class: uint32(rapid.IntRange(0, classes-1).Draw(t, "class") * 3)}
	w.label.Values = w.subset(t, "label", 0.1)
	w.clearance = labels.ClearanceForm{Policy: "2.999.1", Values: w.subset(t, "clearance", 0.9)}
	for i := range classes {
		if rapid.IntRange(0, 3).Draw(t, "held") > 0 {
			w.clearance.Classes = append(w.clearance.Classes, uint32(i*3))
		}
	}
	return w
}

func (w *world) subset(t *rapid.T, what string, share float64) []labels.Value {
	var out []labels.Value
	for _, v := range w.values {
		if rapid.Float64Range(0, 1).Draw(t, what) < share {
			out = append(out, v)
		}
	}
	return out
}

func (w *world) granted(t *rapid.T, lf labels.LabelForm, cf labels.ClearanceForm) bool {
	l, err := w.policy.Label(lf)
	if err != nil {
		t.Fatal(err)
	}
	c, err := w.policy.Clearance(cf)
	if err != nil {
		t.Fatal(err)
	}
	d := w.policy.Decide(l, c)
	if d.Granted != (d.Reason == labels.Satisfied) {
		t.Fatalf("granted %v for %v", d.Granted, d.Reason)
	}
	return d.Granted
}

// model is the decision on sets, without bits; tags says which tag a value belongs to.
func (w *world) model(tags map[labels.Value]int, lf labels.LabelForm, cf labels.ClearanceForm) bool {
	if !slices.Contains(cf.Classes, lf.Class) {
		return false
	}
	need, met := map[int]bool{}, map[int]bool{}
	for _, v := range lf.Values {
		held := slices.Contains(cf.Values, v)
		switch v.Kind.Type() {
		case labels.TypeRestrictive:
			if !held {
				return false
			}
		case labels.TypePermissive:
			need[tags[v]] = true
			met[tags[v]] = met[tags[v]] || held
		case labels.TypeInformative, labels.NoType:
		}
	}
	for tag := range need {
		if !met[tag] {
			return false
		}
	}
	return true
}

func TestDecisionEqualsModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		tags := map[labels.Value]int{}
		c, err := w.policy.Clearance(labels.ClearanceForm{Policy: "2.999.1", Values: w.values})
		if err != nil {
			t.Fatal(err)
		}
		for cat := range c.Categories() {
			tags[cat.Value] = cat.Tag
		}
		if got, want := w.granted(t, w.label, w.clearance), w.model(tags, w.label, w.clearance); got != want {
			t.Fatalf("got %v, want %v for %+v and %+v", got, want, w.label, w.clearance)
		}
	})
}

// Adding a restrictive category to a label never widens access.
func TestRestrictiveNeverWidens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		before := w.granted(t, w.label, w.clearance)
		for _, v := range w.values {
			if v.Kind.Type() != labels.TypeRestrictive {
				continue
			}
			more := w.label
			more.Values = append(slices.Clone(w.label.Values), v)
			if w.granted(t, more, w.clearance) && !before {
				t.Fatalf("adding %+v to %+v opened it to %+v", v, w.label, w.clearance)
			}
		}
	})
}

// Removing anything from a clearance never widens access.
func TestLessClearanceNeverWidens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		if w.granted(t, w.label, w.clearance) {
			return
		}
		for i := range w.clearance.Values {
			less := w.clearance
			less.Values = slices.Delete(slices.Clone(w.clearance.Values), i, i+1)
			if w.granted(t, w.label, less) {
				t.Fatalf("removing value %d of %+v opened %+v", i, w.clearance, w.label)
			}
		}
		for i := range w.clearance.Classes {
			less := w.clearance
			less.Classes = slices.Delete(slices.Clone(w.clearance.Classes), i, i+1)
			if w.granted(t, w.label, less) {
				t.Fatalf("removing class %d of %+v opened %+v", i, w.clearance, w.label)
			}
		}
	})
}

// Naming a value twice, or in another order, changes nothing.
func TestOrderAndRepetition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		other := w.label
		other.Values = rapid.Permutation(append(slices.Clone(w.label.Values), w.label.Values...)).Draw(t, "order")
		a, _ := w.policy.Label(w.label)
		b, _ := w.policy.Label(other)
		if !a.Equal(b) || w.granted(t, w.label, w.clearance) != w.granted(t, other, w.clearance) {
			t.Fatalf("%+v and %+v differ", w.label, other)
		}
	})
}
