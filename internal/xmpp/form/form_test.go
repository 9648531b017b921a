package form_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"sallyport/internal/xmpp/form"
	"sallyport/internal/xmpp/xmlstream"
)

func element(t *testing.T, text string) *xmlstream.Element {
	t.Helper()
	e, err := xmlstream.ParseDocument([]byte(text), xmlstream.Options{})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return e
}

func TestSubmitted(t *testing.T) {
	t.Parallel()
	x := func(kind, in string) string { return "<x xmlns='jabber:x:data' type='" + kind + "'>" + in + "</x>" }
	typed := "<field var='FORM_TYPE' type='hidden'><value>urn:t</value></field>"
	var many strings.Builder
	for i := range form.MaxFields + 1 {
		fmt.Fprintf(&many, "<field var='f%d'/>", i)
	}
	tests := []struct {
		name, in string
		want     string // of field a
		err      error
	}{
		{"one value", x("submit", typed+"<field var='a'><value>1</value></field>"), "1", nil},
		{"fixed text", x("submit", typed+"<field type='fixed'><value>?</value></field><field var='a'><value>2</value></field>"), "2", nil},
		{"without it", x("submit", typed), "", nil},
		{"another type", x("submit", strings.Replace(typed, "urn:t", "urn:u", 1)), "", form.ErrForm},
		{"no FORM_TYPE", x("submit", ""), "", form.ErrForm},
		{"cancelled", x("cancel", typed), "", form.ErrForm},
		{"unknown kind", x("order", typed), "", form.ErrForm},
		{"field twice", x("submit", typed+"<field var='a'/><field var='a'/>"), "", form.ErrForm},
		{"too many fields", x("submit", typed+many.String()), "", form.ErrForm},
		{"too many values", x("submit", typed+"<field var='a'>"+strings.Repeat("<value/>", form.MaxValues+1)+"</field>"), "", form.ErrForm},
		{"no form", "<y/>", "", form.ErrForm},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := form.Submitted(element(t, tc.in), "urn:t")
			if !errors.Is(err, tc.err) || got.Value("a") != tc.want || got.Has("a") != (tc.want != "") {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

func TestElement(t *testing.T) {
	t.Parallel()
	f := form.Typed("form", "urn:t", form.Field{Var: "a", Type: "list-single", Label: "A", Options: []string{"x", "y"}, Values: []string{"x"}, Required: true})
	f.Title, f.Instructions = "T", "I"
	f.Reported = []form.Field{{Var: "b", Label: "B"}}
	f.Items = [][]form.Field{{form.One("b", "1")}}
	want := "<x xmlns='jabber:x:data' type='form'><title>T</title><instructions>I</instructions>" +
		"<field type='hidden' var='FORM_TYPE'><value>urn:t</value></field>" +
		"<field label='A' type='list-single' var='a'><required/><value>x</value><option><value>x</value></option><option><value>y</value></option></field>" +
		"<reported><field label='B' var='b'/></reported><item><field var='b'><value>1</value></field></item></x>"
	if got := f.Element(); !got.Equal(element(t, want)) {
		b, err := xmlstream.AppendElement(nil, got, "")
		t.Errorf("got  %s (%v)\nwant %s", b, err, want)
	}
}

func TestBool(t *testing.T) {
	t.Parallel()
	for in, want := range map[string][2]bool{"1": {true, true}, "true": {true, true}, "0": {false, true}, "false": {false, true}, "": {}, "TRUE": {}} {
		if b, ok := form.Bool(in); b != want[0] || ok != want[1] {
			t.Errorf("%q: %v, %v", in, b, ok)
		}
	}
}
