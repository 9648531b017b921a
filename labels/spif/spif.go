package spif

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
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
	at := p.File
	if p.Line > 0 {
		at = fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	return fmt.Sprintf("%s: %s: %s (%s)", at, how, p.Text, p.Rule)
}

// Options loosen the reader. The zero value is strict.
type Options struct {
	// AnyNamespace accepts the misspelt namespace and none at all, as some published files have it, for the whole file or
	// for its equivalences.
	AnyNamespace bool
}

// Bounds on what is reported of one file.
const (
	maxProblems = 500
	maxText     = 1000 // bytes of one problem: names in a file can be as long as the file
)

// bounded shortens the text of a problem.
func bounded(s string) string {
	if len(s) <= maxText {
		return s
	}
	return strings.ToValidUTF8(s[:maxText], "") + "…"
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
	doc, bad := parseDocument(b)
	if bad != nil {
		return nil, []Problem{{File: name, Line: bad.line, Rule: bad.rule, Text: bounded(bad.text)}}
	}
	r := &reader{name: name, doc: doc, space: namespace, lenient: o.AnyNamespace}
	spec, ok := r.policy(doc.root)
	if !ok {
		return nil, r.problems
	}
	p, problems := labels.Compile(spec) // also when reading failed: an operator wants to hear everything at once
	unread := r.unread()
	for _, q := range problems {
		if unread[q.Line] && q.Rule != general {
			continue // what could not be read there is the reason
		}
		r.problems = append(r.problems, Problem{File: name, Line: q.Line, Rule: q.Rule, Text: bounded(q.Text), Warning: q.Warning})
	}
	slices.SortStableFunc(r.problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(last(a), last(b)), cmp.Compare(a.Line, b.Line))
	})
	if r.failed {
		return nil, r.problems
	}
	return p, r.problems
}

// general is the rule of what is said of all problems together; it comes last.
const general = "problems"

func last(p Problem) int {
	if p.Rule == general {
		return 1
	}
	return 0
}

// unread returns the lines of what could not be read.
func (r *reader) unread() map[int]bool {
	lines := map[int]bool{}
	for _, q := range r.problems {
		if !q.Warning {
			lines[q.Line] = true
		}
	}
	return lines
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
	r.failed = true
	r.add(Problem{File: r.name, Line: r.doc.lines[e], Rule: rule, Text: bounded(fmt.Sprintf(format, args...))})
}

func (r *reader) warn(e *etree.Element, rule, format string, args ...any) {
	r.add(Problem{File: r.name, Line: r.doc.lines[e], Rule: rule, Text: bounded(fmt.Sprintf(format, args...)), Warning: true})
}

// add keeps a problem. One too many refuses the file: it could be the one that matters.
func (r *reader) add(p Problem) {
	switch {
	case len(r.problems) < maxProblems:
		r.problems = append(r.problems, p)
	case len(r.problems) == maxProblems:
		r.failed = true
		r.problems = append(r.problems, Problem{File: r.name, Line: p.Line, Rule: general, Text: "there are more problems; correct these first"})
	}
}

// each calls the handler of every child element; a nil handler skips it knowingly. Order is free, because published
// files break the schema's. An element without handler refuses the policy.
func (r *reader) each(e *etree.Element, handlers map[string]func(*etree.Element)) {
	for _, c := range e.ChildElements() {
		h, known := handlers[c.Tag]
		space := c.NamespaceURI()
		switch {
		case !known:
			r.problem(c, "element", "element %q is not known inside %q%s: it could be a rule, so that the file is refused",
				c.FullTag(), e.Tag, perhaps(c.Tag, slices.Sorted(maps.Keys(handlers))))
		case space == r.space:
			if h != nil {
				h(c)
			}
		case space != "" || c.Tag != "equivalentSecCategoryTag":
			r.problem(c, "element", "element %q inside %q is in namespace %q, not %q", c.FullTag(), e.Tag, space, r.space)
		case !r.lenient:
			// COMPAT(ACME example of ADatP-4774.1): without an equivalence less can be translated, never more.
			r.warn(c, "namespace", "element %q is in no namespace and has no effect: put it in the policy's, or read the file leniently", c.Tag)
		default:
			r.warn(c, "namespace", "element %q is in no namespace and read as if it were in the policy's", c.Tag)
			h(c)
		}
	}
	for _, t := range e.Child {
		if s, ok := t.(*etree.CharData); ok && strings.TrimSpace(s.Data) != "" {
			r.problem(e, "text", "element %q holds text, which has no meaning there", e.Tag)
			return
		}
	}
}

// once wraps a handler of an element that may occur once.
func (r *reader) once(h func(*etree.Element)) func(*etree.Element) {
	first := 0
	return func(c *etree.Element) {
		if first > 0 {
			r.problem(c, "repeated", "element %q is given a second time (first on line %d): put them together", c.Tag, first)
			return
		}
		first = max(r.doc.lines[c], 1)
		if h != nil {
			h(c)
		}
	}
}

// attributes returns the attributes without namespace; those of other namespaces are allowed and ignored. One that is
// not known is a warning, because published files have some, unless it looks like one that is: a misspelt rule must
// not be lifted.
func (r *reader) attributes(e *etree.Element, known ...string) map[string]string {
	out := make(map[string]string, len(e.Attr))
	for _, a := range e.Attr {
		switch {
		case a.Space == "xml" && a.Key == "lang":
			out["xml:lang"] = r.lang(e, strings.TrimSpace(a.Value))
		case a.Space != "" || a.Key == "xmlns":
		case slices.Contains(known, a.Key):
			out[a.Key] = a.Value
		default:
			if meant := perhaps(a.Key, known); meant != "" {
				r.problem(e, "attribute", "attribute %q of %q is not known%s", a.Key, e.Tag, meant)
			} else {
				r.warn(e, "attribute", "attribute %q of %q is not known and has no effect", a.Key, e.Tag)
			}
		}
	}
	return out
}

// perhaps suggests the word that was meant, or "".
func perhaps(wrong string, known []string) string {
	for _, k := range known {
		if labels.Near(wrong, k) {
			return ", perhaps " + k
		}
	}
	return ""
}
