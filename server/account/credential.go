package account

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha1" // #nosec G505 -- SCRAM-SHA-1 is mandatory to implement (RFC 6120 §13.8)
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"fmt"
	"hash"
	"io"
)

// Bounds on credentials.
const (
	// MinIterations is what RFC 7677 §4 asks for.
	MinIterations = 4096
	// MaxIterations keeps one PLAIN login below a second of work or so.
	MaxIterations = 1_000_000
	// DefaultIterations is what new passwords get.
	DefaultIterations = 10_000
	saltBytes         = 16
)

// Hash is the hash function of a SCRAM mechanism. The zero value is none.
type Hash uint8

// The hash functions. Their numbers are stored.
const (
	NoHash Hash = iota
	SHA1
	SHA256
	SHA512
)

// Hashes are all hash functions that credentials are made for, the strongest first.
func Hashes() []Hash { return []Hash{SHA512, SHA256, SHA1} }

// String is the name as mechanisms have it behind "SCRAM-".
func (h Hash) String() string {
	switch h {
	case SHA1:
		return "SHA-1"
	case SHA256:
		return "SHA-256"
	case SHA512:
		return "SHA-512"
	case NoHash:
	}
	return "none"
}

// ParseHash is the inverse of String.
func ParseHash(s string) (Hash, bool) {
	for _, h := range Hashes() {
		if h.String() == s {
			return h, true
		}
	}
	return NoHash, false
}

// New gives the function; nil for none.
func (h Hash) New() func() hash.Hash {
	switch h {
	case SHA1:
		return sha1.New
	case SHA256:
		return sha256.New
	case SHA512:
		return sha512.New
	case NoHash:
	}
	return nil
}

// Credential is what a server keeps for SCRAM (RFC 5802 §3). It proves a password and does not contain it.
type Credential struct {
	Hash       Hash
	Salt       []byte
	Iterations int
	StoredKey  []byte
	ServerKey  []byte
}

// Derive makes the credential of a prepared password.
func Derive(h Hash, prepared string, salt []byte, iterations int) (Credential, error) {
	if h.New() == nil {
		return Credential{}, fmt.Errorf("derive a credential: no hash function %d", h)
	}
	if iterations < 1 || iterations > MaxIterations || len(salt) == 0 {
		return Credential{}, fmt.Errorf("derive a credential: %d iterations, %d bytes of salt", iterations, len(salt))
	}
	salted, err := pbkdf2.Key(h.New(), prepared, salt, iterations, h.New()().Size())
	if err != nil {
		return Credential{}, fmt.Errorf("derive a credential: %w", err)
	}
	stored := h.New()()
	stored.Write(mac(h, salted, "Client Key"))
	return Credential{
		Hash: h, Salt: salt, Iterations: iterations,
		StoredKey: stored.Sum(nil), ServerKey: mac(h, salted, "Server Key"),
	}, nil
}

// Matches says whether the prepared password is the one of the credential. It takes the same time for each answer.
func (c Credential) Matches(prepared string) bool {
	other, err := Derive(c.Hash, prepared, c.Salt, c.Iterations)
	return err == nil && len(c.StoredKey) > 0 && subtle.ConstantTimeCompare(other.StoredKey, c.StoredKey) == 1
}

// newCredentials makes one credential for each hash.
func newCredentials(random io.Reader, prepared string, iterations int) ([]Credential, error) {
	var all []Credential
	for _, h := range Hashes() {
		salt := make([]byte, saltBytes)
		if _, err := io.ReadFull(random, salt); err != nil {
			return nil, fmt.Errorf("draw a salt: %w", err)
		}
		c, err := Derive(h, prepared, salt, iterations)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}

func mac(h Hash, key []byte, text string) []byte {
	m := hmac.New(h.New(), key)
	m.Write([]byte(text))
	return m.Sum(nil)
}
