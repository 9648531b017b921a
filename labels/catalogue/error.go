package catalogue

import (
	"errors"
	"fmt"
	"strconv"

	"sallyport/labels"
)

// Error says what is wrong with a catalogue.
type Error struct {
	Line  int         // of the file, 0 when there is none
	Item  int         // counted from 1, 0 for the catalogue as a whole
	Code  labels.Code // of a label that could not be read, else NoCode
	Text  string      // what is wrong; quotes at most short, escaped pieces
	Cause error
}

func (e *Error) Error() string {
	out := "catalogue"
	if e.Line > 0 {
		out = "line " + strconv.Itoa(e.Line)
	}
	if e.Item > 0 {
		out += ": item " + strconv.Itoa(e.Item)
	}
	return out + ": " + e.Text
}

func (e *Error) Unwrap() error { return e.Cause }

func errorf(item int, format string, args ...any) *Error {
	return &Error{Item: item, Text: fmt.Sprintf(format, args...)}
}

// because says in which item an error is.
func because(item int, err error) *Error {
	if e, ok := err.(*Error); ok {
		e.Item = item
		return e
	}
	e := &Error{Item: item, Text: err.Error(), Cause: err}
	var le *labels.Error
	if errors.As(err, &le) {
		e.Code = le.Code
	}
	return e
}
