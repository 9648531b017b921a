package spif

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"

	"sallyport/labels"

	"github.com/beevik/etree"
)

// Problem is something wrong with a policy file. The policy exists when all its problems are warnings.
type Problem struct {
	File    string
	Line    int // 0: unknown
	Rule    string
	Text    string
	Warning bool
}

func (p Problem) String() string {
	how := "error"
	if p.Warning {
		how = "warning"
	}
	return fmt.Sprintf("%s:%d: %s: %s (%s)", p.File, p.Line, how, p.Text, p.Rule)
}

// Options loosen the reader. The zero value is strict.
type Options struct {
	// AnyNamespace accepts the misspelt namespace and none at all, as some published files have it.
	AnyNamespace bool
}

// Load reads a file strictly.
func Load(path string) (*labels.Policy, []Problem) { return LoadWith(Options{}, path) }

// LoadWith reads a file.
func LoadWith(o Options, path string) (*labels.Policy, []Problem) {
	f, err := os.Open(path)
	if err != nil {
		return nil, []Problem{{File: path, Rule: "file", Text: err.Error()}}
	}
	defer f.Close()
	var b bytes.Buffer
	if _, err := io.Copy(&b, io.LimitReader(f, MaxBytes+1)); err != nil {
		return nil, []Problem{{File: path, Rule: "file", Text: err.Error()}}
	}
	return ParseWith(o, path, b.Bytes())
}

// Parse reads a policy strictly; name is what problems call the file.
func Parse(name string, b []byte) (*labels.Policy, []Problem) { return ParseWith(Options{}, name, b) }

// ParseWith reads a policy.
func ParseWith(o Options, name string, b []byte) (*labels.Policy, []Problem) {
	doc, err := parseDocument(b)
	if err != nil {
		return nil, []Problem{{File: name, Rule: "xml", Text: err.Error()}}
	}
	r := &reader{name: name, doc: doc, space: namespace, lenient: o.AnyNamespace}
	if o.AnyNamespace {
		switch s := doc.root.NamespaceURI(); s {
		case "", namespaceTypo:
			r.space = s
		}
	}
	spec := r.policy(doc.root)
	p, problems := labels.Compile(spec) // also when reading failed: an operator wants to hear everything at once
	for _, q := range problems {
		r.problems = append(r.problems, Problem{File: name, Line: q.Line, Rule: q.Rule, Text: q.Text, Warning: q.Warning})
	}
	if r.failed {
		return nil, r.problems
	}
	return p, r.problems
}

// reader turns elements into specifications and collects problems.
type reader struct {
	name     string
	doc      *document
	space    string
	lenient  bool
	problems []Problem
	failed   bool
}

func (r *reader) problem(e *etree.Element, rule, format string, args ...any) {
	r.problems = append(r.problems, Problem{File: r.name, Line: r.doc.lines[e], Rule: rule, Text: fmt.Sprintf(format, args...)})
	r.failed = true
}

func (r *reader) warn(e *etree.Element, rule, format string, args ...any) {
	r.problems = append(r.problems, Problem{
		File: r.name, Line: r.doc.lines[e], Rule: rule, Text: fmt.Sprintf(format, args...), Warning: true,
	})
}

// each calls the handler of every child element; a nil handler skips it knowingly. Order is free, because published
// files break the schema's. An element without handler refuses the policy.
func (r *reader) each(e *etree.Element, handlers map[string]func(*etree.Element)) {
	for _, c := range e.ChildElements() {
		h, known := handlers[c.Tag]
		space := c.NamespaceURI()
		switch {
		case !known || space != r.space && (space != "" || c.Tag != "equivalentSecCategoryTag"):
			r.problem(c, "element", "element %q is not known inside %q", c.FullTag(), e.Tag)
		case space != r.space && !r.lenient:
			// COMPAT(ACME example of ADatP-4774.1): without an equivalence less can be translated, never more.
			r.warn(c, "namespace", "element %q is in no namespace and has no effect", c.Tag)
		case space != r.space:
			r.warn(c, "namespace", "element %q is in no namespace and read as if it were in the policy's", c.Tag)
			h(c)
		case h != nil:
			h(c)
		}
	}
	for _, t := range e.Child {
		if s, ok := t.(*etree.CharData); ok && strings.TrimSpace(s.Data) != "" {
			r.problem(e, "text", "element %q holds text", e.Tag)
			return
		}
	}
}

// attributes returns the attributes without namespace; those of other namespaces are allowed and ignored.
func (r *reader) attributes(e *etree.Element, known ...string) map[string]string {
	out := make(map[string]string, len(e.Attr))
	for _, a := range e.Attr {
		switch {
		case a.Space == "xml" && a.Key == "lang":
			out["xml:lang"] = strings.TrimSpace(a.Value)
		case a.Space != "" || a.Key == "xmlns":
		default:
			out[a.Key] = a.Value
			if !contains(known, a.Key) {
				r.warn(e, "attribute", "attribute %q of %q is not known and has no effect", a.Key, e.Tag)
			}
		}
	}
	return out
}

func contains(words []string, w string) bool {
	for _, k := range words {
		if k == w {
			return true
		}
	}
	return false
}
