package config

import (
	"errors"
	"fmt"
	"strings"
)

// Severity says whether a problem keeps a configuration from running. The zero value does.
type Severity uint8

// The severities.
const (
	Error Severity = iota
	Warning
)

// String is the word shown to people.
func (s Severity) String() string {
	switch s {
	case Error:
		return "error"
	case Warning:
		return "warning"
	}
	return "error"
}

// Problem is one thing to correct or to know.
type Problem struct {
	Severity Severity
	File     string // as given to Load
	Line     int    // 0: the file as a whole
	Key      string // full key, such as peer.b.side; empty: the file as a whole
	Text     string // what is wrong
	Advice   string // what to do
}

// String is one line: FILE:LINE: SEVERITY: KEY: TEXT; ADVICE.
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d", p.Line)
	}
	fmt.Fprintf(&b, ": %s: ", p.Severity)
	if p.Key != "" {
		b.WriteString(p.Key + ": ")
	}
	b.WriteString(p.Text)
	if p.Advice != "" {
		b.WriteString("; " + p.Advice)
	}
	return b.String()
}

// Problems are all problems of one configuration, in the order of the file.
type Problems []Problem

// Failed reports whether one of them is an error, so that there is no configuration.
func (ps Problems) Failed() bool {
	for _, p := range ps {
		if p.Severity == Error {
			return true
		}
	}
	return false
}

// Err is nil unless one of the problems is an error; else it says them all, one a line.
func (ps Problems) Err() error {
	var errs []error
	for _, p := range ps {
		if p.Severity == Error {
			errs = append(errs, errors.New(p.String()))
		}
	}
	return errors.Join(errs...)
}
