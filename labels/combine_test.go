package labels_test

import (
	"errors"
	"testing"

	"sallyport/labels"
)

func cleared(t *testing.T, p *labels.Policy, classes []uint32, vs ...labels.Value) *labels.Clearance {
	t.Helper()
	c, err := p.Clearance(labels.ClearanceForm{Policy: p.ID(), Classes: classes, Values: vs})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestClearanceSet(t *testing.T) {
	h, a := compile(t, home()), compile(t, away())
	atHome, abroad := cleared(t, h, []uint32{1, 2}, red), cleared(t, a, []uint32{11})
	for _, tt := range []struct {
		name string
		in   []*labels.Clearance
		want string
		err  error
	}{
		{name: "none", want: "no clearance"},
		{name: "one", in: []*labels.Clearance{atHome}, want: "HOME {LOW|HIGH} RED"},
		{name: "one under each policy", in: []*labels.Clearance{abroad, atHome}, want: "HOME {LOW|HIGH} RED; AWAY {ONE}"},
		{name: "nil is none", in: []*labels.Clearance{nil, atHome, {}}, want: "HOME {LOW|HIGH} RED"},
		{name: "two under one policy", in: []*labels.Clearance{atHome, abroad, cleared(t, h, []uint32{3})}, want: "no clearance", err: labels.ErrUnion},
		{name: "the same twice", in: []*labels.Clearance{atHome, atHome}, want: "no clearance", err: labels.ErrUnion},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := labels.NewClearanceSet(tt.in...)
			if got.String() != tt.want || !errors.Is(err, tt.err) || (err == nil) != (tt.err == nil) {
				t.Errorf("%q, %v, want %q, %v", got, err, tt.want, tt.err)
			}
			n := 0
			for c := range got.All() {
				n++
				if got.For(c.PolicyID()) != c {
					t.Errorf("%s is not found", c)
				}
			}
			if n != got.Len() || got.IsEmpty() != (n == 0) || got.For("2.999.99") != nil {
				t.Errorf("%d clearances, Len %d", n, got.Len())
			}
		})
	}
	many := make([]*labels.Clearance, labels.MaxClearances+1)
	for i := range many {
		many[i] = labels.NewClearance(labels.ClearanceForm{Policy: "2.999." + string(rune('1'+i%9)) + "." + string(rune('1'+i/9))})
	}
	if _, err := labels.NewClearanceSet(many...); err == nil {
		t.Error("no bound on the clearances of one subject")
	}
	var zero labels.ClearanceSet
	l, _ := h.Label(form(homeID, 1))
	if h.Decide(l, zero.For(homeID)).Granted || !zero.IsEmpty() || !zero.Intersect(zero).IsEmpty() {
		t.Error("the zero set grants something")
	}
}

func TestIntersect(t *testing.T) {
	h := compile(t, home())
	later := home()
	later.TagSets[0], later.TagSets[2] = later.TagSets[2], later.TagSets[0]
	reloaded := compile(t, later)
	base := cleared(t, h, []uint32{1, 2, 9}, red, aaa, staff)
	raw := labels.NewClearance(labels.ClearanceForm{Policy: homeID, Classes: []uint32{2, 9}, Values: []labels.Value{aaa, staff}})
	for _, tt := range []struct {
		name string
		a, b *labels.Clearance
		want labels.ClearanceForm
		err  error
	}{
		{name: "with itself", a: base, b: base, want: base.Form()},
		{name: "classes and values in both", a: base, b: cleared(t, h, []uint32{2, 3}, red, bbb), want: labels.ClearanceForm{Policy: homeID, Classes: []uint32{2}, Values: []labels.Value{red}}},
		{name: "nothing in common", a: base, b: cleared(t, h, []uint32{3}, bbb), want: labels.ClearanceForm{Policy: homeID}},
		{name: "another load of the policy", a: base, b: cleared(t, reloaded, []uint32{1}, aaa, red), want: labels.ClearanceForm{Policy: homeID, Classes: []uint32{1}, Values: []labels.Value{red, aaa}}},
		{name: "one not resolved", a: base, b: raw, want: labels.ClearanceForm{Policy: homeID, Classes: []uint32{2, 9}, Values: []labels.Value{aaa, staff}}},
		{name: "the other not resolved", a: raw, b: base, want: labels.ClearanceForm{Policy: homeID, Classes: []uint32{2, 9}, Values: []labels.Value{aaa, staff}}},
		{name: "neither resolved", a: raw, b: raw, want: raw.Form()},
		{name: "other policy", a: base, b: cleared(t, compile(t, away()), []uint32{11}), err: labels.ErrOtherPolicy},
		{name: "nil", a: base, err: labels.ErrOtherPolicy},
		{name: "nil with nil", err: labels.ErrOtherPolicy},
		{name: "the zero clearance", a: &labels.Clearance{}, b: &labels.Clearance{}, err: labels.ErrOtherPolicy},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.a.Intersect(tt.b)
			if !errors.Is(err, tt.err) || (got == nil) != (tt.err != nil) {
				t.Fatalf("%v, %v, want %v", got, err, tt.err)
			}
			if got != nil && !got.Equal(labels.NewClearance(tt.want)) {
				t.Errorf("got %+v, want %+v", got.Form(), tt.want)
			}
		})
	}
	unknown := labels.NewClearance(labels.ClearanceForm{Policy: homeID, Classes: []uint32{1}, Values: []labels.Value{stop}})
	if c, err := base.Intersect(unknown); c != nil || err == nil {
		t.Errorf("a value that the policy does not have: %v, %v", c, err)
	}
}

func TestIntersectSets(t *testing.T) {
	h, a := compile(t, home()), compile(t, away())
	set := func(cs ...*labels.Clearance) labels.ClearanceSet {
		s, err := labels.NewClearanceSet(cs...)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	upper := set(cleared(t, h, []uint32{1, 2}, red), cleared(t, a, []uint32{11, 12}))
	for _, tt := range []struct {
		name  string
		lower labels.ClearanceSet
		want  string
	}{
		{"both policies", set(cleared(t, h, []uint32{1, 3}, red, blue), cleared(t, a, []uint32{12})), "HOME {LOW} RED; AWAY {TWO}"},
		{"a policy not named above has no clearance", set(cleared(t, h, []uint32{1}), labels.NewClearance(labels.ClearanceForm{Policy: "2.999.30", Classes: []uint32{1}})), "HOME {LOW}"},
		{"nothing", labels.ClearanceSet{}, "no clearance"},
		{"what cannot be read is none", set(labels.NewClearance(labels.ClearanceForm{Policy: homeID, Classes: []uint32{1}, Values: []labels.Value{stop}})), "no clearance"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := upper.Intersect(tt.lower); got.String() != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if !upper.Intersect(tt.lower).Equal(tt.lower.Intersect(upper)) {
				t.Error("the order counts")
			}
		})
	}
}
