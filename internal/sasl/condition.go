package sasl

// Condition is one of the 11 SASL failure conditions of RFC 6120 §6.5.
type Condition uint8

const (
	NoCondition Condition = iota
	Aborted
	AccountDisabled
	CredentialsExpired
	EncryptionRequired
	IncorrectEncoding
	InvalidAuthzid
	InvalidMechanism
	MalformedRequest
	MechanismTooWeak
	NotAuthorized
	TemporaryAuthFailure
)

var conditionNames = [...]string{
	NoCondition:          "",
	Aborted:              "aborted",
	AccountDisabled:      "account-disabled",
	CredentialsExpired:   "credentials-expired",
	EncryptionRequired:   "encryption-required",
	IncorrectEncoding:    "incorrect-encoding",
	InvalidAuthzid:       "invalid-authzid",
	InvalidMechanism:     "invalid-mechanism",
	MalformedRequest:     "malformed-request",
	MechanismTooWeak:     "mechanism-too-weak",
	NotAuthorized:        "not-authorized",
	TemporaryAuthFailure: "temporary-auth-failure",
}

// String is the element name, empty for NoCondition.
func (c Condition) String() string {
	if int(c) < len(conditionNames) {
		return conditionNames[c]
	}
	return ""
}

// ParseCondition is the inverse of String; unknown names, also from later
// specifications, are NotAuthorized with ok false.
func ParseCondition(name string) (c Condition, ok bool) {
	for i, n := range conditionNames {
		if i > 0 && n == name {
			return Condition(i), true
		}
	}
	return NotAuthorized, false
}

// Why is what the record should say of a failure, apart from the condition that the
// peer is told. The zero value is no particular reason.
type Why uint8

const (
	NoReason      Why = iota
	WrongProof        // password, signature or token
	WrongBinding      // data of another channel, or a type we do not have
	Downgraded        // the peer believes that we cannot bind, or may not do without
	BadName           // the user name is none
	BadAuthzID        // somebody else's identity
	NotInStanding     // disabled or expired
)

var whyNames = [...]string{"", "proof", "channel-binding", "downgrade", "name", "authzid", "standing"}

func (w Why) String() string {
	if int(w) < len(whyNames) {
		return whyNames[w]
	}
	return "unknown"
}

// Failure is an authentication refused with a condition. Why is for the record only.
type Failure struct {
	Condition Condition
	Why       Why
}

func (f *Failure) Error() string {
	if f.Why == NoReason {
		return "sasl: " + f.Condition.String()
	}
	return "sasl: " + f.Condition.String() + " (" + f.Why.String() + ")"
}
