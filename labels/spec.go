package labels

import "time"

// The specification of a policy: what a policy file says, with references still by name. Line is where the thing
// stands in its file, 0 when unknown. Package spif fills it; Compile checks it.

// PolicySpec is a whole policy.
type PolicySpec struct {
	Name, ID            string
	Version             string
	NotBefore, NotAfter time.Time // zero: unlimited
	About               About
	Markings            []MarkingSpec
	Qualifiers          []QualifierSpec
	Classes             []ClassSpec
	// ClassMarkings and ClassQualifiers hold for every classification that says nothing of its own.
	ClassMarkings   []MarkingSpec
	ClassQualifiers []QualifierSpec
	TagSets         []TagSetSpec
	Privacy         PrivacySpec
	Equivalents     []EquivalentPolicySpec
	Line            int
}

// About is what a policy file says of itself and of binary syntaxes. Nothing of it takes part in a decision.
type About struct {
	Schema                     string // schemaVersion, "" when it has none
	Created, Originator, KeyID string
	// Privilege and RBAC are the syntaxes of categories in binary clearances and labels (privilegeId, rbacId), dotted.
	Privilege, RBAC string
	// Default is the policy for data without label (defaultSecurityPolicyId). A SPIF cannot say which classification that
	// is here, so that its effect is configuration.
	Default PolicyRef
	// UserRef and DocRef are addresses of explanations for people. Nothing fetches them.
	UserRef, DocRef string
	// Extensions names what stands in extensions, "{namespace}name"; its content is not read.
	Extensions []string
}

// PolicyRef names a policy.
type PolicyRef struct{ Name, ID string }

// PrivacySpec lists the privacy marks that the policy knows.
type PrivacySpec struct {
	Min, Max   int // as for a tag; a binary label carries at most one mark
	Marks      []PrivacyMarkSpec
	Markings   []MarkingSpec // for every mark that says nothing of its own
	Qualifiers []QualifierSpec
}

// PrivacyMarkSpec is one privacy mark. It has no meaning for access.
type PrivacyMarkSpec struct {
	Name       string
	Obsolete   bool
	Markings   []MarkingSpec
	Qualifiers []QualifierSpec
	Line       int
}

// ClassSpec is one classification.
type ClassSpec struct {
	Name       string
	LACV       uint32
	Hierarchy  int // display and dominant label; never the decision
	Color      string
	Obsolete   bool
	Markings   []MarkingSpec
	Qualifiers []QualifierSpec
	Required   []RequiredSpec
	// Equivalents are classifications of other policies that mean the same.
	Equivalents []EquivalentClassSpec
	Line        int
}

// TagSetSpec is a named group of categories with an OID.
type TagSetSpec struct {
	Name, ID    string
	Tags        []TagSpec
	Equivalents []EquivalentTagSetSpec
	Line        int
}

// TagSpec is one tag. Its name is for people and may repeat within a policy: a tag is known by its position.
type TagSpec struct {
	Name       string
	Kind       Kind
	Single     bool // at most one value
	Min, Max   int  // bounds on the number of values when the tag is used; Max 0 is unbounded
	Categories []CategorySpec
	Qualifiers []QualifierSpec
	Line       int
}

// CategorySpec is one value of a tag.
type CategorySpec struct {
	Name     string
	LACV     uint32
	Obsolete bool
	// Typed says that users type the value (userInput). Only the declaration has a number, so that no label or
	// clearance can name what was typed: it is refused.
	Typed               bool
	NotBefore, NotAfter time.Time
	RequiredClass       string
	ExcludedClasses     []string
	Required            []RequiredSpec
	Excluded            []GroupSpec
	Markings            []MarkingSpec
	Qualifiers          []QualifierSpec
	// Equivalents are values of other policies that mean the same; several for one policy are all added.
	Equivalents []EquivalentCategorySpec
	Line        int
}

// Operation says how many groups of a RequiredSpec must match.
type Operation uint8

const (
	// All is the zero value, because a rule without operation must not be dropped.
	All Operation = iota
	OneOrMore
	OnlyOne
)

// RequiredSpec is a rule about categories that must be present.
type RequiredSpec struct {
	Operation Operation
	Groups    []GroupSpec
	Line      int
}

// GroupSpec names one value, or with Any every value, of a kind in a tag set.
type GroupSpec struct {
	TagSet string // name
	Kind   Kind   // InformativeBits stands for both informative kinds
	LACV   uint32
	Any    bool
	Line   int
}

// MarkingSpec is an entry for one or more places. Codes are in lower case. An entry without phrase means the name; one
// with an empty phrase means nothing at all.
type MarkingSpec struct {
	HasPhrase bool
	Phrase    string
	Lang      string
	Codes     []string
}

// Role says where the text of a qualifier goes.
type Role uint8

const (
	NoRole Role = iota
	Prefix
	Suffix
	Separator
)

// QualifierSpec is a prefix, suffix or separator for one place. Code is in lower case; empty counts everywhere.
type QualifierSpec struct {
	Code string
	Role Role
	Text string
	Lang string
}

// Problem is something wrong with a policy. A policy with a problem that is not a warning does not exist.
type Problem struct {
	Line    int
	Rule    string // the word of the rule that is broken
	Text    string
	Warning bool
	// Policy is the name of the policy, where several were checked together.
	Policy string
}
