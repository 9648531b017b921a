package scenario_test

import (
	"testing"

	"sallyport/testbed/scenario"
)

// TestThrough plays every scenario with the gateway between the servers.
func TestThrough(t *testing.T) {
	t.Parallel()
	side := scenario.Open(t, scenario.Setup{Middle: &scenario.Gateway{}})
	for _, s := range scenario.Shared() {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			s.Play(t, side)
		})
	}
}

// TestThroughLabelled plays those about labels where every message needs one.
func TestThroughLabelled(t *testing.T) {
	t.Parallel()
	w := scenario.Open(t, scenario.Setup{Middle: &scenario.Gateway{Options: scenario.LabelledGateway()}})
	for _, s := range scenario.Labelled() {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			s.Play(t, w)
		})
	}
}

// TestThroughApart plays those that need servers of their own.
func TestThroughApart(t *testing.T) {
	t.Parallel()
	for _, s := range scenario.Apart() {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			s.Setup.Middle = s.Between()
			s.Play(t, scenario.Open(t, s.Setup))
		})
	}
}
