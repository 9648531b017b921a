package spif_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"sallyport/labels"
	"sallyport/labels/spif"
)

const (
	head = "<SPIF xmlns='http://www.xmlspif.org/spif'><securityPolicyId name='P' id='2.999.1'/><securityClassifications>" +
		"<securityClassification name='A' lacv='1' hierarchy='1'/></securityClassifications>"
	tail = "</SPIF>"
)

// Files made to cost much: each is refused for what it is, and what it made us build stays in bounds.
func TestHostileFiles(t *testing.T) {
	many := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	tagSet := func(inside string) string {
		return head + "<securityCategoryTagSets><securityCategoryTagSet name='S' id='2.999.1.1'>" + inside +
			"</securityCategoryTagSet></securityCategoryTagSets>" + tail
	}
	tests := []struct{ name, text, rule string }{
		{"nothing", "", "xml"},
		{"white space", " \n ", "xml"},
		{"comment", "<!-- -->", "xml"},
		{"no XML", "policy", "xml"},
		{"another XML version", "<?xml version='1.1'?>" + head + tail, "xml"},
		{"UTF-16", "\xff\xfe<\x00S\x00P\x00I\x00F\x00/\x00>\x00", "encoding"},
		{"zero octet", head + "\x00" + tail, "xml"},
		{"16 MiB and one", head + strings.Repeat(" ", spif.MaxBytes) + tail, "size"},
		{"external entity", "<!DOCTYPE SPIF [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>" + head + "&a;" + tail, "xml"},
		{"external document type", "<!DOCTYPE SPIF SYSTEM 'http://example.org/x.dtd'>" + head + tail, "document-type"},
		{"document type with a comment inside", "<!DOCTYPE SPIF [<!-- x --><!ENTITY a 'b'>]>" + head + tail, "document-type"},
		{
			"entities of entities", "<!DOCTYPE SPIF [<!ENTITY a 'aaaaaaaaaa'>" + many(20, "<!ENTITY b%d '&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;'>") + "]>" + head + tail,
			"document-type",
		},
		{"33 deep", head + "<extensions>" + strings.Repeat("<a>", 31) + strings.Repeat("</a>", 31) + "</extensions>" + tail, "depth"},
		{"a million deep", strings.Repeat("<a>", 1_000_000), "size"},
		{"400,000 deep", strings.Repeat("<a>", 400_000), "depth"},
		{"a million empty elements", head + strings.Repeat("<a/>", 1_000_000) + tail, "size"},
		{"a million attributes", "<SPIF " + many(1_000_001, "a%d='' ") + "/>", "size"},
		{"300,000 attributes", "<SPIF " + many(300_000, "a%d='' ") + "/>", "size"},
		{"300,000 equal attributes", "<SPIF " + strings.Repeat("a='' ", 300_000) + "/>", "size"},
		{"65 attributes", strings.Replace(head, "name='A'", "name='A' "+many(63, "a%d='' "), 1) + tail, "size"},
		{"a name of a megabyte", "<" + strings.Repeat("a", 1<<20) + "/>", "root"},
		{"a text of a megabyte", head + strings.Repeat("a", 1<<20) + tail, "text"},
		{"20,000 unknown elements", head + many(20_000, "<a%d/>") + tail, "problems"},
		{"20,000 unknown attributes", head + strings.Repeat("<markingQualifier foreign=''/>", 20_000) + tail, "problems"},
		{
			"1025 classifications", strings.Replace(head, "<securityClassifications>", "<securityClassifications>"+
				many(1024, "<securityClassification name='x%[1]d' lacv='1%[1]d' hierarchy='1%[1]d'/>"), 1) + tail, "classes",
		},
		{"1025 tag sets", head + "<securityCategoryTagSets>" + many(1025, "<securityCategoryTagSet name='S%[1]d' id='2.999.1.%[1]d'/>") + "</securityCategoryTagSets>" + tail, "tag-sets"},
		{"4097 tags", tagSet(strings.Repeat("<securityCategoryTag tagType='restrictive'/>", 4097)), "tags"},
		{"16,385 categories", tagSet("<securityCategoryTag tagType='restrictive'>" + many(16385, "<tagCategory name='x%[1]d' lacv='%[1]d'/>") + "</securityCategoryTag>"), "categories"},
		{
			"33,000 references to all of 4,000 categories", tagSet("<securityCategoryTag tagType='restrictive'>" + many(4000, "<tagCategory name='x%[1]d' lacv='%[1]d'/>") +
				"<tagCategory name='y' lacv='65535'>" + strings.Repeat("<excludedCategory tagSetRef='S' tagType='restrictive' all='true'/>", 33_000) + "</tagCategory></securityCategoryTag>"), "rules",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, problems := spif.ParseWith(spif.Options{AnyNamespace: true}, "x", []byte(tt.text))
			if p != nil || !slices.ContainsFunc(problems, func(q spif.Problem) bool { return q.Rule == tt.rule && !q.Warning }) {
				t.Errorf("got %v, want %s: %.300v", p, tt.rule, problems)
			}
			if len(problems) > 1100 {
				t.Errorf("%d problems", len(problems))
			}
			for _, q := range problems {
				if len(q.Text) > 2000 {
					t.Errorf("a problem of %d bytes: %.80s", len(q.Text), q.Text)
				}
			}
		})
	}
	if p, problems := spif.Parse("x", []byte(head+tail)); p == nil {
		t.Errorf("the frame of these files is no policy: %v", problems)
	}
	if p, problems := spif.Parse("x", []byte(head+"<extensions>"+strings.Repeat("<a>", 30)+strings.Repeat("</a>", 30)+"</extensions>"+tail)); p == nil {
		t.Errorf("32 deep: %v", problems)
	}
}

