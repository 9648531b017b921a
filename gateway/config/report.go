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
	failed   map[string]bool // keys with an error, and the tables and lists around them

	more         int  // problems beyond maxProblems
	failedBeyond bool // one of them is an error
}

// maxProblems is more than anybody corrects before looking again.
const maxProblems = 1000

// bad notes an error. The text says what is wrong, the advice what to do.
func (r *report) bad(key, text, advice string) { r.add(Error, key, text, advice) }

// risk notes a warning.
func (r *report) risk(key, text, advice string) { r.add(Warning, key, text, advice) }

func (r *report) add(s Severity, key, text, advice string) {
	r.addAt(Problem{Severity: s, File: r.file, Line: r.index.lineOf(key), Key: key, Text: text, Advice: advice})
}

func (r *report) addAt(p Problem) {
	if p.Severity == Error {
		if r.failed == nil {
			r.failed = map[string]bool{}
		}
		r.failed[p.Key], r.failed[parentKey(p.Key)] = true, true
	}
	if len(r.problems) >= maxProblems {
		r.more++
		r.failedBeyond = r.failedBeyond || p.Severity == Error
		return
	}
	r.problems = append(r.problems, p)
}

// errorAt reports whether a key, or something directly below it, was refused already.
func (r *report) errorAt(key string) bool { return r.failed[key] }

// sorted returns the problems in the order of the file, then those of other files.
func (r *report) sorted() Problems {
	elsewhere := func(p Problem) string {
		if p.File == r.file {
			return ""
		}
		return p.File
	}
	slices.SortStableFunc(r.problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(elsewhere(a), elsewhere(b)), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Severity, b.Severity), cmp.Compare(a.Key, b.Key))
	})
	if r.more > 0 {
		last := Problem{Severity: Warning, File: r.file, Text: fmt.Sprintf("there are %d more problems", r.more), Advice: "correct these first"}
		if r.failedBeyond {
			last.Severity = Error
		}
		r.problems = append(r.problems, last)
	}
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
