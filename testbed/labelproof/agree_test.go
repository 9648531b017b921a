package labelproof_test

import (
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"

	"sallyport/labels"
	"sallyport/labels/spif"
)

// How many cases: together a million and more, in a few seconds.
const (
	inventedPolicies = 2_000
	casesEach        = 450
	casesReal        = 30_000
)

// tally counts outcomes, so that a test which only ever sees refusals fails.
type tally struct{ cases, valid, granted, allowed atomic.Int64 }

func (c *tally) check(t *testing.T, atLeast int64) {
	t.Helper()
	n, v, g, a := c.cases.Load(), c.valid.Load(), c.granted.Load(), c.allowed.Load()
	t.Logf("%d cases: %d valid, %d granted, %d allowed; both implementations agree", n, v, g, a)
	if n < atLeast {
		t.Errorf("%d cases, want %d", n, atLeast)
	}
	for what, k := range map[string]int64{"valid": v, "granted": g, "allowed": a} {
		if k < n/20 || k > n-n/20 {
			t.Errorf("%d of %d %s: the cases prove too little", k, n, what)
		}
	}
}

// TestInventedPoliciesAgree: on invented policies both implementations give the same two answers for every label and
// clearance.
func TestInventedPoliciesAgree(t *testing.T) {
	var count tally
	const workers = 4
	t.Run("seeds", func(t *testing.T) {
		for w := range workers {
			t.Run(fmt.Sprint(w), func(t *testing.T) {
				t.Parallel()
				for seed := uint64(w); seed < inventedPolicies; seed += workers {
					r := newInventor(seed)
					text := r.policy().spif()
					p, problems := spif.Parse("invented", text)
					if p == nil {
						t.Fatalf("seed %d: %v\n%s", seed, problems, text)
					}
					if !compare(t, r, readNaive(t, text), p, casesEach, &count) {
						t.Fatalf("seed %d\n%s", seed, text)
					}
				}
			})
		}
	})
	count.check(t, inventedPolicies*casesEach)
}

// TestRealPoliciesAgree: the same on the policies of the test data.
func TestRealPoliciesAgree(t *testing.T) {
	for i, file := range []string{
		"guard/guard.spif.xml", "guard/partner.spif.xml", "fixed/food-policy.xml", "spiffing/tlp-plus.xml", "spiffing/uk-demo.xml",
		"spiffing/nato-4774-policy.xml", "acme/MOCK.spif.xml",
	} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join("..", "..", "labels", "testdata", file)
			p, problems := spif.LoadWith(spif.Options{AnyNamespace: true}, path)
			if p == nil {
				t.Fatal(problems)
			}
			var count tally
			if compare(t, newInventor(uint64(i)), readNaiveFile(t, path), p, casesReal, &count) {
				t.Logf("%d valid, %d granted", count.valid.Load(), count.granted.Load())
			}
			if count.granted.Load() == 0 {
				t.Error("nothing was ever granted")
			}
		})
	}
}

// compare judges n invented cases both ways.
func compare(t *testing.T, r inventor, naive *naivePolicy, p *labels.Policy, n int, count *tally) bool {
	t.Helper()
	all := naive.values()
	for range n {
		l := r.label(naive, all)
		c := r.clearance(naive, all, l)
		label, err := p.Label(labels.LabelForm{Policy: p.ID(), Class: uint32(l.Class), Values: forms(l.Values)})
		if err != nil {
			t.Errorf("label %v: %v", l, err)
			return false
		}
		var classes []uint32
		for k, held := range c.Classes {
			if held {
				classes = append(classes, uint32(k))
			}
		}
		clearance, err := p.Clearance(labels.ClearanceForm{Policy: p.ID(), Classes: classes, Values: forms(c.Values)})
		if err != nil {
			t.Errorf("clearance %v: %v", c, err)
			return false
		}
		valid, granted := p.Validate(label, today), p.Decide(label, clearance)
		if want := naive.valid(l, today); valid.Granted != want {
			t.Errorf("label %v: valid %v, the second implementation says %v: %s", l, valid.Granted, want, valid.Explain())
			return false
		}
		if want := naive.granted(l, c); granted.Granted != want {
			t.Errorf("label %v clearance %v: granted %v, the second implementation says %v: %s", l, c, granted.Granted, want, granted.Explain())
			return false
		}
		count.add(valid.Granted, granted.Granted)
	}
	return true
}

func (c *tally) add(valid, granted bool) {
	c.cases.Add(1)
	if valid {
		c.valid.Add(1)
	}
	if granted {
		c.granted.Add(1)
	}
	if valid && granted {
		c.allowed.Add(1)
	}
}

var kinds = map[string]labels.Kind{
	"restrictive": labels.Restrictive, "enumerated restrictive": labels.EnumRestrictive,
	"permissive": labels.Permissive, "enumerated permissive": labels.EnumPermissive,
	"informative bitSetAttributes": labels.InformativeBits, "informative securityAttributes": labels.InformativeEnum,
}

func forms(values map[naiveValue]bool) []labels.Value {
	var out []labels.Value
	for v, held := range values {
		if held {
			out = append(out, labels.Value{TagSet: v.Set, Kind: kinds[v.Kind], LACV: uint32(v.LACV)})
		}
	}
	return out
}
