package main

import (
	"context"
	"fmt"
)

// labelBenchmarks are what labels cost, one by one, each beside the same work done plainly.
var labelBenchmarks = []struct{ name, pkg, bench, yardstick, against string }{
	{"decision, two categories", "./labels", "Decide/guard", "Yardstick/decide/guard", "with maps"},
	{"decision, NATO policy", "./labels", "Decide/nato", "Yardstick/decide/nato", "with maps"},
	{"validation, two categories", "./labels", "Validate/guard", "Yardstick/decide/guard", "decision with maps"},
	{"validation, NATO policy", "./labels", "Validate/nato", "Yardstick/decide/nato", "decision with maps"},
	{"translation", "./labels", "Translate", "Yardstick/translate", "by a map of values"},
	{"ESS decode, a class", "./labels/ess", "ParseLabel/class", "Yardstick/class", "encoding/asn1"},
	{"ESS decode, a category", "./labels/ess", "ParseLabel/one_category", "Yardstick/one_category", "encoding/asn1"},
	{"4774 decode, a class", "./labels/nato4774", "ParseLabel/class", "Yardstick/class", "encoding/xml tokens"},
	{"4774 decode, every part", "./labels/nato4774", "ParseLabel/every_part", "Yardstick/every_part", "encoding/xml tokens"},
	{"catalogue of 200 for five", "./labels/catalogue", "Answer/for", "Answer/yardstick", "the decisions alone"},
	{"message seen before, ESS", "./labels/xep0258", "Read/ess/repeated", "Read/ess/first", "read anew"},
	{"message seen before, 4774", "./labels/xep0258", "Read/4774/repeated", "Read/4774/first", "read anew"},
}

// labelPatterns are the benchmarks to run in each package, and no more.
var labelPatterns = map[string]string{
	"./labels": "^Benchmark(Decide|Validate|Translate|Yardstick)$", "./labels/ess": "^Benchmark(ParseLabel|Yardstick)$/^(class|one_category)$",
	"./labels/nato4774": "^Benchmark(ParseLabel|Yardstick)$", "./labels/catalogue": "^BenchmarkAnswer$/^(for|yardstick)$",
	"./labels/xep0258": "^BenchmarkRead$",
}

// labels: what a label costs on its way, in nanoseconds and allocations. Deciding and validating must not allocate.
func labels(ctx context.Context, _ *settings) ([]Row, error) {
	measured := map[string]map[string]result{}
	var rows []Row
	for _, l := range labelBenchmarks {
		if measured[l.pkg] == nil {
			got, err := goBench(ctx, l.pkg, labelPatterns[l.pkg])
			if err != nil {
				return rows, err
			}
			measured[l.pkg] = got
		}
		ours, ok := measured[l.pkg][l.bench]
		theirs, known := measured[l.pkg][l.yardstick]
		if !ok || !known {
			return rows, fmt.Errorf("%s has no benchmark %s or %s", l.pkg, l.bench, l.yardstick)
		}
		rows = append(rows, labelRows(l.name, l.against, ours, theirs)...)
	}
	return rows, nil
}

func labelRows(name, against string, ours, theirs result) []Row {
	speed := figure("label "+name, ours.ns, "ns", against, theirs.ns)
	allocs := figure("label "+name+", allocations", ours.allocs, "allocs", against, theirs.allocs)
	switch name {
	case "decision, two categories", "decision, NATO policy", "validation, two categories", "validation, NATO policy":
		allocs = allocs.under(atMostAbsolute(0, "allocs"))
	}
	return []Row{speed, allocs}
}
