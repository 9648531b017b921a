package nato4774_test

import (
	"strings"
	"testing"
	"time"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
	"sallyport/labels/nato4774"
)

const (
	boundLabel = `<originatorConfidentialityLabel xmlns="urn:nato:stanag:4774:confidentialitymetadatalabel:1:0"><ConfidentialityInformation><PolicyIdentifier>GUARD</PolicyIdentifier><Classification>INTERNAL</Classification></ConfidentialityInformation></originatorConfidentialityLabel>`
	signature  = `<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"><SignedInfo/></Signature>`
)

// bindings writes a binding with one container for each content given.
func bindings(before string, containers ...string) string {
	s := `<mb:BindingInformation xmlns:mb="urn:nato:stanag:4778:bindinginformation:1:0">` + before
	for _, c := range containers {
		s += `<mb:MetadataBindingContainer><mb:MetadataBinding>` + c + `</mb:MetadataBinding></mb:MetadataBindingContainer>`
	}
	return s + `</mb:BindingInformation>`
}

func metadata(labels ...string) string {
	return `<mb:Metadata>` + strings.Join(labels, "") + `</mb:Metadata>`
}

func TestUnbind(t *testing.T) {
	alternative := strings.ReplaceAll(boundLabel, "originator", "alternative")
	const ref = `<mb:DataReference URI=""/>`
	tests := []struct {
		name, text   string
		alternatives int
		code         labels.Code
	}{
		{"one label", bindings("", metadata(boundLabel)+ref), 0, 0},
		{"bound to a fragment", bindings("", metadata(boundLabel)+`<mb:DataReference URI="#body"/>`), 0, 0},
		{"bound twice", bindings("", metadata(boundLabel)+ref+`<mb:DataReference URI="#body"/>`), 0, 0},
		{"an alternative in its own container", bindings("", metadata(boundLabel)+ref, metadata(alternative)+ref), 1, 0},
		{"an alternative first", bindings("", metadata(alternative)+ref, metadata(boundLabel)+ref), 1, 0},
		{"both in one metadata", bindings("", metadata(boundLabel, alternative)+ref), 1, 0},
		{"both in one binding", bindings("", metadata(boundLabel)+metadata(alternative)+ref), 1, 0},
		{"the old name of a label", bindings("", metadata(strings.ReplaceAll(boundLabel, "originatorC", "C"))+ref), 0, 0},
		{"signed", bindings(signature, metadata(boundLabel)+ref), 0, labels.CodeUnknown},
		{"signed twice", bindings(signature+signature, metadata(boundLabel)+ref), 0, labels.CodeUnknown},
		{"signature at the end", strings.Replace(bindings("", metadata(boundLabel)+ref), "</mb:BindingInformation>", signature+"</mb:BindingInformation>", 1), 0, labels.CodeSyntax},
		{"signature in a container", bindings("", metadata(boundLabel)+ref+signature), 0, labels.CodeSyntax},
		{"no container", bindings(""), 0, labels.CodeSyntax},
		{"empty container", `<mb:BindingInformation xmlns:mb="urn:nato:stanag:4778:bindinginformation:1:0"><mb:MetadataBindingContainer/></mb:BindingInformation>`, 0, labels.CodeSyntax},
		{"empty binding", bindings("", ""), 0, labels.CodeSyntax},
		{"no reference", bindings("", metadata(boundLabel)), 0, labels.CodeSyntax},
		{"no metadata", bindings("", ref), 0, labels.CodeSyntax},
		{"metadata after the reference", bindings("", ref+metadata(boundLabel)), 0, labels.CodeSyntax},
		{"metadata without label", bindings("", metadata()+ref), 0, labels.CodeSyntax},
		{"metadata elsewhere", bindings("", `<mb:MetadataReference URI="http://a.example/"/>`+ref), 0, labels.CodeSyntax},
		{"bound to another document", bindings("", metadata(boundLabel)+`<mb:DataReference URI="http://a.example/"/>`), 0, labels.CodeSyntax},
		{"bound to this and another document", bindings("", metadata(boundLabel)+ref+`<mb:DataReference URI="cid:a"/>`), 0, labels.CodeSyntax},
		{"bound to data inside", bindings("", metadata(boundLabel)+`<mb:Data>text</mb:Data>`), 0, labels.CodeSyntax},
		{"reference without URI", bindings("", metadata(boundLabel)+`<mb:DataReference/>`), 0, labels.CodeSyntax},
		{"reference with content", bindings("", metadata(boundLabel)+`<mb:DataReference URI="">x</mb:DataReference>`), 0, labels.CodeSyntax},
		{"reference with another attribute", bindings("", metadata(boundLabel)+`<mb:DataReference URI="" a="b"/>`), 0, labels.CodeSyntax},
		{"two labels of the originator", bindings("", metadata(boundLabel)+ref, metadata(boundLabel)+ref), 0, labels.CodeSyntax},
		{"two labels of the originator in one", bindings("", metadata(boundLabel, boundLabel)+ref), 0, labels.CodeSyntax},
		{"only an alternative", bindings("", metadata(alternative)+ref), 0, labels.CodeSyntax},
		{"nine alternatives", bindings("", metadata(boundLabel)+metadata(alternative, alternative, alternative, alternative, alternative)+metadata(alternative, alternative, alternative, alternative)+ref), 0, labels.CodeSyntax},
		{"label of the metadata", bindings("", metadata(boundLabel, strings.ReplaceAll(boundLabel, "originator", "metadata"))+ref), 0, labels.CodeSyntax},
		{"something else in the metadata", bindings("", metadata(boundLabel, `<x xmlns="urn:x"/>`)+ref), 0, labels.CodeSyntax},
		{"text in the metadata", bindings("", metadata("x", boundLabel)+ref), 0, labels.CodeSyntax},
		{"17 containers", bindings("", append([]string{metadata(boundLabel) + ref}, strings.Split(strings.Repeat(metadata(alternative)+ref+"|", 16), "|")[:16]...)...), 0, labels.CodeSyntax},
		{"attribute", strings.Replace(bindings("", metadata(boundLabel)+ref), "<mb:Metadata>", "<mb:Metadata a='b'>", 1), 0, labels.CodeSyntax},
		{"a bare label", boundLabel, 0, labels.CodeSyntax},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, err := nato4774.Unbind(parse(t, tt.text))
			if tt.code != 0 {
				le, ok := err.(*labels.Error)
				if !ok || le.Code != tt.code || b.Originator != nil || b.Alternatives != nil {
					t.Errorf("got %+v, %v, want %s", b, err, tt.code)
				}
				if b.Signed != (tt.code == labels.CodeUnknown) {
					t.Errorf("signed: %v", b.Signed)
				}
				return
			}
			if err != nil || b.Originator == nil || len(b.Alternatives) != tt.alternatives || b.Signed {
				t.Fatalf("got %+v, %v", b, err)
			}
			if f, err := nato4774.ParseLabel(b.Originator, registry(t)); err != nil || f.Policy != "2.999.258.1" {
				t.Errorf("label: %+v, %v", f, err)
			}
		})
	}
}

