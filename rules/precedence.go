package rules

import "fmt"

// Precedence is how urgent a rule says that a stanza is. It orders what waits for a link; it never stands in a stanza. The zero value
// is that no rule has said anything.
type Precedence uint8

// The precedences, as military messages have them (ACP 121).
const (
	NoPrecedence Precedence = iota
	Routine
	Priority
	Immediate
	Flash
	numPrecedences
)

var precedences = [numPrecedences]string{"", "routine", "priority", "immediate", "flash"}

// String returns the word in a configuration, or the empty string for NoPrecedence.
func (p Precedence) String() string {
	if p >= numPrecedences {
		return fmt.Sprintf("precedence(%d)", uint8(p))
	}
	return precedences[p]
}

// ParsePrecedence is the inverse of String; ok is false for any other word, and for the empty one.
func ParsePrecedence(word string) (p Precedence, ok bool) {
	for p := Routine; p < numPrecedences; p++ {
		if precedences[p] == word {
			return p, true
		}
	}
	return NoPrecedence, false
}

// Lane is the number of the lane that traffic of this precedence has on links and in the spool: 0 for routine, and for what nobody
// said anything about, up to 3 for flash.
func (p Precedence) Lane() uint8 {
	if p == NoPrecedence || p >= numPrecedences {
		return 0
	}
	return uint8(p - Routine)
}
