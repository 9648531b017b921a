package rules_test

import (
	"testing"

	"sallyport/rules"
)

// plain is the message that budgets are about: chat, labelled, nothing to change.
func plain() string {
	return message("<body>The convoy leaves at six; bring the papers and do not wait for the second car.</body>" + label)
}

func TestCheckAllocations(t *testing.T) {
	s := read(t, plain())
	for _, name := range []string{rules.Strict, rules.Chat, rules.Federation} {
		p := builtin(t, name)
		if n := testing.AllocsPerRun(100, func() {
			if p.Check(s).Verdict != rules.Pass {
				t.Fatal("did not pass")
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations for a plain labelled message, budget 0", name, n)
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	s := read(b, plain())
	for _, name := range []string{rules.Strict, rules.Federation} {
		p := builtin(b, name)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if p.Check(s).Verdict != rules.Pass {
					b.Fatal("did not pass")
				}
			}
		})
	}
}
