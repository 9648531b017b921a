package stanza

// Condition is one of the 22 stanza error conditions of RFC 6120 §8.3.3. The zero value is none of them.
type Condition uint8

// The conditions, in the order of the RFC.
const (
	NoCondition Condition = iota
	BadRequest
	Conflict
	FeatureNotImplemented
	Forbidden
	Gone
	InternalServerError
	ItemNotFound
	JIDMalformed
	NotAcceptable
	NotAllowed
	NotAuthorized
	PolicyViolation
	RecipientUnavailable
	Redirect
	RegistrationRequired
	RemoteServerNotFound
	RemoteServerTimeout
	ResourceConstraint
	ServiceUnavailable
	SubscriptionRequired
	UndefinedCondition
	UnexpectedRequest
	numConditions
)

// conditions gives the element name of each condition and the type that usually goes with it.
var conditions = [numConditions]struct {
	name string
	typ  ErrorType
}{
	NoCondition:           {"", NoErrorType},
	BadRequest:            {"bad-request", Modify},
	Conflict:              {"conflict", Cancel},
	FeatureNotImplemented: {"feature-not-implemented", Cancel},
	Forbidden:             {"forbidden", Auth},
	Gone:                  {"gone", Cancel},
	InternalServerError:   {"internal-server-error", Cancel},
	ItemNotFound:          {"item-not-found", Cancel},
	JIDMalformed:          {"jid-malformed", Modify},
	NotAcceptable:         {"not-acceptable", Modify},
	NotAllowed:            {"not-allowed", Cancel},
	NotAuthorized:         {"not-authorized", Auth},
	PolicyViolation:       {"policy-violation", Modify},
	RecipientUnavailable:  {"recipient-unavailable", Wait},
	Redirect:              {"redirect", Modify},
	RegistrationRequired:  {"registration-required", Auth},
	RemoteServerNotFound:  {"remote-server-not-found", Cancel},
	RemoteServerTimeout:   {"remote-server-timeout", Wait},
	ResourceConstraint:    {"resource-constraint", Wait},
	ServiceUnavailable:    {"service-unavailable", Cancel},
	SubscriptionRequired:  {"subscription-required", Auth},
	UndefinedCondition:    {"undefined-condition", Cancel},
	UnexpectedRequest:     {"unexpected-request", Wait},
}

// String returns the element name, or the empty string for NoCondition.
func (c Condition) String() string {
	if c >= numConditions {
		return ""
	}
	return conditions[c].name
}

// DefaultType returns the error type that RFC 6120 §8.3.3 gives with the condition.
func (c Condition) DefaultType() ErrorType {
	if c >= numConditions {
		return NoErrorType
	}
	return conditions[c].typ
}

// ParseCondition is the inverse of String; ok is false for any other name.
func ParseCondition(name string) (c Condition, ok bool) {
	for c := BadRequest; c < numConditions; c++ {
		if conditions[c].name == name {
			return c, true
		}
	}
	return NoCondition, false
}

// ErrorType is the type attribute of an <error/> (RFC 6120 §8.3.2).
type ErrorType uint8

// The five types.
const (
	NoErrorType ErrorType = iota
	Auth
	Cancel
	Continue
	Modify
	Wait
	numErrorTypes
)

var errorTypes = [numErrorTypes]string{"", "auth", "cancel", "continue", "modify", "wait"}

// String returns the attribute value, or the empty string for NoErrorType.
func (t ErrorType) String() string {
	if t >= numErrorTypes {
		return ""
	}
	return errorTypes[t]
}

// ParseErrorType is the inverse of String; ok is false for any other value.
func ParseErrorType(s string) (t ErrorType, ok bool) {
	for t := Auth; t < numErrorTypes; t++ {
		if errorTypes[t] == s {
			return t, true
		}
	}
	return NoErrorType, false
}
