package main

import (
	"slices"
	"strings"
	"testing"

	"sallyport/internal/xmpp/xmlstream"
)

func TestParseBench(t *testing.T) {
	for _, c := range []struct {
		line, name string
		want       result
		ok         bool
	}{
		{"BenchmarkDecode/message-2  \t  685106\t      1662 ns/op\t 210.59 MB/s\t     832 B/op\t       5 allocs/op", "Decode/message", result{1662, 5, 832}, true},
		{"BenchmarkJudge-2 \t 100 \t 900.5 ns/op", "Judge", result{ns: 900.5}, true},
		{"ok  \tsallyport/peering\t1.2s", "", result{}, false},
		{"BenchmarkJudge-2 \t broken", "", result{}, false},
	} {
		name, got, ok := parseBench(c.line)
		if ok != c.ok || ok && (name != c.name || got != c.want) {
			t.Errorf("got %q %v %v, want %q %v %v for %q", name, got, ok, c.name, c.want, c.ok, c.line)
		}
	}
}

func TestBudgets(t *testing.T) {
	for _, c := range []struct {
		name string
		row  Row
		met  bool
	}{
		{"CPU within", figure("", 0.5, "", "", 0.2).under(atMost(2.6)), true},
		{"CPU above", figure("", 0.6, "", "", 0.2).under(atMost(2.6)), false},
		{"rate within", figure("", 60, "", "", 100).under(atLeast(0.6)), true},
		{"rate below", figure("", 59, "", "", 100).under(atLeast(0.6)), false},
		{"latency within", figure("", 3, "", "", 1).under(atMostMore(2, "ms")), true},
		{"latency above", figure("", 3.1, "", "", 1).under(atMostMore(2, "ms")), false},
		{"allocations", figure("", 9, "", "", 0).under(atMostAbsolute(8, "allocs")), false},
	} {
		if c.row.Met == nil || *c.row.Met != c.met {
			t.Errorf("%s: met is not %v", c.name, c.met)
		}
	}
}

// A budget that was missed is plain to see, and a row without one claims nothing.
func TestTable(t *testing.T) {
	var b strings.Builder
	printTable(&b, []Row{
		figure("first", 3, "s", "second", 1).under(atMost(2)),
		figure("second", 1, "s", "", 0),
	})
	lines := strings.Split(b.String(), "\n")
	if len(lines) != 4 || !strings.HasSuffix(lines[1], "NO") || !strings.HasSuffix(lines[2], "-") {
		t.Errorf("table is\n%s", b.String())
	}
}

// Every row of the labels group names a package whose benchmarks are run, and a yardstick that is another one.
func TestLabelBenchmarks(t *testing.T) {
	seen := map[string]bool{}
	for _, l := range labelBenchmarks {
		if seen[l.name] || labelPatterns[l.pkg] == "" || l.bench == l.yardstick || l.against == "" {
			t.Errorf("%+v", l)
		}
		seen[l.name] = true
	}
	rows := labelRows("decision, NATO policy", "with maps", result{ns: 10, allocs: 1}, result{ns: 40})
	if rows[0].Ratio != 0.25 || rows[0].Met != nil || rows[1].Met == nil || *rows[1].Met {
		t.Errorf("%+v, want a quarter of the time, and the budget for allocations missed", rows)
	}
}

// Chats leave with a label, their text is as long as their rows say, no two are equal, and the same seed makes the same ones.
func TestChats(t *testing.T) {
	t.Chdir("../..")
	var first []string
	for range 2 {
		c, err := newChats(7)
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for range 20 {
			r, err := c.next(nearDomain, farDomain)
			if err != nil {
				t.Fatal(err)
			}
			body := r.Element().Child(xmlstream.NSServer, "body").Text()
			if len(body) != chatBytes || r.Element().Child("urn:xmpp:sec-label:0", "securitylabel") == nil {
				t.Errorf("%d characters: %q", len(body), body)
			}
			if slices.Contains(all, body) {
				t.Errorf("twice: %q", body)
			}
			all = append(all, body)
		}
		if first == nil {
			first = all
		}
		if !slices.Equal(first, all) {
			t.Error("the same seed makes other chats")
		}
		if d, err := c.dictionary(); err != nil || d.Len() == 0 {
			t.Errorf("dictionary of %d bytes, %v", d.Len(), err)
		}
	}
}

// Figures of our own units are found beside those of the clock, and what misses its budget says so.
func TestFiguresOfRadio(t *testing.T) {
	name, units, ok := parseFigures("BenchmarkFigures/warm/compact-2 \t 1 \t 232458724 ns/op\t 78.61 data-B\t 4.000 trains")
	if !ok || name != "Figures/warm/compact" || units["data-B"] != 78.61 || units["trains"] != 4 {
		t.Errorf("%q %v %v", name, units, ok)
	}
	rows := hfBytes(map[string]map[string]float64{"warm/compact": units, "warm/stream": {"data-B": 80}, "cold/compact": {"data-B": 59}})
	met := map[float64]bool{}
	for _, r := range rows {
		if r.Met != nil {
			met[r.Value] = *r.Met
		}
	}
	if len(met) != 2 || met[78.61] || !met[80] {
		t.Errorf("%v: the budgets are of the warm chats, 85 for a stream and 60 for compact", met)
	}
	bulk := hfBulk(map[string]map[string]float64{"x": {"percent": 87}})
	if len(bulk) != 1 || *bulk[0].Met {
		t.Errorf("%+v, want 87 of 90 per cent missed", bulk)
	}
}
