package ess_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"sallyport/labels"
	"sallyport/labels/ess"

	"github.com/google/go-cmp/cmp"
)

// Octets of other writers in SDN.801c and SSLPrivileges come out of ours as they went in, but for the tags within a tag
// set: that is a SEQUENCE OF, whose order is the writer's, and ours is by number. The octets are the same ones then.
func TestSDN801cVectors(t *testing.T) {
	n := 0
	for _, v := range vectors(t) {
		if !strings.Contains(v.meaning, "MISSI PRBAC") && !strings.Contains(v.meaning, "SSLPrivileges") {
			continue
		}
		n++
		t.Run(v.file, func(t *testing.T) {
			var got []byte
			if v.kind == "label" {
				f, err := ess.ParseLabel(octets(t, v))
				if err != nil {
					t.Fatal(err)
				}
				got, err = ess.AppendLabelAs(nil, f, ess.SDN801c)
				if err != nil {
					t.Fatal(err)
				}
			} else {
				f, err := ess.ParseClearance(octets(t, v))
				if err != nil {
					t.Fatal(err)
				}
				got, err = ess.AppendClearanceAs(nil, f, ess.SDN801c)
				if err != nil {
					t.Fatal(err)
				}
			}
			want := octets(t, v)
			if strings.Contains(v.file, "milk-chocolate") || strings.Contains(v.file, "all-okay") {
				slices.Sort(got)
				slices.Sort(want)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("got  %x\nwant %x", got, want)
			}
		})
	}
	if n < 4 {
		t.Errorf("%d vectors", n)
	}
}

