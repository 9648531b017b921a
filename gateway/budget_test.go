package gateway

import (
	"reflect"
	"strconv"
	"testing"

	"sallyport/gateway/audit"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/links"
	"sallyport/peering"
)

// TestDefaultWords: who gave a label is said without making the words anew, in words that nobody can change for the
// next record, and the table does not grow without end.
func TestDefaultWords(t *testing.T) {
	g := &Gateway{}
	f := &peering.LabelFacts{Source: peering.DefaultOfPeer, SourceName: "a"}
	other := &peering.LabelFacts{Source: peering.DefaultOfRoom, SourceName: "a"}
	for _, row := range []struct {
		facts *peering.LabelFacts
		want  string
	}{{f, "label from: default of peer a"}, {other, "label from: default of room a"}, {f, "label from: default of peer a"}} {
		got := g.labelWords(row.facts)
		if len(got) != 1 || got[0] != row.want {
			t.Errorf("got %q, want %q", got, row.want)
		}
		if more := append(got, "changed"); &more[0] == &got[0] {
			t.Error("whoever appends writes into the words of others")
		}
	}
	if n := testing.AllocsPerRun(100, func() { g.labelWords(f); g.labelWords(other) }); n > 0 {
		t.Errorf("%v allocations for a default label, budget 0", n)
	}
	for i := range 2 * maxDefaultWords {
		g.labelWords(&peering.LabelFacts{Source: peering.DefaultOfRule, SourceName: strconv.Itoa(i)})
	}
	if n := len(*g.defaults.Load()); n > maxDefaultWords {
		t.Errorf("%d entries, %d at most", n, maxDefaultWords)
	}
}

// TestFlightsComeEmpty: nothing of one stanza is left in the memory for the next.
func TestFlightsComeEmpty(t *testing.T) {
	var p flights
	g := &Gateway{counters: new(Counters)}
	used := make([]*flight, len(flock{}.all))
	for i := range used {
		f := p.get(g, &links.Inbound{Peer: "a"})
		f.seq, f.cause, f.verdict.Outcome = 7, peering.AuditDown, peering.Release
		describeStanza(&audit.Record{}, f.verdict.Source(), nil, &f.written)
		f.facts = append(f.facts, 1)
		f.verdict.Checks[0].Name, f.verdict.NChecks = "in", 1
		used[i] = f
	}
	for _, f := range used {
		p.put(f)
	}
	if n := g.counters.air(); n != 0 {
		t.Errorf("%d in the air", n)
	}
	for range used {
		f := p.get(g, &links.Inbound{})
		if len(f.facts) != 0 || f.g != g {
			t.Errorf("facts %v of %p", f.facts, f.g)
		}
		f.written.Forget()
		f.g, f.facts, f.written = nil, nil, xmlstream.Written{}
		if !reflect.ValueOf(*f).IsZero() {
			t.Fatalf("still there: %+v", f)
		}
	}
}
