package peering_test

import (
	"testing"

	"sallyport/peering"
)

func plainChat(t testing.TB) string {
	return `<message xmlns='jabber:server' from='juliet@in.example/balcony' to='romeo@out.example' type='chat' id='m1'>` +
		`<body>Art thou not Romeo, and a Montague?</body>` + ours(t, "UNCLASSIFIED") + `</message>`
}

// A plain release must cost no memory: DESIGN §6.
func TestPlainReleaseAllocatesNothing(t *testing.T) {
	e := peering.NewEngine(policy(t, definition(t)))
	a := arrival(t, "in", plainChat(t))
	v := e.Judge(&a)
	if v.Outcome != peering.Release || v.Changed {
		t.Fatalf("not a plain release: %v changed=%v %+v", v.Outcome, v.Changed, v.Refusal)
	}
	if n := testing.AllocsPerRun(200, func() { e.JudgeInto(&a, &v) }); n > 0 {
		t.Errorf("%v allocations for a plain release, budget 0", n)
	}
}

func BenchmarkJudge(b *testing.B) {
	e := peering.NewEngine(policy(b, definition(b)))
	a := arrival(b, "in", plainChat(b))
	b.ReportAllocs()
	var v peering.Verdict
	for b.Loop() {
		e.JudgeInto(&a, &v)
	}
	if v.Outcome != peering.Release {
		b.Fatal(v.Refusal)
	}
}