// What is written in SDN.801c is read back as the same label, under a policy that has the kinds of the numbers. ACP-145
// vectors of every policy are the material; a tag set with both kinds of numbers is the one thing that cannot go.
func TestSDN801cRoundTrip(t *testing.T) {
	reg := registry(t)
	for _, v := range vectors(t) {
		if _, no := refused[v.file]; no || v.policy == "-" {
			continue
		}
		t.Run(v.file, func(t *testing.T) {
			if v.kind == "label" {
				f, err := ess.ParseLabel(octets(t, v))
				if err != nil {
					t.Fatal(err)
				}
				want, err := reg.Label(f)
				if err != nil {
					t.Fatal(err)
				}
				b, err := ess.AppendLabelAs(nil, want.Form(), ess.SDN801c)
				if err != nil {
					t.Fatal(err)
				}
				again, err := ess.ParseLabelDER(b)
				if err != nil {
					t.Fatal(err)
				}
				if got, err := reg.Label(again); err != nil || !got.Equal(want) {
					t.Errorf("got %v, %v, want %v", got, err, want)
				}
				return
			}
			f, err := ess.ParseClearance(octets(t, v))
			if err != nil {
				t.Fatal(err)
			}
			want, err := reg.Clearance(f)
			if err != nil {
				t.Fatal(err)
			}
			b, err := ess.AppendClearanceAs(nil, want.Form(), ess.SDN801c)
			if informative(want.Form().Values) {
				if err == nil {
					t.Error("informative values were written as SSLPrivileges")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			again, err := ess.ParseClearance(b)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := reg.Clearance(again); err != nil || !got.Equal(want) {
				t.Errorf("got %v, %v, want %v", got, err, want)
			}
		})
	}
}

func informative(values []labels.Value) bool {
	return slices.ContainsFunc(values, func(v labels.Value) bool { return v.Kind.Type() == labels.TypeInformative })
}

func TestAppendRefusals(t *testing.T) {
	both := []labels.Value{value(".3", labels.EnumRestrictive, 1), value(".3", labels.EnumPermissive, 2)}
	many := make([]labels.Value, 65)
	for i := range many {
		many[i] = labels.Value{TagSet: "2.999." + strings.Repeat("1", 1+i%9) + string(rune('0'+i/9)), Kind: labels.Restrictive, LACV: 1}
	}
	tests := []struct {
		name   string
		form   labels.LabelForm
		syntax ess.CategorySyntax
	}{
		{"no syntax", labels.LabelForm{Policy: guardID, Class: 1, Values: both[:1]}, ess.NoCategorySyntax},
		{"unknown syntax", labels.LabelForm{Policy: guardID, Class: 1, Values: both[:1]}, 9},
		{"both kinds of numbers in SDN.801c", labels.LabelForm{Policy: guardID, Class: 1, Values: both}, ess.SDN801c},
		{"numbers of no kind in ACP-145", labels.LabelForm{Policy: guardID, Class: 1, Values: []labels.Value{value(".3", labels.Enumerated, 1)}}, ess.ACP145},
		{"value of no kind", labels.LabelForm{Policy: guardID, Class: 1, Values: []labels.Value{value(".3", labels.NoKind, 1)}}, ess.ACP145},
		{"value of no kind in SDN.801c", labels.LabelForm{Policy: guardID, Class: 1, Values: []labels.Value{value(".3", labels.NoKind, 1)}}, ess.SDN801c},
		{"tag set that is no identifier", labels.LabelForm{Policy: guardID, Class: 1, Values: []labels.Value{{TagSet: "x", Kind: labels.Restrictive}}}, ess.ACP145},
		{"tag set that is no identifier in SDN.801c", labels.LabelForm{Policy: guardID, Class: 1, Values: []labels.Value{{TagSet: "x", Kind: labels.Restrictive}}}, ess.SDN801c},
		{"65 categories", labels.LabelForm{Policy: guardID, Class: 1, Values: many}, ess.ACP145},
		{"bit that no reader takes", labels.LabelForm{Policy: guardID, Class: 1, Values: []labels.Value{value(".1", labels.Restrictive, 1<<30)}}, ess.ACP145},
		{"number that no reader takes", labels.LabelForm{Policy: guardID, Class: 1, Values: []labels.Value{value(".3", labels.EnumPermissive, 1<<31)}}, ess.ACP145},
		{"bits of more than 8 KiB", labels.LabelForm{Policy: guardID, Class: 1, Values: []labels.Value{value(".1", labels.Restrictive, labels.MaxBit)}}, ess.ACP145},
		{"classification 257", labels.LabelForm{Policy: guardID, Class: 257}, ess.ACP145},
		{"no policy", labels.LabelForm{Class: 1}, ess.ACP145},
		{"privacy mark of two lines", labels.LabelForm{Policy: guardID, Class: 1, PrivacyMark: "a\nb"}, ess.ACP145},
		{"privacy mark of 257 octets", labels.LabelForm{Policy: guardID, Class: 1, PrivacyMark: strings.Repeat("x", 257)}, ess.ACP145},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, err := ess.AppendLabelAs([]byte("before"), tt.form, tt.syntax)
			if err == nil || string(b) != "before" {
				t.Errorf("% x, %v", b, err)
			}
		})
	}
	if _, err := ess.AppendLabelAs(nil, labels.LabelForm{Policy: guardID, Class: 1, Values: many}, ess.SDN801c); err != nil {
		t.Errorf("65 tag sets in one category of SDN.801c: %v", err)
	}
	if b, err := ess.AppendClearance(nil, labels.ClearanceForm{Policy: guardID, Classes: []uint32{1 << 31}}); err == nil {
		t.Errorf("class bit 2^31: % x", b)
	}
}

// A class list that names a classification twice names it once.
func TestAppendClearanceFolds(t *testing.T) {
	got, err := ess.AppendClearance(nil, labels.ClearanceForm{Policy: guardID, Classes: []uint32{5, 1, 5}})
	if err != nil {
		t.Fatal(err)
	}
	f, err := ess.ParseClearance(got)
	if diff := cmp.Diff([]uint32{1, 5}, f.Classes); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
}
