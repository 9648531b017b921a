package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sallyport/testbed/proof"
)

// suites are the lines of XEP-0479 (2023) for servers at the advanced level, by their headings in docs/server.md.
var suites = map[string][]string{
	"Core":              {"RFC 6120", "RFC 7590", "XEP-0368", "XEP-0030", "XEP-0115", "XEP-0114", "XEP-0163"},
	"Web":               {"RFC 7395", "XEP-0206", "XEP-0124", "XEP-0156"},
	"Instant messaging": {"RFC 6121", "XEP-0398", "XEP-0153", "XEP-0054", "XEP-0280", "XEP-0191", "XEP-0045", "XEP-0249", "XEP-0048", "XEP-0313", "XEP-0402", "XEP-0410", "XEP-0223", "XEP-0049", "XEP-0198", "XEP-0363"},
	"Mobile":            {"XEP-0198", "XEP-0352", "XEP-0357"},
	"Calls":             {"XEP-0215"},
	"Beyond the suites": nil,
}

// left are the parts of the suites that are not here: rooms.
var left = map[string]bool{"XEP-0045": true, "XEP-0249": true, "XEP-0410": true, "XEP-0313": true}

var quoted = regexp.MustCompile("`([^`]+)`")

// line is one row of a table.
type line struct {
	spec, version, state string
	packages, tests      []string
}

// compliance reads the tables of the last section, by their headings.
func compliance(t *testing.T) map[string][]line {
	t.Helper()
	text, err := os.ReadFile("../../docs/server.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## 11. ")
	all := make(map[string][]line)
	heading := ""
	for row := range strings.Lines(section) {
		row = strings.TrimSpace(row)
		if h, ok := strings.CutPrefix(row, "### "); ok {
			heading = h
		}
		cells := strings.Split(strings.Trim(row, "|"), "|")
		if !strings.HasPrefix(row, "|") || len(cells) != 6 || strings.HasPrefix(cells[0], "---") || strings.TrimSpace(cells[1]) == "specification" {
			continue
		}
		words := func(cell string) (list []string) {
			for _, m := range quoted.FindAllStringSubmatch(cell, -1) {
				list = append(list, m[1])
			}
			return list
		}
		all[heading] = append(all[heading], line{
			strings.TrimSpace(cells[1]), strings.TrimSpace(cells[2]), strings.TrimSpace(cells[3]), words(cells[4]), words(cells[5]),
		})
	}
	return all
}

// TestCompliance: what docs/server.md says of specifications is done by packages that there are and shown by tests that there are, some of
// them on the running program; no line of the suites is missing.
func TestCompliance(t *testing.T) {
	t.Parallel()
	root := checkout(t)
	tables := compliance(t)
	for heading, specs := range suites {
		if len(tables[heading]) == 0 {
			t.Errorf("%s: no table", heading)
		}
		has := make(map[string]bool)
		for _, l := range tables[heading] {
			has[l.spec] = true
			if strings.HasPrefix(l.state, "no") || strings.HasPrefix(l.state, "passed on") {
				if !left[l.spec] {
					t.Errorf("%s is not here", l.spec)
				}
				continue
			}
			l.stands(t, root)
		}
		for _, spec := range specs {
			if !has[spec] {
				t.Errorf("%s: no line for %s", heading, spec)
			}
		}
	}
}

func (l *line) stands(t *testing.T, root string) {
	t.Helper()
	if len(l.packages) == 0 || len(l.tests) == 0 || strings.HasPrefix(l.spec, "XEP") == (l.version == "") {
		t.Errorf("%s %s is nowhere, or shown by nothing", l.spec, l.version)
	}
	for _, p := range l.packages {
		if files, _ := filepath.Glob(filepath.Join(root, p, "*.go")); len(files) == 0 {
			t.Errorf("%s: there is no package %s", l.spec, p)
		}
	}
	for _, place := range l.tests {
		if err := proof.Stands(root, place); err != nil {
			t.Errorf("%s: %v", l.spec, err)
		}
	}
}
