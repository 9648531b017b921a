package peering_test

import (
	"bytes"
	"errors"
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
	for x := peering.NotExcluded; x <= peering.RecipientUnlisted; x++ {
		f := facts(t)
		f.Excluded = x
		survives(t, f)
	}
}

func survives(t *testing.T, f peering.Facts) {
	t.Helper()
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

// Nobody can write down that nobody is excluded in the way of those who are, or who is by none of the lists.
func TestFactsOfNoExclusion(t *testing.T) {
	t.Parallel()
	b, err := peering.AppendFacts(nil, &peering.Facts{Excluded: peering.SenderListed})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []byte{0, byte(peering.RecipientUnlisted) + 1} {
		b[1] = x
		if _, _, err := peering.ParseFacts(b, registry(t)); !errors.Is(err, peering.ErrEncoding) {
			t.Errorf("exclusion %d: %v", x, err)
		}
		if _, err := peering.ParseRecorded(b); !errors.Is(err, peering.ErrEncoding) {
			t.Errorf("exclusion %d in a record: %v", x, err)
		}
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
