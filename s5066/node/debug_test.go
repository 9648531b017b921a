package node_test

import (
	"fmt"
	"os"
)

func (w *world) dump() {
	for _, s := range w.nodes {
		for _, e := range s.events {
			fmt.Fprintln(os.Stderr, s.i, e.Time.Sub(epoch), e.Kind, e.Remote, e.Text, e.Err)
		}
	}
	for _, x := range w.sim.Log() {
		fmt.Fprint(os.Stderr, x.Key.Sub(epoch), " ", x.AirEnd.Sub(epoch), " station ", x.Station, " bytes ", x.Bytes)
		for _, h := range x.Heard {
			fmt.Fprint(os.Stderr, "  ", h.Station, ":", h.Outcome)
		}
		fmt.Fprintln(os.Stderr)
	}
}
