package peering_test

import (
	"strings"
	"testing"

	"sallyport/peering"
)

func TestJudge(t *testing.T) {
	t.Parallel()
	for _, c := range judgements {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			def := definition(t)
			if c.change != nil {
				c.change(&def)
			}
			peer := c.peer
			if peer == "" {
				peer = "in"
			}
			a := arrival(t, peer, c.stanza)
			a.Facts = c.facts
			if c.proof != nil {
				a.Proof = *c.proof
			}
			v := peering.NewEngine(policy(t, def)).Judge(&a)
			check(t, c, &v)
		})
	}
}

func check(t *testing.T, c judged, v *peering.Verdict) {
	t.Helper()
	if v.Outcome != c.want {
		t.Fatalf("outcome %v, want %v: %+v", v.Outcome, c.want, v.Refusal)
	}
	released, ok := v.Released()
	if c.want != peering.Release {
		r := v.Refusal
		if r.Stage != c.stage || r.Reason != c.reason || r.Condition != c.cond {
			t.Errorf("refused at %v for %q with %v, want %v, %q, %v (%s)", r.Stage, r.Reason, r.Condition, c.stage, c.reason, c.cond, r.Detail)
		}
		if ok {
			t.Error("a refusal came with something released")
		}
		if r.Detail == "" || r.Allowing == "" {
			t.Errorf("refusal does not explain itself: %+v", r)
		}
		return
	}
	text := canonical(t, released.Element())
	if !ok || !strings.Contains(text, c.leaves) {
		t.Errorf("released %s, want %q in it", text, c.leaves)
	}
	if c.gone != "" && strings.Contains(text, c.gone) {
		t.Errorf("released %s, which still has %q", text, c.gone)
	}
}

func TestNoPolicyRefuses(t *testing.T) {
	t.Parallel()
	a := arrival(t, "in", `<message`+toOut+`><body>x</body></message>`)
	v := peering.NewEngine(nil).Judge(&a)
	if v.Outcome != peering.Refuse || v.Refusal.Reason != peering.NoPolicy {
		t.Errorf("without a policy: %v %+v", v.Outcome, v.Refusal)
	}
}

func TestZeroVerdictRefuses(t *testing.T) {
	t.Parallel()
	var v peering.Verdict
	if _, ok := v.Released(); ok || v.Outcome != peering.Refuse {
		t.Error("the zero verdict releases")
	}
	var r peering.Released
	if err := r.Check("s2s", domain("out.example")); err == nil {
		t.Error("the zero Released may leave")
	}
}

func TestReleasedOpensOneDoor(t *testing.T) {
	t.Parallel()
	a := arrival(t, "in", plainChat(t))
	v := peering.NewEngine(policy(t, definition(t))).Judge(&a)
	r, ok := v.Released()
	if !ok {
		t.Fatal(v.Refusal)
	}
	for _, c := range []struct {
		link, remote string
		ok           bool
	}{
		{"s2s", "out.example", true}, {"hf", "out.example", false}, {"s2s", "in.example", false}, {"", "", false},
	} {
		remote := domain("nowhere.example")
		if c.remote != "" {
			remote = domain(c.remote)
		}
		if err := r.Check(c.link, remote); (err == nil) != c.ok {
			t.Errorf("over %q towards %q: %v, want ok %v", c.link, c.remote, err, c.ok)
		}
	}
}

func TestReplyTellsNothing(t *testing.T) {
	t.Parallel()
	e := peering.NewEngine(policy(t, definition(t)))
	a := arrival(t, "in", `<message`+toOut+`id='m9'><body>canary</body></message>`)
	v := e.Judge(&a)
	r, ok := e.Reply(&v, peering.ByVerdict)
	if !ok {
		t.Fatal("no reply to a refused message")
	}
	text := canonical(t, r.Element())
	for _, want := range []string{"policy-violation", "reference " + v.Ref(), "id='m9'", "to='juliet@in.example/balcony'", "type='error'"} {
		if !strings.Contains(text, want) {
			t.Errorf("reply %s lacks %q", text, want)
		}
	}
	if strings.Contains(text, "canary") || strings.Contains(text, "label") {
		t.Errorf("reply %s tells more than it may", text)
	}
	for _, silent := range []string{
		`<iq` + toOut + `type='result' id='1'/>`,
		`<presence` + toOut + `type='unavailable'/>`,
	} {
		a := arrival(t, "stranger", silent)
		v := e.Judge(&a)
		if _, ok := e.Reply(&v, peering.ByVerdict); ok {
			t.Errorf("%s was answered", silent)
		}
	}
}
