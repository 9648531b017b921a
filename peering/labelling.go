package peering

import (
	"sallyport/labels"
	"sallyport/labels/textmark"
	"sallyport/labels/xep0258"
)

// Labelling is how a peer labels and is labelled. The zero value is cleared for nothing that has a label, refuses what
// has none, translates nothing and asserts nothing.
type Labelling struct {
	// Clearances of the peer; the one under the label's policy counts. A clearance is never translated: a label under a
	// policy that the peer has no clearance for is, where TranslateOut says how.
	Clearances   labels.ClearanceSet
	DefaultLabel *labels.Label // see Definition.DefaultLabels for what stands before and behind it
	Unlabelled   Unlabelled
	SendLabels   SendLabels
	// LabelSyntaxes are what it may use, the first of them what it is sent. Empty: any, and
	// as received.
	LabelSyntaxes []xep0258.Syntax

	// LabelPolicy is the policy that the peer reads labels under; nil: that of its side.
	LabelPolicy *labels.Policy
	// TranslateIn is how labels that it sends become labels of the side they go to, TranslateOut how labels become
	// labels of its own policy.
	TranslateIn, TranslateOut labels.Reading
	Discard                   []labels.Value   // values of any policy that a translation may drop
	Table                     []labels.Mapping // for the reading of that name

	TrustEquivalents []string // policies (OID) under which it may assert equivalent labels
	Equivalents      Equivalents
	KeepPrivacyMarks bool   // written to it, where a label has one
	DEROnly          bool   // ESS labels it sends must be in the distinguished encoding
	Lenient          bool   // see nato4774.Options
	Language         string // of the display markings it is sent

	FirstLines     *textmark.Table // markings in the first line of text that it may label with; nil: none
	WriteFirstLine bool            // text it is sent begins with the marking
	Clients        ToClients       // of the server of this node alone
	Subjects       Subjects
}

// Unlabelled says what a message without a label is. The zero value refuses it.
type Unlabelled uint8

const (
	UnlabelledRefuse  Unlabelled = iota
	UnlabelledDefault            // judged under a default label
)

// SendLabels says what a peer is sent in the way of labels. The zero value passes the
// label on as received.
type SendLabels uint8

const (
	SendAsReceived SendLabels = iota
	SendAlways                // also writes the default label onto what came without
	SendNever                 // removes labels; the peer does not know them
)

// Equivalents says what stands beside the label that a peer is sent. Equivalent labels that were received never do: they
// are octets of the sender's choice. The zero value writes none.
type Equivalents uint8

const (
	NoEquivalents  Equivalents = iota
	AddOriginal                // label is the translation, the label as received is its equivalent (ADatP-4774.1 §4.2)
	AddTranslation             // label stays what it was, the translation is its equivalent
	numEquivalents
)

// Subjects says what the subject of a room is. The zero value judges it like any message.
type Subjects uint8

const (
	JudgeSubjects Subjects = iota
	FreeSubjects           // a bare change of subject is not checked (XEP-0258 §5.2); both peers must say so
)
