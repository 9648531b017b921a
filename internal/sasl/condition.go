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

// Failure is an authentication refused with a condition.
type Failure struct{ Condition Condition }

func (f *Failure) Error() string { return "sasl: " + f.Condition.String() }
