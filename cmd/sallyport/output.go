package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// printJSON writes one value for programs.
func (a *app) printJSON(v any) error {
	e := json.NewEncoder(a.out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// screen is the width that tables and facts are laid out for.
const screen = 80

// printTable aligns rows in columns. Columns of numbers are aligned to the right; a long
// last column is broken into lines. What is wider than a screen sticks out of its column, so
// that one name does not tear the lines of all others apart.
func (a *app) printTable(rows [][]string) {
	widths := make([]int, len(rows[0]))
	right := make([]bool, len(rows[0]))
	for c := range rows[0] {
		right[c] = len(rows) > 1
		for r := range rows {
			rows[r][c] = printable(rows[r][c])
			if n := cells(rows[r][c]); n <= screen {
				widths[c] = max(widths[c], n)
			}
			if _, err := strconv.ParseInt(rows[r][c], 10, 64); r > 0 && err != nil {
				right[c] = false
			}
		}
	}
	last := len(widths) - 1
	for _, row := range rows {
		var line strings.Builder
		for c, cell := range row[:last] {
			line.WriteString(pad(cell, widths[c], right[c]) + "  ")
		}
		if right[last] {
			row[last] = pad(row[last], widths[last], true)
		}
		printBroken(a.out, line.String(), row[last], cells(line.String()))
	}
}

// cells is how many columns of a screen a text takes: two for a wide character of East Asia
// and for most emoji, none for a mark that stands on another.
func cells(s string) (n int) {
	for _, r := range s {
		switch kind := width.LookupRune(r).Kind(); {
		case unicode.In(r, unicode.Mn, unicode.Me):
		case kind == width.EastAsianWide, kind == width.EastAsianFullwidth:
			n += 2
		default:
			n++
		}
	}
	return n
}

func pad(s string, width int, right bool) string {
	space := strings.Repeat(" ", max(width-cells(s), 0))
	if right {
		return space + s
	}
	return s + space
}

// printFacts writes names with values, without those that are empty.
func (a *app) printFacts(facts [][]string) {
	width := 0
	for _, f := range facts {
		if f[1] != "" {
			width = max(width, len(f[0]))
		}
	}
	for _, f := range facts {
		if f[1] != "" {
			printBroken(a.out, pad(f[0], width, false)+"  ", printable(f[1]), width+2)
		}
	}
}

// printBroken writes text after a head, broken at spaces so that it fits the screen where
// it can; lines after the first are indented. Behind a head that fills the screen it stays one.
func printBroken(w io.Writer, head, text string, indent int) {
	line, column := head, cells(head)
	for i, word := range strings.Split(text, " ") {
		n := cells(word)
		switch {
		case i > 0 && column+1+n > screen && indent < screen:
			fmt.Fprintln(w, strings.TrimRight(line, " "))
			line, column = strings.Repeat(" ", indent)+word, indent+n
		case i > 0:
			line, column = line+" "+word, column+1+n
		default:
			line, column = line+word, column+n
		}
	}
	fmt.Fprintln(w, strings.TrimRight(line, " "))
}

// printable escapes what could move a cursor or hide text.
func printable(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\n' || unicode.IsPrint(r):
			b.WriteRune(r)
		case r == utf8.RuneError:
			b.WriteRune(r)
		default:
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		}
	}
	return b.String()
}

// short is enough of a digest to tell two apart.
func short(digest string) string {
	if len(digest) > 12 {
		return digest[:12]
	}
	return digest
}

// ago is the time between two moments in its two largest units.
func ago(now, then time.Time) string {
	d := now.Sub(then)
	switch {
	case then.IsZero() || d < 0:
		return "0s"
	case d >= 24*time.Hour:
		return fmt.Sprintf("%dd%dh", d/(24*time.Hour), d%(24*time.Hour)/time.Hour)
	case d >= time.Hour:
		return fmt.Sprintf("%dh%dm", d/time.Hour, d%time.Hour/time.Minute)
	}
	return d.Round(time.Second).String()
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func numbers(ns ...int64) []string {
	row := make([]string, len(ns))
	for i, n := range ns {
		row[i] = strconv.FormatInt(n, 10)
	}
	return row
}

func bytesOf(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%d bytes", n)
}
