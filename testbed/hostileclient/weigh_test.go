package hostileclient_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// What somebody may cost at most, in bytes of the resident memory of the program, where the list says less: 4 × the limit of a stanza for who has
// logged in (rule 6), 20 KiB for who has not said much (A35). Noise is what a collector leaves lying about, whoever attacks.
const (
	stanzaLimit = 256 << 10
	perStranger = 20 << 10
	perClient   = 4 * stanzaLimit
	noise       = 64 << 20
)

// resident is the memory that the program has.
func (b *bed) resident(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", b.home.PID()))
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(text))[1])
	if err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
}

// grew wants that the program has grown by no more than a bound, and what is noise.
func (b *bed) grew(t *testing.T, before, bound int) {
	t.Helper()
	grown := b.resident(t) - before
	t.Logf("it has grown by %d KiB, to %d KiB; it may by %d KiB and %d KiB of noise", grown>>10, (before+grown)>>10, bound>>10, noise>>10)
	if grown > bound+noise {
		t.Errorf("it has grown by %d KiB", grown>>10)
	}
}

// files are those that the program has open.
func (b *bed) files(t *testing.T) int {
	t.Helper()
	names, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", b.home.PID()))
	if err != nil {
		t.Fatal(err)
	}
	return len(names)
}

// heavy is an input that tries to be expensive, as long as nobody sees its end.
type heavy struct {
	name string
	text string
	// ends is the condition that a stream ends by when it is said; empty: it may go on.
	ends string
}

// heavyInputs are those of group A and C that the list says the memory of.
func heavyInputs() []heavy {
	return []heavy{
		{"A02 billion laughs", begun("<!DOCTYPE l [" + laughs() + "]><body>&j;"), "restricted-xml"},
		{"A15 cdata just allowed", begun("<body><![CDATA[" + strings.Repeat("x", 250<<10)), ""},
		{"A15 cdata", begun("<body><![CDATA[" + strings.Repeat("x", 10<<20)), "policy-violation"},
		{"A29 attributes of many elements", begun(elements(15_000)), ""},
		{"A31 attribute", begun("<b a='" + strings.Repeat("v", 10<<20)), "policy-violation"},
		{"A31 body", begun("<body>" + strings.Repeat("x", 10<<20)), "policy-violation"},
		{"A32 siblings just allowed", begun(strings.Repeat("<a/>", 4_000)), ""},
		{"A32 siblings in many parents", begun(strings.Repeat("<b>"+strings.Repeat("<a/>", 4_000)+"</b>", 15)), ""},
		{"C12 one long namespace", begun("<b xmlns='urn:" + strings.Repeat("u", 500) + "'>" + strings.Repeat("<c/>", 4_000)), ""},
	}
}

// weighed: 30 attackers at a time, each of whom has said all but the end of something heavy, and nothing of theirs stays when they are gone.
func weighed(t *testing.T, b *bed) {
	const attackers = 30
	for _, h := range heavyInputs() {
		t.Run(h.name, func(t *testing.T) {
			clients := make([]*client, attackers)
			for i := range clients {
				clients[i] = b.login(t)
			}
			before := b.resident(t)
			var all sync.WaitGroup
			for _, c := range clients {
				all.Go(func() { c.sayIn(whole, h.text) })
			}
			if h.ends != "" {
				for _, c := range clients {
					if said := c.end(closeLimit); !strings.Contains(said, "<"+h.ends+" ") {
						t.Errorf("said %.500s", said)
					}
				}
			}
			all.Wait() // what is on its way then is no more than sockets hold
			b.logsIn(t)
			b.grew(t, before, attackers*perClient)
		})
	}
}

// unfinished: A35. A thousand who have begun to log in, with an element as long as it may be.
func unfinished(t *testing.T, b *bed) {
	const strangers, each = 1_000, 40
	before := b.resident(t)
	from := freshSource()
	for i := range strangers {
		if i%each == 0 {
			from = freshSource()
		}
		c := b.dialFrom(t, from, b.clear)
		c.say(header + "<auth" + nsSASL + " mechanism='PLAIN'>" + strings.Repeat("A", 9_000))
		c.until("</stream:features>")
	}
	b.logsIn(t)
	b.grew(t, before, strangers*4*10_000) // 4 × the limit before authentication
}
