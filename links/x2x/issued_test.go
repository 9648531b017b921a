package x2x_test

import (
	"fmt"
	"testing"

	"sallyport/links/x2x"
)

// A peer that holds numbers which we never gave is told of, and confirms nothing: what it says it has may be something else.
func TestPeerHoldsWhatWasNeverSent(t *testing.T) {
	const marked = "<h xmlns='urn:sallyport:custody:0' e='000000000000000a' v='1'><m e='%s' l='0' n='7'/></h>"
	for _, tt := range []struct {
		name   string
		issued uint64
		epoch  string
		want   string
	}{
		{"all of it was given", 7, "000000000000000b", "greeted:1"},
		{"more than was given", 6, "000000000000000b", "greeted:1 ended:undefined-condition:false:[]"},
		{"of an earlier epoch", 6, "000000000000000c", "greeted:1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := streamFor(x2x.Custody, func(c *x2x.StreamConfig) { c.Issued = func() uint64 { return tt.issued } })
			s.Feed(epoch0, fmt.Appendf(nil, marked, tt.epoch))
			if got := say(events(s, epoch0)); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}
