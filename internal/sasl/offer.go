package sasl

import (
	"crypto/sha1" // #nosec G505 -- SCRAM-SHA-1 is mandatory to implement (RFC 6120 §13.8)
	"crypto/sha256"
	"crypto/sha512"
	"hash"
	"slices"
	"strings"
)

// Names of mechanisms. Those of SCRAM may have PlusSuffix.
const (
	ScramSHA1   = "SCRAM-SHA-1"
	ScramSHA256 = "SCRAM-SHA-256"
	ScramSHA512 = "SCRAM-SHA-512"
	Plain       = "PLAIN"
	PlusSuffix  = "-PLUS"
)

// Types of channel binding (RFC 9266, RFC 5929).
const (
	TLSExporter       = "tls-exporter"
	TLSServerEndPoint = "tls-server-end-point"
)

// Binding is one way in which this channel can be named by both ends.
type Binding struct {
	Type string
	Data []byte
}

// Channel is what one attempt knows of the channel it runs on.
type Channel struct {
	Bindings       []Binding // what we can bind to; with any, the offer had -PLUS mechanisms
	RequireBinding bool      // refuse an attempt without
	// Offered are the names of all mechanisms of the offer, for the hash of
	// XEP-0474; empty leaves the hash out.
	Offered []string
	// Proven are the identities that the client's certificate has (EXTERNAL).
	Proven []string
	// Account prepares a user name into an identity (RFC 6120 §13.8.4, F13). Nil knows no names.
	Account func(username string) (identity string, ok bool)
	// Same reports whether an authorisation identity means the account. Nil compares bytes.
	Same func(authzid, identity string) bool
	// Nonce is the server's part of the SCRAM nonce: fresh, printable, no comma.
	Nonce string
}

// NewServer starts an attempt by a mechanism that was offered; nil for a name that
// is not known. Whether it was offered is the caller's to know.
func NewServer(mechanism string, ch Channel) Server {
	if h := scramHash(strings.TrimSuffix(mechanism, PlusSuffix)); h != nil {
		return &scramServer{name: mechanism, hash: h, plus: strings.HasSuffix(mechanism, PlusSuffix), ch: ch}
	}
	switch {
	case mechanism == Plain:
		return &plainServer{ch: ch}
	case mechanism == External:
		return &externalAccount{ExternalServer: ExternalServer{Identities: ch.Proven, Same: ch.Same}}
	case hashedToken(mechanism):
		return &tokenServer{name: mechanism, ch: ch}
	}
	return nil
}

func scramHash(name string) func() hash.Hash {
	switch name {
	case ScramSHA1:
		return sha1.New
	case ScramSHA256:
		return sha256.New
	case ScramSHA512:
		return sha512.New
	}
	return nil
}

// binding finds the binding of a type.
func (c *Channel) binding(typ string) ([]byte, bool) {
	for _, b := range c.Bindings {
		if b.Type == typ && len(b.Data) > 0 {
			return b.Data, true
		}
	}
	return nil, false
}

// identity prepares a name and holds an authorisation identity against it (F05):
// that says nothing of whether the account exists.
func (c *Channel) identity(username, authzid string) (string, error) {
	if c.Account == nil {
		return "", &Failure{Condition: NotAuthorized, Why: BadName}
	}
	id, ok := c.Account(username)
	if !ok || id == "" {
		return "", &Failure{Condition: NotAuthorized, Why: BadName}
	}
	if authzid != "" && authzid != id && (c.Same == nil || !c.Same(authzid, id)) {
		return "", &Failure{Condition: InvalidAuthzid, Why: BadAuthzID}
	}
	return id, nil
}

// offerHash is what both ends hash of the offer (XEP-0474 §5, attribute h).
func (c *Channel) offerHash(h hash.Hash) []byte {
	types := make([]string, len(c.Bindings))
	for i, b := range c.Bindings {
		types[i] = b.Type
	}
	text := strings.Join(slices.Sorted(slices.Values(c.Offered)), "\x1e")
	if len(types) > 0 {
		text += "\x1f" + strings.Join(slices.Sorted(slices.Values(types)), "\x1e")
	}
	_, _ = h.Write([]byte(text)) // a hash never fails
	return h.Sum(nil)
}
