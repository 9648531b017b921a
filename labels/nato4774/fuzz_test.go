package nato4774_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
	"sallyport/labels/nato4774"
)

// Every target holds a reader to the same: it does not panic, it keeps to the limits, and what it accepts is built,
// written, read again and means the same.

func seedFiles(f *testing.F, patterns ...string) {
	f.Helper()
	for _, pattern := range patterns {
		files, err := filepath.Glob(filepath.Join(data, pattern))
		if err != nil || len(files) == 0 {
			f.Fatal(pattern, err)
		}
		for _, file := range files {
			b, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(b)
		}
	}
}

// rewritten writes an element and reads it again.
func rewritten(t *testing.T, e *xmlstream.Element) *xmlstream.Element {
	t.Helper()
	wire, err := xmlstream.AppendElement(nil, e, "")
	if err != nil {
		t.Fatalf("cannot be written: %v", err)
	}
	again, err := xmlstream.ParseDocument(wire, xmlstream.Options{Limits: xmlstream.ServerLimits()})
	if err != nil {
		t.Fatalf("%s: %v", wire, err)
	}
	return again
}

func FuzzLabel(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte(successors(class("INTERNAL"), "2020-01-01T00:00:00Z", class("SECRET"), "2021-01-01T00:00:00Z", class("PUBLIC"))))
	seedFiles(f, "spiffing/*.nato", "acme/l-*.xml")
	reg := registry(f)
	options := []nato4774.Options{
		{}, {Lenient: true, At: time.Unix(1.7e9, 0)}, {Lenient: true, At: time.Unix(1.7e9, 0), Succession: true},
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := document(b)
		if err != nil {
			return
		}
		for _, o := range options {
			r, err := nato4774.Read(o, e, reg)
			if err != nil {
				if r.Form.Policy != "" || r.Successors != nil {
					t.Fatalf("%v with %+v", err, r)
				}
				continue
			}
			checkReading(t, reg, o, r)
		}
	})
}

func checkReading(t *testing.T, reg *labels.Registry, o nato4774.Options, r nato4774.Reading) {
	t.Helper()
	if len(r.Form.Values) > labels.MaxValues || len(r.Successors) > 5 || len(r.Originator.Name) > 256 || r.Succeeded && o.At.IsZero() {
		t.Fatalf("beyond the limits: %+v", r)
	}
	l, err := reg.Label(r.Form)
	if err != nil {
		return
	}
	first, err := reg.Label(r.Original)
	if err != nil || r.Succeeded && !o.Succession && !l.Dominates(first) {
		t.Fatalf("%v succeeded %v: the clock lowered a label (%v)", l, first, err)
	}
	origin := nato4774.Origin{Created: r.Created, Review: r.Review, Originator: r.Originator}
	built, err := nato4774.BuildLabelFrom(l, origin)
	if err != nil {
		return // a name in two tags
	}
	again, err := nato4774.Read(nato4774.Options{}, rewritten(t, built), reg)
	if err != nil {
		t.Fatalf("%v: %v", l, err)
	}
	l2, err := reg.Label(again.Form)
	if err != nil || !l2.Equal(l) || again.Originator != r.Originator || !again.Created.Equal(r.Created.Truncate(time.Second)) {
		t.Fatalf("%v became %v, %+v became %+v (%v)", l, l2, r, again, err)
	}
}

func FuzzClearance(f *testing.F) {
	seedFiles(f, "acme/c-*.xml", "nato/c-*.xml")
	reg := registry(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := document(b)
		if err != nil {
			return
		}
		form, err := nato4774.ParseClearanceWith(nato4774.Options{Lenient: true}, e, reg)
		if err != nil {
			return
		}
		c, err := reg.Clearance(form)
		if err != nil {
			return
		}
		built, err := nato4774.BuildClearance(c)
		if err != nil {
			return // a name in two tags
		}
		again, err := nato4774.ParseClearance(rewritten(t, built), reg)
		if err != nil {
			t.Fatalf("%v: %v", c, err)
		}
		if c2, err := reg.Clearance(again); err != nil || !c2.Equal(c) {
			t.Fatalf("%v became %v (%v)", c, c2, err)
		}
	})
}

func FuzzBinding(f *testing.F) {
	const ref = `<mb:DataReference URI=""/>`
	f.Add([]byte(bindings("", metadata(boundLabel)+ref)))
	f.Add([]byte(bindings(signature, metadata(boundLabel)+ref)))
	f.Add([]byte(bindings("", metadata(boundLabel)+ref, metadata(boundLabel)+`<mb:DataReference URI="#a"/>`)))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := document(b)
		if err != nil {
			return
		}
		bound, err := nato4774.Unbind(e)
		if err != nil {
			if bound.Originator != nil || bound.Alternatives != nil {
				t.Fatalf("%v with labels", err)
			}
			return
		}
		if bound.Signed || bound.Originator == nil || len(bound.Alternatives) > 8 {
			t.Fatalf("%+v", bound)
		}
		built, err := nato4774.Bind(bound.Originator, bound.Alternatives...)
		if err != nil {
			t.Fatal(err)
		}
		again, err := nato4774.Unbind(rewritten(t, built))
		if err != nil || !again.Originator.Equal(bound.Originator) || len(again.Alternatives) != len(bound.Alternatives) {
			t.Fatalf("%+v became %+v (%v)", bound, again, err)
		}
	})
}

func FuzzGenericode(f *testing.F) {
	f.Add([]byte(goodList()))
	f.Add([]byte(codeList))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := xmlstream.ParseDocument(b, xmlstream.Options{Limits: xmlstream.ServerLimits()})
		if err != nil {
			return
		}
		entries, err := nato4774.ParseGenericode(e)
		if err != nil {
			if entries != nil {
				t.Fatalf("%v with %d entries", err, len(entries))
			}
			return
		}
		built, err := nato4774.BuildGenericode(nato4774.CodeListID{Name: "a", Version: "1", URI: "urn:x"}, entries)
		if err != nil {
			t.Fatal(err)
		}
		again, err := nato4774.ParseGenericode(rewritten(t, built))
		if err != nil || len(again) != len(entries) {
			t.Fatalf("%d of %d entries (%v)", len(again), len(entries), err)
		}
		for i := range again {
			if again[i].Marking != entries[i].Marking || again[i].Default != entries[i].Default || !again[i].Label.Equal(entries[i].Label) {
				t.Fatalf("row %d: %q became %q", i+1, entries[i].Marking, again[i].Marking)
			}
		}
	})
}
