package simulation_test

import (
	"testing"

	"sallyport/gateway/radio/simulation"
	"sallyport/links/hf"
)

// TestThirdStation: whatever a third station makes of what it recorded, nothing is delivered twice, from the wrong one, or lost under custody; nodes
// and links say what they did not take.
func TestThirdStation(t *testing.T) {
	t.Parallel()
	l := lab(t)
	for trick, noted := range map[simulation.Trick][]string{
		simulation.Replay:    {"link: " + hf.NoticeRepeated},
		simulation.Begin:     {"frames damaged"},
		simulation.End:       {"frames damaged"},
		simulation.Frames:    {"link: " + hf.NoticeRepeated},
		simulation.Addresses: {"node: link refused", "node: warning", "node: discarded"},
	} {
		t.Run(trick.String(), func(t *testing.T) {
			var sum simulation.Result
			for seed := uint64(1); seed <= few(60); seed++ {
				s := simulation.Draw(seed)
				s.Third, s.Trick, s.Outages, s.Silence, s.Kills = true, trick, nil, nil, nil
				r := l.Run(s, nil)
				if r.Violation != "" {
					complain(t, &r)
				}
				sum.Add(&r)
			}
			for _, word := range noted {
				if sum.Noted[word] == 0 && !testing.Short() {
					t.Errorf("nobody noted %q in %d transmissions: %v", word, sum.Interfered, sum.Noted)
				}
			}
			t.Logf("%s; %v", sum.Words(), sum.Noted)
		})
	}
}
