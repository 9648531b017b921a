package main

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
)

// result is what `go test -bench` says of one benchmark.
type result struct{ ns, allocs, bytes float64 }

// goBench runs a package's benchmarks several times and returns the medians by name, without "Benchmark".
func goBench(ctx context.Context, pkg, pattern string) (map[string]result, error) {
	cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", pattern, "-benchmem", "-count", "5", "-benchtime", "200ms", pkg)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("go test -bench %s %s: %w\n%s", pattern, pkg, err, out)
	}
	samples := map[string][]result{}
	for line := range strings.Lines(string(out)) {
		if name, r, ok := parseBench(line); ok {
			samples[name] = append(samples[name], r)
		}
	}
	medians := map[string]result{}
	for name, all := range samples {
		slices.SortFunc(all, func(a, b result) int { return int(a.ns*1000) - int(b.ns*1000) })
		medians[name] = all[len(all)/2]
	}
	if len(medians) == 0 {
		return nil, fmt.Errorf("%s has no benchmark that matches %s", pkg, pattern)
	}
	return medians, nil
}

// parseBench reads "BenchmarkX/y-2  1000  123 ns/op  45 B/op  6 allocs/op" with any units between.
func parseBench(line string) (name string, r result, ok bool) {
	f := strings.Fields(line)
	if len(f) < 4 || !strings.HasPrefix(f[0], "Benchmark") {
		return "", result{}, false
	}
	name = strings.TrimPrefix(f[0], "Benchmark")
	if i := strings.LastIndexByte(name, '-'); i > 0 {
		name = name[:i]
	}
	for i := 2; i+1 < len(f); i += 2 {
		v, err := strconv.ParseFloat(f[i], 64)
		if err != nil {
			return "", result{}, false
		}
		switch f[i+1] {
		case "ns/op":
			r.ns, ok = v, true
		case "B/op":
			r.bytes = v
		case "allocs/op":
			r.allocs = v
		}
	}
	return name, r, ok
}

// tokenizer: reading a labelled message of about 350 bytes into a tree of its own, against encoding/xml that only
// makes tokens of it.
func tokenizer(ctx context.Context, _ *settings) ([]Row, error) {
	got, err := goBench(ctx, "./internal/xmpp/xmlstream", "^(Benchmark)?(Decode|Yardstick|Append)$")
	if err != nil {
		return nil, err
	}
	var rows []Row
	for _, stanza := range []string{"message", "presence", "disco", "long"} {
		ours, theirs := got["Decode/"+stanza], got["Yardstick/"+stanza]
		if ours.ns == 0 || theirs.ns == 0 {
			continue
		}
		// The budget is on speed, so the row is: times faster.
		speed := figure("tokenizer "+stanza, 1e9/ours.ns, "stanzas/s", "encoding/xml tokens", 1e9/theirs.ns)
		allocs := figure("tokenizer "+stanza+" allocations", ours.allocs, "allocs", "encoding/xml tokens", theirs.allocs)
		if stanza == "message" {
			speed, allocs = speed.under(atLeast(6)), allocs.under(atMostAbsolute(8, "allocs"))
		}
		rows = append(rows, speed, allocs)
	}
	return rows, nil
}

// judge: the engine alone, under 50 rules with labels and clearances.
func judge(ctx context.Context, _ *settings) ([]Row, error) {
	return each(ctx, "judge", "./peering", "Judge", func(speed, allocs Row) []Row {
		return []Row{speed.under(atMostAbsolute(1500, "ns")), allocs.under(atMostAbsolute(0, "allocs"))}
	})
}

// rules: profiles and rule sets.
func rules(ctx context.Context, _ *settings) ([]Row, error) {
	return each(ctx, "rules", "./rules", ".", nil)
}

// each makes two rows of every benchmark: time, and allocations, with budgets if they are given.
func each(ctx context.Context, group, pkg, pattern string, budget func(speed, allocs Row) []Row) ([]Row, error) {
	got, err := goBench(ctx, pkg, pattern)
	if err != nil {
		return nil, err
	}
	var rows []Row
	for _, name := range sortedNames(got) {
		r := got[name]
		two := []Row{
			figure(group+" "+name, r.ns, "ns", "", 0),
			figure(group+" "+name+" allocations", r.allocs, "allocs", "", 0),
		}
		if budget != nil {
			two = budget(two[0], two[1])
		}
		rows = append(rows, two...)
	}
	return rows, nil
}

func sortedNames(m map[string]result) []string {
	var all []string
	for name := range m {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}
