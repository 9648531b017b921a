package peering_test

import (
	"strconv"
	"testing"

	"sallyport/peering"
	"sallyport/rules"
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

// fiftyRules are of every sort an operator writes, none of them about a plain chat message
// outwards but the last, which allows it.
func fiftyRules() []rules.RuleSpec {
	var out []rules.RuleSpec
	for i := range 12 {
		n := strconv.Itoa(i)
		out = append(out,
			rules.RuleSpec{ID: "peer" + n, Action: "refuse", When: rules.MatchSpec{FromPeer: []string{"other" + n}}},
			rules.RuleSpec{ID: "to" + n, Action: "refuse", When: rules.MatchSpec{To: []string{"*.secret" + n + ".example"}}},
			rules.RuleSpec{ID: "label" + n, Action: "refuse", When: rules.MatchSpec{Labels: []string{"SECRET"}, ToSide: []string{"outside"}}},
			rules.RuleSpec{ID: "element" + n, Action: "strip", Elements: []string{"{urn:x:" + n + "}*"}, When: rules.MatchSpec{Elements: []string{"{urn:x:" + n + "}*"}}},
		)
	}
	return append(out,
		rules.RuleSpec{ID: "presence", Action: "refuse", When: rules.MatchSpec{Kinds: []string{"presence"}, ToSide: []string{"inside"}}},
		rules.RuleSpec{ID: "chat", Action: "allow", When: rules.MatchSpec{Types: []string{"chat"}}},
	)
}

func BenchmarkJudge(b *testing.B) {
	e := peering.NewEngine(policy(b, definition(b, fiftyRules()...)))
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
