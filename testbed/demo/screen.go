package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"golang.org/x/sys/unix"
)

// Columns that the print is laid out for: those of the terminal within these bounds, the lesser one elsewhere.
const (
	narrow = 80
	wide   = 100
)

// colour is an SGR parameter (ECMA-48 §8.3.117).
type colour string

const (
	plain  colour = ""
	bold   colour = "1"
	faint  colour = "2"
	red    colour = "1;31"
	green  colour = "1;32"
	yellow colour = "1;33"
)

// screen writes for people.
type screen struct {
	w       io.Writer
	columns int
	colours bool
}

// newScreen uses colours on a terminal only, and not where NO_COLOR asks for none (no-color.org).
func newScreen(w io.Writer) *screen {
	s := &screen{w: w, columns: narrow}
	f, ok := w.(*os.File)
	if !ok {
		return s
	}
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ) //nolint:gosec // a file descriptor
	if err != nil {
		return s // no terminal
	}
	s.columns = min(max(int(size.Col), narrow), wide)
	s.colours = os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	return s
}

func (s *screen) paint(c colour, text string) string {
	if !s.colours || c == plain {
		return text
	}
	return "\x1b[" + string(c) + "m" + text + "\x1b[0m"
}

func (s *screen) line(parts ...string) {
	fmt.Fprintln(s.w, strings.TrimRight(strings.Join(parts, ""), " "))
}

// ends puts text at the left and at the right end of one line.
func (s *screen) ends(left string, c colour, right string) {
	gap := s.columns - utf8.RuneCountInString(left) - utf8.RuneCountInString(right)
	s.line(s.paint(c, left), strings.Repeat(" ", max(gap, 2)), s.paint(faint, right))
}

// text breaks words into lines behind a head; lines after the first are indented as far.
func (s *screen) text(head, words string) {
	indent := strings.Repeat(" ", utf8.RuneCountInString(head))
	room := s.columns - len(indent)
	line := ""
	for _, word := range strings.Fields(words) {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > room {
			s.line(head, line)
			head, line = indent, ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	s.line(head, line)
}

// cut is one line of XML, ended with "…" where it does not fit.
func (s *screen) cut(indent, text string) string {
	room := s.columns - len(indent)
	if utf8.RuneCountInString(text) <= room {
		return indent + text
	}
	return indent + string([]rune(text)[:room-1]) + "…"
}
