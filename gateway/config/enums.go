package config

// Authentication is a way to prove who one is.
type Authentication string

// The ways to authenticate.
const (
	External Authentication = "external"
	Dialback Authentication = "dialback"
)

// TLSVersion is a version of TLS.
type TLSVersion string

// The versions that are not broken (RFC 9325 section 3.1.1).
const (
	TLS12 TLSVersion = "1.2"
	TLS13 TLSVersion = "1.3"
)

// Usage is the extended key usage asked of a peer's certificate.
type Usage string

// The usages.
const (
	UsageAny    Usage = "any"
	UsageClient Usage = "client"
	UsageServer Usage = "server"
)

// TLSMode says how TLS begins on a configured route.
type TLSMode string

// The modes.
const (
	STARTTLS  TLSMode = "starttls"
	DirectTLS TLSMode = "direct"
)

// InDoubt says what becomes of a stanza that was written and not confirmed.
type InDoubt string

// The choices.
const (
	Bounce InDoubt = "bounce"
	Resend InDoubt = "resend"
)

// Confirm says how a peer without stream management confirms.
type Confirm string

// The choices.
const (
	ConfirmPing Confirm = "ping"
	ConfirmNone Confirm = "none"
)

// Unlabelled says what a message without a label is.
type Unlabelled string

// The choices.
const (
	UnlabelledRefuse  Unlabelled = "refuse"
	UnlabelledDefault Unlabelled = "default"
)

// LabelSyntax is a way to write a security label inside XEP-0258.
type LabelSyntax string

// The syntaxes.
const (
	SyntaxESS      LabelSyntax = "ess"
	SyntaxNATO4774 LabelSyntax = "nato4774"
	SyntaxICISM    LabelSyntax = "ic-ism"
	SyntaxSDN801c  LabelSyntax = "sdn801c"
)

// Translate says how labels of one policy become labels of another.
type Translate string

// The ways, as labels.Reading has them.
const (
	TranslateNone    Translate = "none"
	TranslateOutward Translate = "outbound"
	TranslateForeign Translate = "foreign-spif"
	TranslateLocal   Translate = "local-spif"
	TranslateTable   Translate = "table"
)

// AddEquivalent says what stands beside a label that was translated.
type AddEquivalent string

// The choices.
const (
	EquivalentNone        AddEquivalent = "none"
	EquivalentOriginal    AddEquivalent = "original"
	EquivalentTranslation AddEquivalent = "translation"
)

// Subjects says whether the subject of a room is checked.
type Subjects string

// The choices.
const (
	SubjectsJudge   Subjects = "judge"
	SubjectsXEP0258 Subjects = "xep-0258"
)

// SendLabels says what a peer is sent in the way of labels.
type SendLabels string

// The choices.
const (
	SendAsReceived SendLabels = "as-received"
	SendAlways     SendLabels = "always"
	SendNever      SendLabels = "never"
)

// Direction says which way a pair may talk.
type Direction string

// The directions.
const (
	Both          Direction = "both"
	FirstToSecond Direction = "first-to-second"
)
