package hostile_test

import (
	"flag"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// row is one numbered entry of the list.
type row struct {
	name string // number, then words
	run  func(t *testing.T, w *world)
}

// TestHostile runs every row that concerns us, group by group, beside the bystanders.
func TestHostile(t *testing.T) {
	w := newWorld(t, "strict")
	w.wide = newWorld(t, "federation")
	w.startFlows(t)
	var quiet [2]int
	time0 := time.NewTimer(quietFor)
	<-time0.C // the measure of quiet times
	before, quietDelay := watchNeighbours(t), time.Duration(0)
	for i, f := range w.flows {
		_, quiet[i], _ = f.count()
		quietDelay = max(quietDelay, f.percentile(min(50, quiet[i]), 0.99))
	}
	for _, g := range []struct {
		name string
		rows []row
		on   *world
	}{
		{"A", append(groupA(), heavyA()...), w},
		{"B", groupB(), w},
		{"C", groupC(), w},
		{"D", groupD(), w},
		{"E", groupE(), w},
		{"F", groupF(), w},
		{"G", append(groupG(), dnsRows()...), w},
		{"H", groupH(), w},
		{"J", groupJ(), w},
		{"wide", wideRows(), w.wide},
		{"P", groupP(), w},
	} {
		g.on.begin()
		began := time.Now()
		for _, r := range g.rows {
			t.Run(r.name, func(t *testing.T) { r.run(t, g.on) })
		}
		t.Run(g.name+"_always_true", g.on.end)
		t.Logf("group %s took %v", g.name, time.Since(began).Round(time.Millisecond))
	}
	if everything() {
		eventually(t, 2*time.Minute, "the bystanders have said enough", func() bool {
			_, a, _ := w.flows[0].count()
			_, b, _ := w.flows[1].count()
			return a+b-quiet[0]-quiet[1] >= flowTotal
		})
	}
	w.calmness(t, quiet, quietDelay, before.since(t))
}

// everything reports that no -run has picked some rows.
func everything() bool {
	f := flag.Lookup("test.run")
	return f == nil || f.Value.String() == "" || f.Value.String() == "TestHostile"
}
