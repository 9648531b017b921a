package xep0258

import (
	"crypto/sha256"
	"errors"
	"strconv"
	"sync/atomic"

	"sallyport/internal/xmpp/xmlstream"
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

// Source says which part of a securitylabel spoke. The zero value is none.
type Source uint8

const (
	NoSource Source = iota
	FromLabel
	FromEmpty           // an empty label, which asks for the default
	fromFirstEquivalent // and the next ones
)

// FromEquivalent is the source of equivalentlabel n, counted from 1; those a binding holds follow.
func FromEquivalent(n int) Source { return fromFirstEquivalent + Source(n-1) }

// Equivalent returns which equivalent spoke, 0 for none.
func (s Source) Equivalent() int { return max(int(s)-int(fromFirstEquivalent)+1, 0) }

func (s Source) String() string {
	if n := s.Equivalent(); n > 0 {
		return "equivalent " + strconv.Itoa(n)
	}
	return [...]string{"none", "label", "empty"}[s]
}

// Found is what Read found. Label and Policy are set only when State is Labelled.
type Found struct {
	State  State
	Label  *labels.Label
	Policy *labels.Policy
	Syntax Syntax // of the label that counts, also of one that was refused if it can be told
	Source Source // an equivalent counts only where the sender is trusted to assert it
	// Refusal is the code when State is Refused, and the code to refuse with when nothing stands in for the label
	// in the states Unlabelled and UseDefault.
	Refusal Code
	Detail  string // for log and audit
	// Marking is the display marking received with an empty label, for Policy.Contradicts with the default label; and
	// of a canonical label.
	Marking string
	// Canonical says that the label came in ESS just as Element would write it, display marking included.
	Canonical bool
	// Replaced is the label that Label has succeeded at the time asked for (ADatP-4774 SuccessionHandling), nil where none was.
	Replaced *labels.Label

	received *receipt
	dated    bool // another time may give another answer
}

// receipt is the securitylabel that was read, with its digest once somebody has asked for it.
type receipt struct {
	element *xmlstream.Element
	digest  atomic.Pointer[[sha256.Size]byte]
}

// Received returns the securitylabel that was read, nil when there was none or more than one.
func (f Found) Received() *xmlstream.Element {
	if f.received == nil {
		return nil
	}
	return f.received.element
}

// Digest returns the SHA-256 of the canonical form of the securitylabel that was read, for the audit record. It is
// computed when first asked for. It is false when there is no such element, or one that cannot be written.
func (f Found) Digest() ([sha256.Size]byte, bool) {
	if f.received == nil {
		return [sha256.Size]byte{}, false
	}
	if d := f.received.digest.Load(); d != nil {
		return *d, true
	}
	b, err := xmlstream.AppendElement(nil, f.received.element, "")
	if err != nil {
		return [sha256.Size]byte{}, false
	}
	d := sha256.Sum256(b)
	f.received.digest.Store(&d)
	return d, true
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
	NoSyntax   Syntax = iota
	ESS               // esssecuritylabel with the categories of ACP 145, or any that is read
	STANAG4774        // originatorConfidentialityLabel
	STANAG4778        // the same inside a BindingInformation; it is written bare
	ICISM             // an element with IC-ISM attributes, under a mapping
	SDN801c           // esssecuritylabel with the categories of SDN.801c; read as ESS
)

var syntaxNames = [...]string{
	NoSyntax: "none", ESS: "ess", STANAG4774: "stanag-4774", STANAG4778: "stanag-4778", ICISM: "ic-ism", SDN801c: "sdn801c",
}

func (s Syntax) String() string {
	if int(s) < len(syntaxNames) {
		return syntaxNames[s]
	}
	return "syntax " + strconv.Itoa(int(s))
}

// ParseSyntax is the inverse of String.
func ParseSyntax(s string) (Syntax, bool) {
	for i, n := range syntaxNames {
		if i > 0 && n == s {
			return Syntax(i), true
		}
	}
	return NoSyntax, false
}
