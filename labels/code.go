package labels

import "fmt"

// Code is the public face of a label refusal: the words of the audit record and of the hostile-input list.
type Code uint8

const (
	NoCode        Code = iota
	CodeNoLabel        // no label, or an empty one, and nothing stands in for it
	CodeCount          // more than one securitylabel
	CodeMisplaced      // a securitylabel where no specification puts one
	CodeSyntax         // not readable as a label
	CodeUnknown        // a syntax, class or category that the policy does not have
	CodePolicy         // a policy that is not loaded
	CodeMismatch       // two parts of the label contradict each other
	CodeInvalid        // readable, but against the rules of its policy
	CodeClearance      // valid, but not covered by a clearance
)

var codeNames = [...]string{
	NoCode: "none", CodeNoLabel: "no-label", CodeCount: "label-count", CodeMisplaced: "label-misplaced",
	CodeSyntax: "label-syntax", CodeUnknown: "label-unknown", CodePolicy: "policy-unknown",
	CodeMismatch: "label-mismatch", CodeInvalid: "label-invalid", CodeClearance: "clearance",
}

// String returns the word of the audit record.
func (c Code) String() string {
	if int(c) < len(codeNames) {
		return codeNames[c]
	}
	return "code(" + fmt.Sprint(uint8(c)) + ")"
}

// ParseCode is the inverse of String.
func ParseCode(s string) (Code, bool) {
	for i, n := range codeNames {
		if n == s {
			return Code(i), true
		}
	}
	return NoCode, false
}

// Error says why a label or clearance could not be read.
type Error struct {
	Code   Code
	Detail string // for log and audit; quotes at most a short, escaped piece of the input
}

func (e *Error) Error() string { return e.Code.String() + ": " + e.Detail }

// Errorf builds an *Error. Quote what came from outside with Quote.
func Errorf(c Code, format string, args ...any) *Error {
	return &Error{Code: c, Detail: fmt.Sprintf(format, args...)}
}

// quoteLimit bounds what a detail repeats of its input, in bytes.
const quoteLimit = 64

// Quote escapes and shortens text from outside, for details.
func Quote(s string) string {
	if len(s) > quoteLimit {
		return fmt.Sprintf("%+q…", s[:quoteLimit])
	}
	return fmt.Sprintf("%+q", s)
}
