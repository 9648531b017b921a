package labelfile_test

import (
	"os"
	"path/filepath"
	"testing"

	"sallyport/labels"
	"sallyport/labels/spif"
)

const testdata = "../testdata"

func registry(t testing.TB, files ...string) *labels.Registry {
	t.Helper()
	var ps []*labels.Policy
	for _, file := range files {
		p, problems := spif.LoadWith(spif.Options{AnyNamespace: true}, filepath.Join(testdata, file))
		if p == nil {
			t.Fatalf("%s: %v", file, problems)
		}
		ps = append(ps, p)
	}
	reg, err := labels.NewRegistry(ps...)
	if err != nil {
		t.Fatal(err)
	}
	return reg
}

func read(t testing.TB, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(testdata, file))
	if err != nil {
		t.Fatal(err)
	}
	return b
}
