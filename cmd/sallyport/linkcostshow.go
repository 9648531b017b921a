package main

import (
	"fmt"
	"strconv"
	"time"

	"sallyport/links"
	"sallyport/links/cost"
	"sallyport/rules"
)

func (a *app) printCost(r *cost.Report, p *links.Profile, less []spared) {
	if r.Total.Stanzas == 0 {
		fmt.Fprintln(a.out, "nothing was recorded")
		return
	}
	rows := [][]string{{"CLASS", "STANZAS", "SENT", "RECORDED", "ON LINE", "AIR", "HALF IN", "99 % IN", "LONGEST"}}
	for lane, c := range r.Classes {
		if c.Stanzas > 0 || c.Sent > 0 {
			rows = append(rows, classRow((rules.Routine+rules.Precedence(lane)).String(), c)) //nolint:gosec // four of them
		}
	}
	if len(rows) > 2 {
		rows = append(rows, classRow("all", r.Total))
	}
	a.printTable(rows)
	if len(less) > 0 {
		fmt.Fprintln(a.out)
		rows = [][]string{{"SPARED", "TIMES", "BYTES"}}
		for _, s := range less {
			rows = append(rows, []string{s.Reason, strconv.FormatUint(s.Times, 10), strconv.FormatUint(s.Bytes, 10)})
		}
		a.printTable(rows)
	}
	fmt.Fprintln(a.out)
	a.printFacts(costFacts(r, p))
}

func classRow(name string, c cost.Class) []string {
	n := func(v int64) string { return strconv.FormatInt(v, 10) }
	return []string{name, n(c.Stanzas), n(c.Sent), n(c.Recorded), n(c.Line), brief(c.Air), brief(c.Half), brief(c.Most), brief(c.Longest)}
}

func costFacts(r *cost.Report, p *links.Profile) [][]string {
	facts := [][]string{
		{"recorded", fmt.Sprintf("%s, from %s", brief(r.To.Sub(r.From)), r.From.Format(time.RFC3339))},
		{"on line", fmt.Sprintf("%d bytes out, %d in", r.Bytes[cost.Out], r.Bytes[cost.In])},
	}
	if r.Acks > 0 {
		facts = append(facts, []string{"of these", fmt.Sprintf("%d bytes of acknowledgements", r.Acks)})
	}
	if p.BitsPerSecond <= 0 {
		return facts
	}
	if r.Turns > 0 {
		facts = append(facts, []string{"turns", fmt.Sprintf("%d, which take %s", r.Turns, brief(r.TurnAir))})
	}
	facts = append(facts, []string{"queue", fmt.Sprintf("%s at most", bytesOf(r.Queue))})
	use := fmt.Sprintf("%.1f %% of the time", 100*r.Use)
	if r.Use > 1 {
		use += ": more than the link can carry"
	}
	facts = append(facts, []string{"in use", use})
	if after := r.Drained.Sub(r.To); after > time.Second {
		facts = append(facts, []string{"drained", brief(after) + " after the end of the recording"})
	}
	return facts
}

// brief is a time in its two largest units.
func brief(d time.Duration) string {
	switch {
	case d >= 24*time.Hour:
		return fmt.Sprintf("%dd%dh", d/(24*time.Hour), d%(24*time.Hour)/time.Hour)
	case d >= time.Hour:
		return fmt.Sprintf("%dh%dm", d/time.Hour, d%time.Hour/time.Minute)
	case d >= time.Minute:
		return fmt.Sprintf("%dm%ds", d/time.Minute, d%time.Minute/time.Second)
	case d >= time.Second:
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
	return d.Round(time.Millisecond).String()
}
