package config_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sallyport/gateway/config"
	"sallyport/internal/tlsid/tlsidtest"
)

var update = flag.Bool("update", false, "write golden files and docs/configuration.md anew")

// house is a folder with the files that the configurations in testdata name:
//
//	ca.pem crl.pem old-crl.pem   a CA and its revocation lists
//	gw.pem gw.key                for in.example and *.out.example
//	other.key open.key           a key of something else; gw.key that others can read
//	old.pem old.key              expired
//	early.pem early.key          good in 2040 and later
//	nosan.pem nosan.key          without a name
//	testdata/labels/*            a security policy, a clearance and labels
func house(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	ca := tlsidtest.Must(tlsidtest.NewCA("Test CA"))
	leaf := func(name string, o tlsidtest.Options) {
		l := tlsidtest.Must(ca.Issue(o))
		if _, _, err := l.WritePEM(dir, name); err != nil {
			t.Fatal(err)
		}
	}
	tlsidtest.Must(ca.WritePEM(dir, "ca"))
	leaf("gw", tlsidtest.Options{DNS: []string{"in.example", "out.example", "*.out.example"}})
	leaf("other", tlsidtest.Options{DNS: []string{"other.example"}})
	leaf("nosan", tlsidtest.Options{})
	past := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	leaf("old", tlsidtest.Options{DNS: []string{"old.example"}, NotBefore: past, NotAfter: past.AddDate(1, 0, 0)})
	future := time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC)
	leaf("early", tlsidtest.Options{DNS: []string{"early.example"}, NotBefore: future, NotAfter: future.AddDate(1, 0, 0)})
	now := time.Now()
	put(t, dir, "crl.pem", tlsidtest.Must(ca.CRL(now.Add(-time.Hour), now.Add(24*time.Hour))))
	put(t, dir, "old-crl.pem", tlsidtest.Must(ca.CRL(past, past.AddDate(0, 1, 0))))
	key, err := os.ReadFile(filepath.Join(dir, "gw.key"))
	if err != nil {
		t.Fatal(err)
	}
	put(t, dir, "open.key", key)
	put(t, dir, "writable.pem", tlsidtest.Must(os.ReadFile(filepath.Join(dir, "ca.pem"))))
	put(t, dir, "text.pem", []byte("not a certificate\n"))
	if err := os.CopyFS(dir, os.DirFS("testdata/labels")); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "state", "audit"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(dir, "writable.pem"), 0o666); err != nil { //nolint:gosec // that is the case
		t.Fatal(err)
	}
	return dir
}

func put(t *testing.T, dir, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, b, 0o644); err != nil { //nolint:gosec // a test file
		t.Fatal(err)
	}
	return path
}

// text is what check would print, with the folder called DIR.
func text(ps config.Problems, dir string) string {
	var b strings.Builder
	for _, p := range ps {
		b.WriteString(strings.ReplaceAll(p.String(), dir, "DIR") + "\n")
	}
	return b.String()
}

// golden compares with a file, or writes it with -update.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil { //nolint:gosec // a public file
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// TestProblems loads each testdata/problems/*.toml; the .txt beside it is what an
// operator is told.
func TestProblems(t *testing.T) {
	t.Parallel()
	dir := house(t)
	files, err := filepath.Glob("testdata/problems/*.toml")
	if err != nil || len(files) < 20 {
		t.Fatalf("found %d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".toml"), func(t *testing.T) {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			cfg, problems := config.Load(put(t, dir, filepath.Base(file), b))
			if (cfg == nil) != problems.Failed() {
				t.Errorf("configuration %v with problems\n%s", cfg != nil, text(problems, dir))
			}
			golden(t, strings.TrimSuffix(file, "toml")+"txt", text(problems, dir))
		})
	}
}
