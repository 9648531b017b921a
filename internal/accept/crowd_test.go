package accept_test

import (
	"net/netip"
	"testing"

	"sallyport/internal/accept"
)

// TestCrowd: so many of one address and of all are let in, and others when one leaves, or when they may be more.
func TestCrowd(t *testing.T) {
	t.Parallel()
	crowd := accept.NewCrowd(1, 1)
	for i, want := range []bool{true, false, true, false} {
		if i == 2 { // they are more from now on
			crowd.SetBounds(2, 3)
		}
		if crowd.Enter(netip.MustParseAddr("192.0.2.1")) != want {
			t.Errorf("number %d: %v", i+1, !want)
		}
	}
	c := accept.NewCrowd(2, 3)
	for i, want := range []bool{true, true, false} {
		if c.Enter(netip.MustParseAddr("192.0.2.1")) != want {
			t.Errorf("number %d of one address: %v", i+1, !want)
		}
	}
	if !c.Enter(netip.MustParseAddr("192.0.2.2")) || c.Enter(netip.MustParseAddr("192.0.2.3")) {
		t.Error("altogether three may come in")
	}
	c.Leave(netip.MustParseAddr("192.0.2.1"))
	if !c.Enter(netip.MustParseAddr("192.0.2.3")) {
		t.Error("there is room again")
	}
}
