package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"text/tabwriter"
)

// Row is one figure. Ratio is value to yardstick; Budget is empty for a figure that is there for comparison.
type Row struct {
	Name      string  `json:"name"`
	Value     float64 `json:"value"`
	Unit      string  `json:"unit"`
	Yardstick float64 `json:"yardstick"`
	Ratio     float64 `json:"ratio"`
	Budget    string  `json:"budget"`
	Met       *bool   `json:"met"` // null without a budget
	Against   string  `json:"against"`
	// Spread is how far the greatest of several values is from the least, as a share of the median; 0 where there was one.
	Spread float64 `json:"spread"`
}

// limit is a budget on a row.
type limit struct {
	text string
	met  func(value, yardstick float64) bool
}

func atMost(times float64) limit {
	return limit{fmt.Sprintf("<= %.3g x", times), func(v, y float64) bool { return v <= times*y }}
}

func atLeast(times float64) limit {
	return limit{fmt.Sprintf(">= %.3g x", times), func(v, y float64) bool { return v >= times*y }}
}

func atMostMore(than float64, unit string) limit {
	return limit{fmt.Sprintf("<= +%g %s", than, unit), func(v, y float64) bool { return v <= y+than }}
}

func atMostAbsolute(max float64, unit string) limit {
	return limit{fmt.Sprintf("<= %g %s", max, unit), func(v, _ float64) bool { return v <= max }}
}

func atLeastAbsolute(least float64, unit string) limit {
	return limit{fmt.Sprintf(">= %g %s", least, unit), func(v, _ float64) bool { return v >= least }}
}

// figure makes a row without a budget.
func figure(name string, value float64, unit, against string, yardstick float64) Row {
	r := Row{Name: name, Value: round(value), Unit: unit, Against: against, Yardstick: round(yardstick)}
	if yardstick > 0 {
		r.Ratio = round(value / yardstick)
	}
	return r
}

// under gives a row its budget.
func (r Row) under(l limit) Row {
	met := l.met(r.Value, r.Yardstick)
	r.Budget, r.Met = l.text, &met
	return r
}

// spreading says how far the values went apart that a row has the median of.
func (r Row) spreading(values []float64) Row {
	r.Spread = round(spread(values))
	return r
}

// round keeps four digits, as more would be noise.
func round(f float64) float64 {
	if f == 0 || math.IsNaN(f) || math.IsInf(f, 0) {
		return 0
	}
	scale := math.Pow(10, 4-math.Ceil(math.Log10(math.Abs(f))))
	return math.Round(f*scale) / scale
}

func printTable(w io.Writer, rows []Row) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "name\tvalue\tunit\tspread\tagainst\tyardstick\tratio\tbudget\tmet")
	for _, r := range rows {
		met, budget, yardstick, ratio := "-", "-", "-", "-"
		if r.Met != nil {
			budget, met = r.Budget, map[bool]string{true: "yes", false: "NO"}[*r.Met]
		}
		if r.Yardstick != 0 {
			yardstick, ratio = fmt.Sprintf("%g", r.Yardstick), fmt.Sprintf("%.3g", r.Ratio)
		}
		apart := "-"
		if r.Spread != 0 {
			apart = fmt.Sprintf("%.0f %%", 100*r.Spread)
		}
		cells := []string{r.Name, fmt.Sprintf("%g", r.Value), r.Unit, apart, r.Against, yardstick, ratio, budget, met}
		fmt.Fprintln(t, strings.Join(cells, "\t"))
	}
	_ = t.Flush() // standard output
}

func writeJSON(path string, rows []Row) error {
	if rows == nil {
		rows = []Row{}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(rows); err != nil {
		return err
	}
	return os.WriteFile(path, b.Bytes(), 0o644)
}