// Lines are those of the start tags, whatever stands between them.
func TestLinesOfProblems(t *testing.T) {
	text := "<?xml version='1.0'?>\n<!-- <a>\n<b> -->\n<SPIF xmlns='http://www.xmlspif.org/spif'>\n" +
		"<?pi <c>\n?><extensions>\n<![CDATA[<d>\n]]></extensions>\n<securityPolicyId name='P > Q'\n id='2.999.1'/>\n<securityClassifications>\n\n" +
		"<securityClassification name='A' lacv='1'\n hierarchy='x'/></securityClassifications></SPIF>"
	_, problems := spif.Parse("p.xml", []byte(text))
	if len(problems) != 1 || !strings.HasPrefix(problems[0].String(), "p.xml:13: error: ") {
		t.Errorf("%v", problems)
	}
}

// FuzzParse: a policy exists when no problem is more than a warning, reading is repeatable, and what was read can be
// described and used.
func FuzzParse(f *testing.F) {
	for _, file := range []string{
		"guard/guard.spif.xml", "guard/partner.spif.xml", "fixed/food-policy-missi.xml", "fixed/bsi-commercial.xml",
		"acme/MOCK.spif.xml", "acme/ACME-SPIF-example.xml", "spiffing/tlp-plus.xml", "spiffing/food-policy-borked.xml",
	} {
		f.Add([]byte(readData(f, file)))
	}
	f.Add([]byte("<SPIF xmlns='http://www.xmlspif.org/spif'/>"))
	f.Add([]byte(head + "<extensions/><privacyMarks><privacyMark name='X'/></privacyMarks>" + tail))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, problems := spif.ParseWith(spif.Options{AnyNamespace: true}, "fuzz", b)
		failed := slices.ContainsFunc(problems, func(q spif.Problem) bool { return !q.Warning })
		if (p == nil) != failed {
			t.Fatalf("policy %v with problems %v", p, problems)
		}
		strict, _ := spif.Parse("fuzz", b)
		if strict != nil && p == nil {
			t.Fatalf("read strictly and not leniently: %v", problems)
		}
		if p == nil {
			return
		}
		again, _ := spif.ParseWith(spif.Options{AnyNamespace: true}, "fuzz", b)
		if again.Digest() != p.Digest() {
			t.Fatal("another digest")
		}
		p.Languages()
		for _, tag := range p.Tags() {
			for _, c := range tag.Categories {
				_, err := p.Label(labels.LabelForm{Policy: p.ID(), Class: p.Classes()[0].LACV, Values: []labels.Value{c.Value}})
				if (err != nil) != c.Typed {
					t.Fatalf("%+v: %v", c, err)
				}
			}
		}
	})
}
