package config

import (
	"cmp"
	"fmt"
	"slices"
	"unicode"
	"unicode/utf8"
)

// report collects problems and gives each its line.
type report struct {
	file     string
	index    *index
	problems Problems
}

// bad notes an error. The text says what is wrong, the advice what to do.
func (r *report) bad(key, text, advice string) { r.add(Error, key, text, advice) }

// risk notes a warning.
func (r *report) risk(key, text, advice string) { r.add(Warning, key, text, advice) }

func (r *report) add(s Severity, key, text, advice string) {
	r.problems = append(r.problems, Problem{
		Severity: s, File: r.file, Line: r.index.lineOf(key), Key: key, Text: text, Advice: advice,
	})
}

// sorted returns the problems in the order of the file.
func (r *report) sorted() Problems {
	slices.SortStableFunc(r.problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Severity, b.Severity), cmp.Compare(a.Key, b.Key))
	})
	return r.problems
}

// shown quotes what an operator wrote so that it fits a line and moves no cursor.
func shown(s string) string {
	const most = 60
	if utf8.RuneCountInString(s) > most {
		s = string([]rune(s)[:most]) + "…"
	}
	for _, c := range s {
		if !unicode.IsPrint(c) {
			return fmt.Sprintf("%+q", s)
		}
	}
	return `"` + s + `"`
}
