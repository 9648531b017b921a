package answers_test

import (
	"crypto/tls"
	"strings"
	"testing"

	"sallyport/gateway/answers"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
	"sallyport/labels/spif"
	"sallyport/peering"
	"sallyport/rules"
)

// engine lets two peers talk, under rules.
func engine(t *testing.T, paired bool, specs ...rules.RuleSpec) *peering.Engine {
	t.Helper()
	p, problems := spif.Load("../../peering/testdata/policy/example.spif.xml")
	if p == nil {
		t.Fatal(problems)
	}
	reg, err := labels.NewRegistry(p)
	if err != nil {
		t.Fatal(err)
	}
	profile, wrong := rules.CompileProfile(rules.DefaultProfile("federation"))
	set, bad := rules.CompileRules(specs)
	if profile == nil || set == nil {
		t.Fatal(wrong, bad)
	}
	floor := peering.Floor{Methods: []peering.Method{peering.External}, MinTLS: tls.VersionTLS12}
	kinds := peering.Kinds{Message: true, Presence: true, IQ: []string{"*"}}
	def := peering.Definition{
		Labels: reg, Profile: profile, Rules: set,
		Peers: []peering.Peer{
			{Name: "in", Side: "inside", Domains: []peering.Pattern{"in.example"}, Floor: floor, Kinds: kinds, Links: []string{"s2s"}},
			{Name: "far", Side: "outside", Domains: []peering.Pattern{"out.example"}, Floor: floor, Kinds: kinds, Links: []string{"hf"}},
		},
	}
	if paired {
		def.Pairs = []peering.Pair{{From: "in", To: "far", Both: true}}
	}
	policy, defects := peering.Compile(def)
	if len(defects) > 0 {
		t.Fatal(defects)
	}
	return peering.NewEngine(policy)
}

// TestAnAnswerIsJudgedForWhoAsksNow: what the policy of today would not let this requester have from the peer, he does not get from the
// cache either.
func TestAnAnswerIsJudgedForWhoAsksNow(t *testing.T) {
	t.Parallel()
	request := get(alice, "out.example", disco)
	c := answers.New(answers.Options{})
	c.Asked(noon, "far", read(t, request))
	c.Answered(noon, came(t, request, "<query xmlns='http://jabber.org/protocol/disco#info'>"+exodus+four+"</query>"))
	tests := []struct {
		name   string
		engine *peering.Engine
		asks   string
		want   bool
	}{
		{"as it was", engine(t, true), alice, true},
		{"another one, who may", engine(t, true), bob, true},
		{"the pair is gone", engine(t, false), alice, false},
		{"a rule against it now", engine(t, true, rules.RuleSpec{ID: "no", Action: "refuse", When: rules.MatchSpec{FromPeer: []string{"far"}}}), alice, false},
		{"a rule against another", engine(t, true, rules.RuleSpec{ID: "no", Action: "refuse", When: rules.MatchSpec{To: []string{"b@in.example"}}}), bob, false},
		{"a rule against another, asked by the first", engine(t, true, rules.RuleSpec{ID: "no", Action: "refuse", When: rules.MatchSpec{To: []string{"b@in.example"}}}), alice, true},
	}
	for _, tc := range tests {
		a, ok := c.Ask(noon, "far", read(t, get(tc.asks, "out.example", disco)))
		if !ok {
			t.Fatalf("%s: not in the cache", tc.name)
		}
		unawaited := tc.engine.Judge(&a.Arrival)
		if _, ok := unawaited.Released(); ok {
			t.Errorf("%s: it passed although nobody waits for it", tc.name)
		}
		a.Arrival.Facts.Awaited = peering.AwaitedIQ{Found: true, OriginalID: "orig"}
		v := tc.engine.Judge(&a.Arrival)
		r, ok := v.Released()
		if ok != tc.want {
			t.Errorf("%s: released %v, want %v: %+v", tc.name, ok, tc.want, v.Refusal)
			continue
		}
		if !ok {
			continue
		}
		b, err := xmlstream.AppendElement(nil, r.Element(), xmlstream.NSServer)
		if err != nil || !strings.Contains(string(b), "to='"+tc.asks+"'") || !strings.Contains(string(b), "id='orig'") {
			t.Errorf("%s: %s, %v", tc.name, b, err)
		}
	}
}
