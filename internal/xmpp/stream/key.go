package stream

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"

	"sallyport/internal/xmpp/jid"
)

// Secret makes dialback keys (XEP-0185). The zero Secret makes none and accepts none.
type Secret struct{ key string }

// NewSecret derives the HMAC key: the 64-character hexadecimal text of
// SHA-256(secret), not its 32 bytes (XEP-0185 §3).
func NewSecret(secret string) Secret {
	if secret == "" {
		return Secret{}
	}
	sum := sha256.Sum256([]byte(secret))
	return Secret{key: hex.EncodeToString(sum[:])}
}

// IsZero reports whether the secret can make keys.
func (s Secret) IsZero() bool { return s.key == "" }

// String hides the secret from logs.
func (s Secret) String() string { return "stream.Secret(hidden)" }

// GoString hides the secret from %#v.
func (s Secret) GoString() string { return s.String() }

// Key returns the dialback key of the sender domain for the target domain on
// the stream with this id; empty for a zero Secret.
//
// The data is "T S ID" (XEP-0185 §3). T and S are domains, which hold no
// space, so the first two spaces are the boundaries whatever the id holds: no
// two different triples give the same data (G04).
func (s Secret) Key(target, sender jid.JID, id string) string {
	if s.IsZero() || target.IsZero() || sender.IsZero() {
		return ""
	}
	mac := hmac.New(sha256.New, []byte(s.key))
	mac.Write([]byte(target.Domain() + " " + sender.Domain() + " " + id))
	return hex.EncodeToString(mac.Sum(nil))
}

// Check compares a presented key in constant time.
func (s Secret) Check(key string, target, sender jid.JID, id string) bool {
	want := s.Key(target, sender, id)
	return want != "" && subtle.ConstantTimeCompare([]byte(want), []byte(key)) == 1
}
