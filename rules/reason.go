package rules

// Reason says why a profile refused a stanza. The zero value is no reason: of a result that was not refused, or of one
// that was never filled in.
type Reason uint8

// The reasons, each with the word that audit and operators see.
const (
	NoReason      Reason = iota
	NotListed            // profile: kind, type, element, attribute, text or number not on the allow-list
	IQKind               // iq-kind: the request or its payload is not on the allow-list
	UnicodePolicy        // unicode-policy: a character, or a pile of them, that the text policy forbids
	WrappedStanza        // wrapped: a carrier of other stanzas, or a stanza inside something that is none
	EncryptedBody        // encrypted: what cannot be looked at
	TooDeep              // depth
	TooLarge             // size: of the body, of another text, of all together, or too many elements
	Empty                // empty: nothing was left after removing what is not on the list
	numReasons
)

var reasons = [numReasons]string{
	"", "profile", "iq-kind", "unicode-policy", "wrapped", "encrypted", "depth", "size", "empty",
}

// String returns the audit word, or the empty string for NoReason.
func (r Reason) String() string {
	if r >= numReasons {
		return ""
	}
	return reasons[r]
}

// ParseReason is the inverse of String; ok is false for any other word.
func ParseReason(word string) (r Reason, ok bool) {
	for r := NotListed; r < numReasons; r++ {
		if reasons[r] == word {
			return r, true
		}
	}
	return NoReason, false
}
