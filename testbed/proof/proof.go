// Package proof holds tables that say which test proves what against the tests that there are.
//
// Inside: [Stands]. Not inside: the tables, which stand beside what they are about. It must never run what it looks for.
package proof

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Stands wants a test to be where a table says: "FOLDER: TestName" or "FILE: TestName" below root, or "FILE: words" for a row of a table of
// tests.
func Stands(root, place string) error {
	where, words, ok := strings.Cut(place, ": ")
	if !ok || words == "" {
		return fmt.Errorf("%q names no test", place)
	}
	if strings.HasPrefix(words, "Test") {
		words = "func " + words + "("
	}
	files, err := filepath.Glob(filepath.Join(root, where, "*_test.go"))
	if err != nil {
		return err
	}
	if len(files) == 0 {
		files = []string{filepath.Join(root, where)}
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			return err
		}
		if strings.Contains(string(text), words) {
			return nil
		}
	}
	return fmt.Errorf("%s has no %s", where, words)
}
