package main

import (
	"bytes"
	"strings"
	"testing"
)

// TestManyOverRadio: worlds hold, what is printed says so, and the sum is the same whoever did the work.
func TestManyOverRadio(t *testing.T) {
	sum := func(workers int) string {
		var out bytes.Buffer
		if code := manyOverRadio(&out, seeds{1, 20}, workers); code != 0 || !strings.Contains(out.String(), ": 0 violations\n") {
			t.Errorf("ends with %d\n%s", code, &out)
		}
		_, after, _ := strings.Cut(out.String(), "sum: ")
		return after
	}
	if one, four := sum(1), sum(4); one != four || one == "" {
		t.Errorf("%q and %q", one, four)
	}
}

// TestOneOverRadio: the story of one world, from its beginning to the verdict.
func TestOneOverRadio(t *testing.T) {
	var out bytes.Buffer
	if code := oneOverRadio(&out, 3); code != 0 {
		t.Errorf("ends with %d", code)
	}
	for _, words := range []string{"gateway 0 starts", " says ", "\nseed 3: compact over ", "\nseed 3: holds, "} {
		if !strings.Contains(out.String(), words) {
			t.Errorf("%q is not in\n%s", words, &out)
		}
	}
}
