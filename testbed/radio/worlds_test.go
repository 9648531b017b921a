package radio_test

import (
	"fmt"
	"testing"

	"sallyport/gateway/radio/simulation"
	"sallyport/links/hf"
	"sallyport/s5066/capture"
	"sallyport/s5066/node"
	"sallyport/s5066/sis"
)

// TestWholeWorlds: two gateways with chats, presence and a room, killed and silenced, with a third station that interferes: of all that
// their nodes key, hear whole, and say to the gateways, tshark finds nothing malformed.
func TestWholeWorlds(t *testing.T) {
	t.Parallel()
	lab, err := simulation.NewLab()
	if err != nil {
		t.Fatal(err)
	}
	for seed := uint64(1); seed <= 4; seed++ {
		setting := simulation.Draw(seed)
		setting.Third = setting.Third || seed%2 == 0
		if setting.Mode != hf.RCOP {
			setting.SAP = 12 // the dissector takes everything on SAP 6 for RCOP, and what is shorter than its header for malformed
		}
		t.Run(fmt.Sprintf("seed %d, %s", seed, setting.Mode), func(t *testing.T) {
			var keyed [2]int
			both := &site{streams: map[sis.ClientID]*capture.Stream{}, types: map[string]int{}}
			lab.Record = func(i int, c node.Captured) {
				if c.Frame != nil && c.Out {
					keyed[i]++
				}
				c.Client = c.Client*2 + sis.ClientID(i)
				if c.Frame == nil || !c.Frame.Damaged {
					both.record(c)
				}
			}
			r := lab.Run(setting, nil)
			if r.Violation != "" {
				t.Fatal(r.Violation)
			}
			both.flawless(t)
			if keyed[0] == 0 || keyed[1] == 0 || len(both.heard) == 0 || len(both.sis) == 0 {
				t.Errorf("recorded %d and %d frames, %d bytes that were heard, %d of clients", keyed[0], keyed[1], len(both.heard), len(both.sis))
			}
		})
	}
}