func TestBind(t *testing.T) {
	reg := registry(t)
	label := func(policy string) *labels.Label {
		p, _ := reg.Policy(policy)
		l, err := p.Label(labels.LabelForm{Policy: policy, Class: 1})
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	build := func(f func(*labels.Label, nato4774.Origin) (*xmlstream.Element, error), policy string) *xmlstream.Element {
		e, err := f(label(policy), nato4774.Origin{Created: time.Unix(1e9, 0)})
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	first, second := build(nato4774.BuildLabelFrom, "2.999.258.1"), build(nato4774.BuildAlternative, "2.999.258.2")
	e, err := nato4774.Bind(first, second)
	if err != nil {
		t.Fatal(err)
	}
	b, err := nato4774.Unbind(wire(t, e))
	if err != nil || !b.Originator.Equal(first) || len(b.Alternatives) != 1 || !b.Alternatives[0].Equal(second) {
		t.Errorf("got %+v, %v", b, err)
	}
	for name, ls := range map[string][]*xmlstream.Element{
		"nothing": {nil}, "two of the originator": {first, first}, "only an alternative": {second}, "a binding": {e},
	} {
		if e, err := nato4774.Bind(ls[0], ls[1:]...); err == nil {
			t.Errorf("%s: %v", name, e)
		}
	}
}
