package tlsid

import "fmt"

// Reason is why a certificate proves nothing, as a word for audit. The zero value is not an approval.
type Reason uint8

// The reasons, in the order they are looked for.
const (
	NotChecked         Reason = iota
	OK                        // the chain is good; names are another question
	NoCertificate             // the peer presented none
	ChainTooLong              // more than MaxChain certificates
	KeyTooLarge               // RSA modulus over MaxRSABits
	WeakKey                   // RSA under 2048 bits, or a curve under 256
	WeakSignature             // SHA-1, MD5
	TooManyNames              // more identities or name constraints than MaxNames
	MalformedNames            // subjectAltName cannot be read
	NotYetValid               // before notBefore
	Expired                   // after notAfter
	PinMismatch               // pins are configured and none matches
	SelfSigned                // signed by itself and not an anchor
	UnknownCA                 // no path to an anchor
	WrongUsage                // key usage or extended key usage forbids it
	ConstraintViolated        // name constraints, path length, basic constraints
	UnknownExtension          // a critical extension nobody here understands
	Revoked                   // on a revocation list
	RevocationUnknown         // no fresh list, and policy wants one
	ProtocolTooOld            // TLS version below the floor
	NameMismatch              // good, but not for this domain
)

var reasonWords = [...]string{
	NotChecked: "not-checked", OK: "ok", NoCertificate: "no-certificate", ChainTooLong: "chain-too-long",
	KeyTooLarge: "key-too-large", WeakKey: "weak-key", WeakSignature: "weak-signature", TooManyNames: "too-many-names",
	MalformedNames: "malformed-names", NotYetValid: "not-yet-valid", Expired: "expired", PinMismatch: "pin-mismatch",
	SelfSigned: "self-signed", UnknownCA: "unknown-ca", WrongUsage: "wrong-usage",
	ConstraintViolated: "constraint-violated", UnknownExtension: "unknown-extension", Revoked: "revoked",
	RevocationUnknown: "revocation-unknown", ProtocolTooOld: "protocol-too-old", NameMismatch: "name-mismatch",
}

// String returns the word.
func (r Reason) String() string {
	if int(r) < len(reasonWords) {
		return reasonWords[r]
	}
	return fmt.Sprintf("reason(%d)", uint8(r))
}

// ParseReason is the inverse of String.
func ParseReason(word string) (Reason, error) {
	for r, w := range reasonWords {
		if w == word {
			return Reason(r), nil //nolint:gosec // index of a short array
		}
	}
	return NotChecked, fmt.Errorf("tlsid: no reason %q", word)
}
