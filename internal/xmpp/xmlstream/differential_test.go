package xmlstream_test

import (
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sallyport/internal/xmpp/xmlstream"
)

// These tests ask two parsers that we did not write: whatever we accept, expat and libxml2 accept, with the same tree.

// tool finds a program, or fails with the name of the package that has it.
func tool(t *testing.T, name, debian string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is missing: install the Debian package %s", name, debian)
	}
	return path
}

// acceptedDocuments are documents that we accept: written in many ways, broken and still whole, and the hostile inputs
// that turn out to be harmless.
func acceptedDocuments(t *testing.T) (docs []string, trees []*xmlstream.Element) {
	t.Helper()
	g := newGen(11)
	candidates := []string{}
	for range 700 {
		doc := g.scribble(g.element(4), nil)
		candidates = append(candidates, doc)
		for range 12 {
			candidates = append(candidates, g.mutate(doc))
		}
	}
	for _, lines := range [][]hostile{structureA(), charactersB(), namespacesC()} {
		for _, h := range lines {
			candidates = append(candidates, h.fragments...)
		}
	}
	for _, doc := range candidates {
		if e, err := xmlstream.ParseDocument([]byte(doc), xmlstream.Options{}); err == nil {
			docs, trees = append(docs, doc), append(trees, e)
		}
	}
	if len(docs) < 1500 {
		t.Fatalf("only %d documents to compare", len(docs))
	}
	return docs, trees
}

func TestExpatAgrees(t *testing.T) {
	xmlwf := tool(t, "xmlwf", "expat")
	docs, trees := acceptedDocuments(t)
	in, out := t.TempDir(), t.TempDir()
	args := []string{"-n", "-d", out}
	for i, doc := range docs {
		args = append(args, write(t, in, i, doc))
	}
	said, err := exec.Command(xmlwf, args...).CombinedOutput()
	for line := range strings.SplitSeq(strings.TrimSpace(string(said)), "\n") {
		var i int
		if _, err := fmt.Sscanf(filepath.Base(line), "%d.xml:", &i); err == nil {
			t.Errorf("expat refuses what we accept: %s\n%q", filepath.Base(line), docs[i])
		}
	}
	if err != nil || len(said) > 0 {
		t.Fatalf("xmlwf: %v, %.200s", err, said)
	}
	for i := range docs {
		form, err := os.ReadFile(filepath.Join(out, fmt.Sprint(i, ".xml")))
		if err != nil {
			t.Fatal(err)
		}
		compare(t, "expat", docs[i], trees[i], string(form))
	}
}

func TestLibxmlAgrees(t *testing.T) {
	xmllint := tool(t, "xmllint", "libxml2-utils")
	docs, trees := acceptedDocuments(t)
	dir := t.TempDir()
	args := []string{"--noout"}
	for i, doc := range docs {
		args = append(args, write(t, dir, i, doc))
	}
	said, err := exec.Command(xmllint, args...).CombinedOutput()
	if strings.Contains(string(said), "parser error") || err != nil {
		t.Errorf("libxml2 refuses what we accept: %v\n%.2000s", err, said)
	}
	var kept []int
	var all strings.Builder
	all.WriteString("<corpus>")
	for i := range docs {
		if absoluteSpaces(docs[i]) {
			kept = append(kept, i)
			all.WriteString("<d>" + docs[i] + "</d>")
		}
	}
	if len(kept) < 1000 {
		t.Fatalf("only %d documents to compare", len(kept))
	}
	form, err := libxmlForm(xmllint, write(t, dir, len(docs), all.String()+"</corpus>"))
	if err != nil {
		t.Fatalf("xmllint --c14n: %v", err)
	}
	parts := strings.Split(strings.TrimPrefix(string(form), "<corpus>"), "<d>")[1:]
	if len(parts) != len(kept) {
		t.Fatalf("%d documents came back, want %d", len(parts), len(kept))
	}
	for k, i := range kept {
		compare(t, "libxml2", docs[i], trees[i], strings.TrimSuffix(strings.TrimSuffix(parts[k], "</corpus>"), "</d>"))
	}
}

// libxmlForm has xmllint write into a file: it writes once, and a pipe takes less than all of it when the process is stopped in the middle.
func libxmlForm(xmllint, document string) ([]byte, error) {
	out, err := os.Create(document + ".c14n")
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(xmllint, "--c14n", document)
	cmd.Stdout, cmd.Stderr = out, os.Stderr
	if err := errors.Join(cmd.Run(), out.Close()); err != nil {
		return nil, err
	}
	return os.ReadFile(out.Name())
}

var declarations = regexp.MustCompile(`(?s)xmlns[^'"=]*=\s*('[^']*'|"[^"]*")`)

// absoluteSpaces says whether all namespaces are names that the C14N of libxml2 does not stop at, as it does at relative
// and broken URIs. Mutation makes some.
func absoluteSpaces(doc string) bool {
	for _, m := range declarations.FindAllStringSubmatch(doc, -1) {
		uri := html.UnescapeString(strings.Trim(m[1], `'"`))
		if !slices.Contains(genSpaces, uri) && uri != "urn:unused" && uri != "urn:q" && uri != "urn:u" {
			return false
		}
	}
	return !strings.HasPrefix(doc, "<?")
}

// TestParsersAgreeOnNames asks about each character that we allow in a name.
func TestParsersAgreeOnNames(t *testing.T) {
	var b strings.Builder
	b.WriteString("<r>")
	first, later := 0, 0
	for r := rune(0x80); r <= 0x10FFFF; r++ {
		if r > 0x10000 {
			r += 96 // none of these is allowed, a sample will do
		}
		if _, err := xmlstream.AppendElement(nil, xmlstream.NewElement(xmlstream.Name{Local: string(r)}, nil), ""); err == nil {
			first++
			fmt.Fprintf(&b, "<%c/>", r)
		} else if _, err := xmlstream.AppendElement(nil, xmlstream.NewElement(xmlstream.Name{Local: "a" + string(r)}, nil), ""); err == nil {
			later++
			fmt.Fprintf(&b, "<a%c/>", r)
		}
	}
	if first != 34462 || later != 594 {
		t.Errorf("%d characters begin a name and %d more stand in one, want 34462 and 594", first, later)
	}
	path := write(t, t.TempDir(), 0, b.String()+"</r>")
	for _, cmd := range []*exec.Cmd{
		exec.Command(tool(t, "xmlwf", "expat"), "-n", path),
		exec.Command(tool(t, "xmllint", "libxml2-utils"), "--noout", path),
	} {
		if said, err := cmd.CombinedOutput(); err != nil || len(said) > 0 {
			t.Errorf("%s: %v %.300s", cmd.Path, err, said)
		}
	}
}

func write(t *testing.T, dir string, i int, doc string) string {
	t.Helper()
	path := filepath.Join(dir, fmt.Sprint(i, ".xml"))
	if err := os.WriteFile(path, []byte(doc), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// compare reads the canonical form that the other parser wrote, which has nothing in it to disagree on.
func compare(t *testing.T, parser, doc string, e *xmlstream.Element, form string) {
	t.Helper()
	got, err := dumpStd(xml.NewDecoder(strings.NewReader(form)))
	if err != nil {
		t.Errorf("%s wrote what cannot be read: %v\n%q", parser, err, form)
		return
	}
	if want := dump(e); got != want {
		t.Errorf("%s sees another tree\ngot\n%s\nwant\n%s\ndocument %q", parser, got, want, doc)
	}
}
