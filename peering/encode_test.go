package peering_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sallyport/labels"
	"sallyport/peering"
)

func facts(t testing.TB) peering.Facts {
	reg := registry(t)
	return peering.Facts{
		Sender:  peering.ClearanceFact{Clearances: clearance(t, reg, "inside.clearance.xml"), Source: "directory", Age: time.Minute},
		Awaited: peering.AwaitedIQ{Found: true, OriginalID: "orig"},
		Asked:   true, FreshID: "fresh",
		Levels: []uint32{3, 0, 1 << 31},
	}
}

// Same arrival, same policy, same verdict: also after it was written down.
func TestStoredArrivalIsJudgedTheSame(t *testing.T) {
	t.Parallel()
	e := peering.NewEngine(policy(t, definition(t)))
	for _, c := range judgements {
		if c.change != nil || c.proof != nil {
			continue
		}
		peer := c.peer
		if peer == "" {
			peer = "in"
		}
		a := arrival(t, peer, c.stanza)
		a.Facts = c.facts
		want := e.Judge(&a)
		stored, err := peering.AppendArrival(nil, &a)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		got, err := e.Rejudge(stored, nil)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if !bytes.Equal(peering.AppendVerdict(nil, &got), peering.AppendVerdict(nil, &want)) {
			t.Errorf("%s: judged again %v %+v, want %v %+v", c.name, got.Outcome, got.Refusal, want.Outcome, want.Refusal)
		}
	}
}

func TestFactsSurviveEncoding(t *testing.T) {
	t.Parallel()
	f := facts(t)
	b, err := peering.AppendFacts(nil, &f)
	if err != nil {
		t.Fatal(err)
	}
	got, rest, err := peering.ParseFacts(append(b, 1, 2, 3), registry(t))
	if err != nil || len(rest) != 3 {
		t.Fatalf("parse: %v, %d bytes left", err, len(rest))
	}
	if !got.Sender.Clearances.Equal(f.Sender.Clearances) || got.Sender.Clearances.IsEmpty() {
		t.Errorf("clearance %v, want %v", got.Sender.Clearances, f.Sender.Clearances)
	}
	got.Sender.Clearances, f.Sender.Clearances = labels.ClearanceSet{}, labels.ClearanceSet{}
	if d := cmp.Diff(f, got); d != "" {
		t.Errorf("facts changed (-want +got):\n%s", d)
	}
}

func TestEncodingOfAnotherVersionIsRefused(t *testing.T) {
	t.Parallel()
	a := arrival(t, "in", plainChat(t))
	b, err := peering.AppendArrival(nil, &a)
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range []byte{0, 1, 3} {
		b[0] = version
		if _, _, err := peering.ParseArrival(b, registry(t)); err == nil || !strings.Contains(err.Error(), "this is 2") {
			t.Errorf("version %d: %v, want a refusal that names both versions", version, err)
		}
	}
}

func FuzzParseArrival(f *testing.F) {
	reg := registry(f)
	a := arrival(f, "in", plainChat(f))
	a.Facts = facts(f)
	b, err := peering.AppendArrival(nil, &a)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte{1})
	f.Add([]byte{2})
	f.Fuzz(func(t *testing.T, b []byte) {
		v, _, err := peering.ParseArrival(b, reg)
		if err != nil {
			return
		}
		once, err := peering.AppendArrival(nil, &v)
		if err != nil {
			t.Fatalf("parsed and cannot be written: %v", err)
		}
		again, rest, err := peering.ParseArrival(once, reg)
		if err != nil || len(rest) != 0 {
			t.Fatalf("written and cannot be read: %v", err)
		}
		twice, err := peering.AppendArrival(nil, &again)
		if err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("% x: %v\n% x", once, err, twice)
		}
	})
}

func FuzzParseVerdict(f *testing.F) {
	e := peering.NewEngine(policy(f, definition(f)))
	for _, text := range []string{plainChat(f), `<message` + toOut + `><body>x</body></message>`} {
		a := arrival(f, "in", text)
		v := e.Judge(&a)
		f.Add(peering.AppendVerdict(nil, &v))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		v, _, err := peering.ParseVerdict(b)
		if err != nil {
			return
		}
		if v.Trace.Len() > peering.MaxSteps {
			t.Fatalf("%d steps", v.Trace.Len())
		}
	})
}
