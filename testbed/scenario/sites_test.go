package scenario_test

import (
	"testing"

	"sallyport/testbed/scenario"
)

// TestOverLinks plays those of two sites with links of custody between them.
func TestOverLinks(t *testing.T) {
	t.Parallel()
	for _, s := range scenario.OverLinks() {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			s.Setup.Middle = s.Between()
			s.Play(t, scenario.Open(t, s.Setup))
		})
	}
}
