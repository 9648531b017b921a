package scenario_test

import (
	"testing"

	"sallyport/testbed/scenario"
)

// TestDirect lets the servers federate with nothing between: what fails here is the bed's fault, not the gateway's.
func TestDirect(t *testing.T) {
	t.Parallel()
	w := scenario.Open(t, scenario.Setup{})
	for _, s := range scenario.Shared() {
		if s.Direct {
			t.Run(s.Name, func(t *testing.T) {
				t.Parallel()
				s.Play(t, w)
			})
		}
	}
}

// TestDirectApart does the same with servers that are set up in other ways.
func TestDirectApart(t *testing.T) {
	t.Parallel()
	for _, s := range scenario.Apart() {
		if s.Direct {
			t.Run(s.Name, func(t *testing.T) {
				t.Parallel()
				s.Play(t, scenario.Open(t, s.Setup))
			})
		}
	}
}
