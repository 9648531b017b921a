package gateway_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/gateway/control"
	"sallyport/gateway/prom"
)

func TestOperatorsOfTheSpool(t *testing.T) {
	between(t, nil, func(t *testing.T, e *ends) {
		ctx := context.Background()
		e.wires.cut(sat)
		e.wires.cut(hf)
		e.settle(time.Minute)
		sent := e.send(100)
		e.settle(time.Minute)
		st, err := e.shore.Spool(ctx, control.SpoolQuestion{Limit: 1000})
		if err != nil || st.Entries != 100 || len(st.List) != 100 || st.Balance != 0 || len(st.Lanes) != 1 || st.Lanes[0].Peer != "b" {
			t.Fatalf("%+v, %v", st, err)
		}
		first, last := st.List[0].Number, st.List[99].Number
		d, err := e.shore.SpoolEntry(ctx, control.EntryQuestion{Number: first})
		if err != nil || d.ID != sent[0] || d.Outcome != "released" || !slices.Equal(d.Links, []string{"sat", "hf"}) {
			t.Errorf("%+v, %v", d, err)
		}
		links, err := e.shore.Links(ctx)
		if err != nil || len(links) != 2 || links[1].Name != "sat" || links[1].State != "waiting" || len(links[1].Story) == 0 {
			t.Errorf("%+v, %v", links, err)
		}
		by := control.Caller{User: "alice"}
		done, err := e.shore.ExpireSpool(ctx, by, control.SpoolQuestion{Numbers: []uint64{first, last, 1 << 40}})
		if err != nil || done.Entries != 2 || !slices.Equal(done.Left, []uint64{1 << 40}) {
			t.Errorf("%+v, %v", done, err)
		}
		e.settle(time.Second)
		wantSame(t, e.shore.got("a.example"), []string{sent[0], sent[99]})
		for _, r := range e.shore.records(settlements) {
			if !strings.Contains(r.Reason, "alice") {
				t.Errorf("record %+v", r.Record)
			}
		}
		if _, err := e.shore.ExpireSpool(ctx, by, control.SpoolQuestion{}); err == nil {
			t.Error("everything expired for a question that names nothing")
		}
		e.mend()
		if _, err := e.shore.RetrySpool(ctx, by, control.SpoolQuestion{Peer: "b"}); err != nil {
			t.Error(err)
		}
		e.settle(5 * time.Minute)
		wantSame(t, e.ship.got("b.example"), sent[1:99])
		if st, err := e.shore.Status(ctx); err != nil || len(st.Problems) > 0 {
			t.Errorf("%v, %v", st.Problems, err)
		}
	})
}

// TestNumbersOfTheSpool: what waits, and whether the sums hold, can be watched.
func TestNumbersOfTheSpool(t *testing.T) {
	between(t, nil, func(t *testing.T, e *ends) {
		e.wires.cut(sat)
		e.wires.cut(hf)
		e.send(7)
		e.settle(time.Minute)
		got := map[prom.ID]float64{}
		e.shore.Numbers(func(id prom.ID, value float64, _ ...string) { got[id] += value })
		if got[prom.SpoolEntries] != 7 || got[prom.SpoolBalance] != 0 || got[prom.StanzasBalance] != 0 || got[prom.LinkUp] != 0 {
			t.Errorf("%v", got)
		}
	})
}
