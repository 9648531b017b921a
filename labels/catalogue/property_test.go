package catalogue_test

import (
	"fmt"
	"slices"
	"testing"

	"sallyport/labels"
	"sallyport/labels/catalogue"
	"sallyport/labels/xep0258"

	"pgregory.net/rapid"
)

// drawn draws labels and clearances of the two policies.
type drawn struct {
	world
	values  map[string][]labels.Value
	classes map[string][]uint32
	valid   map[string][]*labels.Label
}

func newDrawn(t *testing.T) drawn {
	d := drawn{world: newWorld(t), values: map[string][]labels.Value{}, classes: map[string][]uint32{}, valid: map[string][]*labels.Label{}}
	for _, p := range d.reg.Policies() {
		c, err := catalogue.FromPolicy(p, catalogue.Generate{At: now})
		if err != nil {
			t.Fatal(err)
		}
		d.valid[p.ID()] = c.Labels()
		for _, c := range p.Classes() {
			d.classes[p.ID()] = append(d.classes[p.ID()], c.LACV)
		}
		for _, tag := range p.Tags() {
			for _, c := range tag.Categories {
				d.values[p.ID()] = append(d.values[p.ID()], c.Value)
			}
		}
	}
	return d
}

// label draws one that is valid, mostly, or any.
func (d drawn) label(t *rapid.T, policy string) *labels.Label {
	if rapid.IntRange(0, 4).Draw(t, "valid") < 4 {
		return rapid.SampledFrom(d.valid[policy]).Draw(t, "label")
	}
	l, err := d.reg.Label(labels.LabelForm{
		Policy: policy, Class: rapid.SampledFrom(d.classes[policy]).Draw(t, "class"),
		Values: rapid.SliceOfN(rapid.SampledFrom(d.values[policy]), 0, 3).Draw(t, "values"),
	})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func (d drawn) catalogue(t *rapid.T) *catalogue.Catalogue {
	c := &catalogue.Catalogue{Name: rapid.StringMatching(`[a-zé ]{0,8}`).Draw(t, "name"), Restrict: rapid.Bool().Draw(t, "restrict")}
	preset := rapid.IntRange(-1, 12).Draw(t, "default")
	for n := range rapid.IntRange(0, 12).Draw(t, "items") {
		i := catalogue.Item{Selector: fmt.Sprintf("%s|%d", rapid.StringMatching(`[a-z]<?[&'"]`).Draw(t, "menu"), n), Default: n == preset}
		switch rapid.IntRange(0, 4).Draw(t, "sort") {
		case 4:
		case 1:
			i.Label = d.label(t, partnerID)
		case 2:
			i.Label, i.Equivalents = d.label(t, guardID), []*labels.Label{d.label(t, partnerID)}
		default:
			i.Label = d.label(t, guardID)
		}
		c.Items = append(c.Items, i)
	}
	return c
}

// subject draws somebody who has most of what there is, or little.
func (d drawn) subject(t *rapid.T) catalogue.Subject {
	s := catalogue.Subject{Standing: rapid.SampledFrom([]catalogue.Standing{catalogue.Judged, catalogue.Judged, catalogue.Judged, catalogue.Unknown, catalogue.NotConcerned}).Draw(t, "standing")}
	var cs []*labels.Clearance
	for _, p := range [...]string{guardID, partnerID} {
		f := labels.ClearanceForm{Policy: p}
		switch rapid.IntRange(0, 9).Draw(t, "has") {
		case 9:
			continue
		case 8:
			f.Classes = rapid.SliceOfN(rapid.SampledFrom(d.classes[p]), 1, 3).Draw(t, "classes")
			f.Values = rapid.SliceOfN(rapid.SampledFrom(d.values[p]), 0, 4).Draw(t, "values")
		default:
			lost := rapid.SliceOfN(rapid.SampledFrom(d.values[p]), 0, 3).Draw(t, "lost")
			f.Values = slices.DeleteFunc(slices.Clone(d.values[p]), func(v labels.Value) bool { return slices.Contains(lost, v) })
			low := rapid.IntRange(0, 1).Draw(t, "first class")
			f.Classes = d.classes[p][low:]
		}
		c, err := d.reg.Clearance(f)
		if err != nil {
			t.Fatal(err)
		}
		cs = append(cs, c)
	}
	var err error
	if s.Clearances, err = labels.NewClearanceSet(cs...); err != nil {
		t.Fatal(err)
	}
	return s
}

func (d drawn) filter(t *rapid.T) catalogue.Filter {
	f := catalogue.Filter{At: now, Sender: d.subject(t), Service: d.subject(t), Peer: d.subject(t), Link: d.subject(t), Recipient: d.subject(t)}
	if rapid.Bool().Draw(t, "translate") {
		f.Translate = d.out
	}
	if rapid.Bool().Draw(t, "default label") {
		f.Unlabelled = d.label(t, guardID)
	}
	return f
}

// For leaves a part of the items in their order, and the same filter again leaves all of them.
func TestFilteredIsSubsetAndIdempotent(t *testing.T) {
	d := newDrawn(t)
	rapid.Check(t, func(t *rapid.T) {
		c, f := d.catalogue(t), d.filter(t)
		once := c.For(f)
		at := 0
		for _, i := range once.Items {
			n := slices.IndexFunc(c.Items[at:], i.Equal)
			if n < 0 {
				t.Fatalf("%+v was not there, or not in that place", i)
			}
			at += n + 1
		}
		if twice := once.For(f); !twice.Equal(once) || twice.ID != once.ID || twice.Left != once.Left {
			t.Fatalf("filtered again: %+v, before %+v", twice, once)
		}
		if len(once.Items)+once.Left.Total() != len(c.Items) {
			t.Fatalf("%d of %d, left %s", len(once.Items), len(c.Items), once.Left)
		}
	})
}

// What is offered is valid and not obsolete, and everybody judged holds a clearance that covers it; nobody judged holds
// one, under the policy of a label that concerns him, that does not. Written without the filter's own words.
func TestFilteredIsGranted(t *testing.T) {
	d := newDrawn(t)
	offers := 0
	property := func(t *rapid.T) {
		c, f := d.catalogue(t), d.filter(t)
		for _, i := range c.For(f).Items {
			offers++
			l := i.Label
			if l == nil {
				l = f.Unlabelled
			}
			leaving := l
			if f.Translate != nil && l.PolicyID() == guardID {
				leaving = f.Translate.Translate(l, now).Label()
			}
			for _, x := range append([]*labels.Label{l, leaving}, i.Equivalents...) {
				if !x.Policy().Validate(x, now).Granted || len(x.Obsolete()) > 0 {
					t.Fatalf("%s is offered", x)
				}
			}
			judged := 0
			for _, s := range []struct {
				who      string
				s        catalogue.Subject
				one, all []*labels.Label
			}{
				{"sender", f.Sender, []*labels.Label{l}, []*labels.Label{l}},
				{"service", f.Service, []*labels.Label{l}, []*labels.Label{l}},
				{"peer", f.Peer, []*labels.Label{leaving}, []*labels.Label{l, leaving}},
				{"link", f.Link, []*labels.Label{l, leaving}, []*labels.Label{l, leaving}},
				{"recipient", f.Recipient, []*labels.Label{l, leaving}, []*labels.Label{l, leaving}},
			} {
				if s.s.Standing != catalogue.Judged {
					continue
				}
				judged++
				held := 0
				for clearance := range s.s.Clearances.All() {
					for _, x := range append(slices.Clone(s.all), i.Equivalents...) {
						if x.PolicyID() == clearance.PolicyID() && !clearance.Policy().Decide(x, clearance).Granted {
							t.Fatalf("%s is offered, and %s is not cleared for %s", i.Selector, s.who, x)
						}
					}
					for _, x := range s.one {
						if clearance.Policy().Decide(x, clearance).Granted {
							held++
						}
					}
				}
				if held == 0 {
					t.Fatalf("%s is offered, and %s has no clearance for it", i.Selector, s.who)
				}
			}
			if judged == 0 {
				t.Fatal("an offer that nobody was judged for")
			}
		}
	}
	for range rounds {
		if rapid.Check(t, property); offers >= 5 {
			break
		}
	}
	if offers < 5 {
		t.Errorf("%d offers are too few to say anything", offers)
	}
}

// rounds bounds how often a property is checked again because what was drawn proved too little.
const rounds = 50

// Taking something from a clearance, or making somebody judged, never adds an offer.
func TestLessClearanceNeverOffersMore(t *testing.T) {
	d := newDrawn(t)
	offers := 0
	property := func(t *rapid.T) {
		c, f := d.catalogue(t), d.filter(t)
		f.Sender.Standing = catalogue.Judged
		before := c.For(f)
		less := f
		who := rapid.SampledFrom([]*catalogue.Subject{&less.Sender, &less.Service, &less.Peer, &less.Link, &less.Recipient}).Draw(t, "who")
		who.Standing = catalogue.Judged
		who.Clearances = who.Clearances.Intersect(d.subject(t).Clearances)
		for _, i := range c.For(less).Items {
			// A clearance that is gone altogether no longer speaks against a label that another one covers.
			if who.Clearances.Len() < 2 {
				continue
			}
			if offers++; !slices.ContainsFunc(before.Items, i.Equal) {
				t.Fatalf("%s is offered with less", i.Selector)
			}
		}
	}
	for range rounds {
		if rapid.Check(t, property); offers >= 3 {
			break
		}
	}
	if offers < 3 {
		t.Errorf("%d offers are too few to say anything", offers)
	}
}

// What is written is read as what it was, in every syntax that can say it.
func TestWrittenIsRead(t *testing.T) {
	d := newDrawn(t)
	rapid.Check(t, func(t *rapid.T) {
		c := d.catalogue(t)
		w := writing
		w.Syntax = rapid.SampledFrom([]xep0258.Syntax{xep0258.ESS, xep0258.STANAG4774}).Draw(t, "syntax")
		e, err := c.Element(w)
		if err != nil {
			t.Fatal(err)
		}
		back, err := catalogue.Parse(octets(t, e), d.reg)
		if err != nil {
			t.Fatal(err)
		}
		if !back.Equal(c) || back.ID != c.Digest() {
			t.Fatalf("read %+v, written %+v", back, c)
		}
	})
}
