package proof_test

import (
	"testing"

	"sallyport/testbed/proof"
)

func TestStands(t *testing.T) {
	t.Parallel()
	for place, stands := range map[string]bool{
		"testbed/proof: TestStands":               true,
		"testbed/proof/proof_test.go: TestStands": true,
		"testbed/proof/proof_test.go: places":     true,
		"testbed/proof: TestStand":                false,
		"testbed/none: TestStands":                false,
		"testbed/proof":                           false,
		"testbed/proof: ":                         false,
	} {
		if err := proof.Stands("../..", place); (err == nil) != stands {
			t.Errorf("%s: %v", place, err) // places
		}
	}
}
