package xep0258

import (
	"errors"
	"strconv"

	"sallyport/labels"
)

// Namespaces.
const (
	NS    = "urn:xmpp:sec-label:0"
	NSESS = "urn:xmpp:sec-label:ess:0"

	nsForward = "urn:xmpp:forward:0"
)

// Code is the reason of a refusal; see package labels.
type Code = labels.Code

// State says what a message has. The zero value refuses.
type State uint8

const (
	Refused    State = iota
	Unlabelled       // no securitylabel
	UseDefault       // an empty label, which asks for the default
	Labelled         // Label is set
)

func (s State) String() string {
	names := [...]string{"refused", "unlabelled", "use default", "labelled"}
	if int(s) < len(names) {
		return names[s]
	}
	return "state " + strconv.Itoa(int(s))
}

// Found is what Read found. Label and Policy are set only when State is Labelled.
type Found struct {
	State          State
	Label          *labels.Label
	Policy         *labels.Policy
	FromEquivalent bool // the label is an equivalent that the sender is trusted to assert
	// Refusal is the code when State is Refused, and the code to refuse with when nothing stands in for the label
	// in the states Unlabelled and UseDefault.
	Refusal Code
	Detail  string // for log and audit
	// Marking is the display marking received with an empty label, for Policy.Contradicts with the default label; and
	// of a canonical label.
	Marking string
	// Canonical says that the label came in ESS just as Element would write it, display marking included.
	Canonical bool
}

func refuse(c Code, detail string) Found { return Found{State: Refused, Refusal: c, Detail: detail} }

// refuseFor turns a reading error into a refusal.
func refuseFor(err error) Found {
	var e *labels.Error
	if errors.As(err, &e) {
		return refuse(e.Code, e.Detail)
	}
	return refuse(labels.CodeSyntax, err.Error())
}

// Syntax is a form of label inside the securitylabel.
type Syntax uint8

const (
	NoSyntax Syntax = iota
	ESS
	STANAG4774
)

func (s Syntax) String() string {
	names := [...]string{"none", "ess", "stanag-4774"}
	if int(s) < len(names) {
		return names[s]
	}
	return "syntax " + strconv.Itoa(int(s))
}

// ParseSyntax is the inverse of String.
func ParseSyntax(s string) (Syntax, bool) {
	switch s {
	case "ess":
		return ESS, true
	case "stanag-4774":
		return STANAG4774, true
	}
	return NoSyntax, false
}
