package house_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// longest is where a file has to be split: it has a second subject by then. Tables of test
// cases may be longer.
const longest = 400

func sources(t *testing.T) []string {
	t.Helper()
	cmd := exec.Command("git", "ls-files", "--cached", "--others", "--exclude-standard", "*.go")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("git ls-files: %v", err)
	}
	return strings.Fields(string(out))
}

func TestFilesStaySmall(t *testing.T) {
	t.Parallel()
	for _, name := range sources(t) {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		b, err := os.ReadFile("../../" + name)
		if os.IsNotExist(err) {
			continue // removed and not committed yet
		}
		if err != nil {
			t.Fatal(err)
		}
		if n := bytes.Count(b, []byte("\n")); n > longest {
			t.Errorf("%s has %d lines, %d at most: it holds more than one subject", name, n, longest)
		}
	}
}

func TestEveryPackageSaysWhatIsInside(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("go", "list", "-f", "{{if not .Doc}}{{.ImportPath}}{{end}}", "./...")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for _, p := range strings.Fields(string(out)) {
		t.Errorf("%s has no package doc", p)
	}
}

// bubbles are the folders whose tests run in virtual time.
func bubbles(t *testing.T) map[string]bool {
	t.Helper()
	out := make(map[string]bool)
	for _, name := range sources(t) {
		b, err := os.ReadFile("../../" + name)
		if err == nil && strings.HasSuffix(name, "_test.go") && bytes.Contains(b, []byte(`"testing/synctest"`)) {
			out[filepath.Dir(name)] = true
		}
	}
	return out
}

func TestNoSleepingAndNoSkippedTests(t *testing.T) {
	t.Parallel()
	bubbles := bubbles(t)
	for _, name := range sources(t) {
		if !strings.HasSuffix(name, "_test.go") || strings.HasPrefix(name, "testbed/house/") {
			continue
		}
		b, err := os.ReadFile("../../" + name)
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		virtual := bubbles[filepath.Dir(name)] // sleeping there costs no time
		for i, line := range strings.Split(string(b), "\n") {
			if strings.Contains(line, "t.Skip") || strings.Contains(line, "time.Sleep(") && !virtual {
				t.Errorf("%s:%d: %s", name, i+1, strings.TrimSpace(line))
			}
		}
	}
}
