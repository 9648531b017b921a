package labelfile_test

import (
	"strings"
	"testing"
	"time"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
	"sallyport/labels/labelfile"
	"sallyport/labels/nato4774"
)

// TestBinding: STANAG 4778 around a label of the originator and an alternative.
func TestBinding(t *testing.T) {
	reg := registry(t, "guard/guard.spif.xml", "guard/partner.spif.xml")
	own, err := labelfile.LoadLabel(testdata+"/guard/l-internal-rel-gbr.xml", reg, lenient)
	if err != nil {
		t.Fatal(err)
	}
	other, err := labelfile.LoadLabel(testdata+"/guard/p-open.xml", reg, lenient)
	if err != nil {
		t.Fatal(err)
	}
	originator, err1 := nato4774.BuildLabel(own, at)
	alternative, err2 := nato4774.BuildAlternative(other, nato4774.Origin{Created: at})
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	binding, err := nato4774.Bind(originator, alternative)
	if err != nil {
		t.Fatal(err)
	}
	b, err := xmlstream.AppendElement(nil, binding, "")
	if err != nil {
		t.Fatal(err)
	}
	f, err := labelfile.Parse(b, reg, labelfile.Options{})
	if err != nil || f.Syntax != labelfile.STANAG4778 {
		t.Fatalf("%s, %v", f.Syntax, err)
	}
	if l, err := f.Label(reg); err != nil || !l.Equal(own) {
		t.Errorf("%v (%v), want %v", l, err, own)
	}
	if len(f.Equivalent) != 1 || f.Equivalent[0].Err != nil || f.Equivalent[0].Form.Policy != other.PolicyID() {
		t.Errorf("equivalents %+v", f.Equivalent)
	}
	signed := strings.Replace(string(b), "><", "><Signature xmlns='http://www.w3.org/2000/09/xmldsig#'/><", 1)
	if _, err := labelfile.Parse([]byte(signed), reg, labelfile.Options{}); err == nil {
		t.Error("a binding with a signature that nobody can check was read")
	}
}

// TestSuccession: a successor is in force from its time on when it is at least as strict, and named in any case.
func TestSuccession(t *testing.T) {
	reg := registry(t, "guard/guard.spif.xml")
	label := func(class, successor string) string {
		info := func(class string) string {
			return "<ConfidentialityInformation><PolicyIdentifier>GUARD</PolicyIdentifier><Classification>" + class +
				"</Classification></ConfidentialityInformation><CreationDateTime>2025-01-01T00:00:00Z</CreationDateTime>"
		}
		return "<originatorConfidentialityLabel xmlns='" + nato4774.NS + "'>" + info(class) + "<SuccessionHandling>" +
			"<SuccessionDateTime>2025-03-01T00:00:00Z</SuccessionDateTime><SuccessorConfidentialityLabel>" + info(successor) +
			"</SuccessorConfidentialityLabel></SuccessionHandling></originatorConfidentialityLabel>"
	}
	march := time.Date(2025, 3, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name, in, want string
		at             time.Time
	}{
		{"before its time", label("PUBLIC", "INTERNAL"), "GUARD PUBLIC", march.Add(-time.Second)},
		{"stricter, from its time", label("PUBLIC", "INTERNAL"), "GUARD INTERNAL USE", march},
		{"less strict, never by the clock alone", label("INTERNAL", "PUBLIC"), "GUARD INTERNAL USE", march},
		{"no time, no succession", label("PUBLIC", "INTERNAL"), "GUARD PUBLIC", time.Time{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := labelfile.Parse([]byte(c.in), reg, labelfile.Options{At: c.at})
			if err != nil {
				t.Fatal(err)
			}
			var l *labels.Label
			if l, err = f.Label(reg); err != nil || l.String() != c.want {
				t.Errorf("%v (%v), want %s", l, err, c.want)
			}
			if !strings.Contains(strings.Join(f.Notes, "; "), "to be succeeded 2025-03-01T00:00:00Z by GUARD") {
				t.Errorf("notes %q", f.Notes)
			}
		})
	}
}
