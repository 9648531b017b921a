package main

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"sallyport/gateway/control"
)

// printUsage says what fills a link: the largest of the last hour first, what leaves before what comes in. Shares are those of the last
// hour and the last day, air time that of the hour; all the numbers are in the JSON.
func (a *app) printUsage(l *control.LinkStatus) {
	if len(l.Usage) == 0 {
		return
	}
	uses := slices.Clone(l.Usage)
	slices.SortStableFunc(uses, func(x, y control.LinkUse) int {
		if x.Inbound != y.Inbound {
			return cmp.Compare(way(x), way(y)) * -1
		}
		return cmp.Or(cmp.Compare(y.Hour, x.Hour), cmp.Compare(y.Wire, x.Wire))
	})
	rows := [][]string{{"", "WHAT FILLS IT", "STANZAS", "BEFORE", "ON LINE", "HOUR", "DAY", "AIR"}}
	for _, u := range uses {
		rows = append(rows, []string{
			way(u), strings.TrimSpace(u.Class + " " + u.Content), number(u.Stanzas), sized(u.Plain), sized(u.Wire),
			percent(u.HourShare), percent(u.DayShare), seconds(u.HourAir),
		})
	}
	fmt.Fprintln(a.out)
	a.printTable(rows)
}

// printBudgets says what classes may have of a link.
func (a *app) printBudgets(l *control.LinkStatus) {
	if len(l.Budgets) == 0 {
		return
	}
	rows := [][]string{{"BUDGET", "OF", "IN", "LEFT", ""}}
	for _, b := range l.Budgets {
		word := ""
		if b.Waits {
			word = "waits for " + seconds(b.Reopened)
		}
		rows = append(rows, []string{b.Class, bytesOf(int64(b.Bytes)), seconds(b.Period), bytesOf(int64(max(b.Left, 0))), word})
	}
	fmt.Fprintln(a.out)
	a.printTable(rows)
}

func way(u control.LinkUse) string {
	if u.Inbound {
		return "in"
	}
	return "out"
}

func sized(n uint64) string { return bytesOf(int64(n)) } //nolint:gosec // a size

// number is a count, and a dash where nothing is counted.
func number(n uint64) string {
	if n == 0 {
		return "-"
	}
	return strconv.FormatUint(n, 10)
}

func percent(share float64) string { return fmt.Sprintf("%.0f %%", 100*share) }

func seconds(s float64) string {
	if s == 0 {
		return "-"
	}
	return brief(time.Duration(s * float64(time.Second)))
}

// lost is the share that is lost, and a dash where nobody measures it.
func lost(loss *float64) string {
	if loss == nil {
		return "-"
	}
	return fmt.Sprintf("%.1f %%", 100**loss)
}
