package role_test

import (
	"testing"

	"sallyport/internal/role"
)

// A role is given by its own word alone, and never more than one that accounts can have.
func TestWords(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]struct {
		role role.Role
		ok   bool
	}{
		"none": {role.None, true}, "view": {role.View, true}, "operate": {role.Operate, true},
		"policy": {}, "": {}, "View": {}, "operate ": {}, "root": {},
	} {
		if got, ok := role.ParseGiven(word); got != want.role || ok != want.ok {
			t.Errorf("%q: %s, %v", word, got, ok)
		}
	}
	for r, word := range map[role.Role]string{role.None: "none", role.View: "view", role.Operate: "operate", role.Policy: "policy", 200: "none"} {
		if r.String() != word {
			t.Errorf("%d: %s", uint8(r), r)
		}
	}
	if !(role.None < role.View && role.View < role.Operate && role.Operate < role.Policy) || role.None != 0 {
		t.Error("the order")
	}
}
