package config_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sallyport/gateway/config"
)

// FuzzParse: any bytes give a configuration or an error, every problem has one printable
// line, and the same bytes give the same answer.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/*/*.toml")
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	for _, s := range []string{
		full, "a.b.c.d = [[[[{a={b=[{}]}}]]]]", "x = '''\n''''''\n", "x = \"\"\"\\\n\"\"\"\"\"", "[[a]]\n[a.b]\n[[a.b.c]]\n[a.b.c.d]\ne=1\ne=2",
		"\"\\u0041\" = 1\n\xef\xbb\xbf", "[", "[[", "[[[", "a = [1,,]", "a = {b = 1,, c}", "\"", "'", "\"\"\"", "a=[\"\\", "=", "[a]\r\nb=1\r\nb=2",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 1<<16 {
			return
		}
		cfg, problems := config.Parse("testdata/fuzz.toml", b)
		if (cfg == nil) != problems.Failed() {
			t.Fatalf("configuration %v, problems %v", cfg != nil, problems)
		}
		lines := 1 + strings.Count(string(b), "\n")
		for _, p := range problems {
			if s := p.String(); p.Line > lines || p.Text == "" || strings.ContainsAny(s, "\n\r\x1b\x00") {
				t.Errorf("problem %q in a file of %d lines", s, lines)
			}
		}
		_, again := config.Parse("testdata/fuzz.toml", b)
		if !slices.Equal(problems, again) {
			t.Errorf("first %v\nthen %v", problems, again)
		}
	})
}
