// Package jid holds XMPP addresses in the one form that may be compared.
//
// A JID comes into being only through Parse and its relatives, which enforce RFC 7622: UsernameCaseMapped for the
// localpart, OpaqueString for the resourcepart (RFC 8265), IDNA2008 for the domainpart. What does not fit is refused
// with ErrMalformed; nothing is repaired. Two addresses are the same if and only if == says so.
//
// Where the specification leaves room, the package is on the strict side; see "Stricter than RFC 7622" in domain.go.
// It never resolves names, never holds state between calls (a Cache belongs to its caller), and its errors never
// contain any part of the input.
package jid

import (
	"errors"
	"strings"
)

// Limits of RFC 7622 §3.1, in bytes of UTF-8.
const (
	MaxPart  = 1023
	MaxTotal = 3*MaxPart + 2
)

// ErrMalformed is wrapped by every error of this package. On the wire it is the stanza error jid-malformed.
var ErrMalformed = errors.New("malformed address")

// JID is a prepared XMPP address. The zero value is no address. JIDs are comparable with == and usable as map keys.
//
// An address that arrived in canonical form shares memory with the string it was parsed from; use Clone before
// keeping it longer than that string.
type JID struct {
	s      string // canonical form of the whole address
	local  uint16 // bytes of the localpart; 0 means there is none
	domain uint16 // offset of the end of the domainpart in s
}

// Options widen what ParseWith accepts. The zero value is what Parse does.
type Options struct {
	// AllowIP accepts an IPv4 address or an IPv6 address in brackets as domainpart.
	AllowIP bool
}

// Parse reads an address. Input that is already canonical ASCII costs one pass and no allocation.
func Parse(s string) (JID, error) { return ParseWith(Options{}, s) }

// ParseWith is Parse with options.
func ParseWith(o Options, s string) (JID, error) {
	if j, ok := parseCanonical(s); ok {
		return j, nil
	}
	if len(s) > MaxTotal {
		return JID{}, errTooLong
	}
	local, domain, resource, err := split(s)
	if err != nil {
		return JID{}, err
	}
	return build(o, local, domain, resource)
}

// ParseDomain reads an address that consists of a domainpart only.
func ParseDomain(s string) (JID, error) { return New("", s, "") }

// New builds an address from parts that have not been prepared. An empty local or resource means the part is absent.
func New(local, domain, resource string) (JID, error) {
	if len(local)+len(domain)+len(resource)+2 > MaxTotal {
		return JID{}, errTooLong
	}
	return build(Options{}, local, domain, resource)
}

// MustParse is Parse for constants and tests: it panics on a malformed address.
func MustParse(s string) JID {
	j, err := Parse(s)
	if err != nil {
		panic("jid: " + err.Error())
	}
	return j
}

// String returns the canonical address. It does not allocate.
func (j JID) String() string { return j.s }

// Local returns the localpart, or the empty string.
func (j JID) Local() string { return j.s[:j.local] }

// Domain returns the domainpart: U-labels in lower case, without trailing dot.
func (j JID) Domain() string { return j.s[j.domainStart():j.domain] }

// Resource returns the resourcepart, or the empty string.
func (j JID) Resource() string {
	if !j.IsFull() {
		return ""
	}
	return j.s[j.domain+1:]
}

// Bare returns the address without its resourcepart. It does not allocate.
func (j JID) Bare() JID {
	j.s = j.s[:j.domain]
	return j
}

// DomainJID returns the address of the domain alone. It does not allocate.
func (j JID) DomainJID() JID {
	d := j.Domain()
	return JID{s: d, domain: uint16(len(d))}
}

// IsZero reports whether j is the zero value, which is no address.
func (j JID) IsZero() bool { return j.domain == 0 }

// IsBare reports whether j has a localpart and no resourcepart.
func (j JID) IsBare() bool { return j.local > 0 && len(j.s) == int(j.domain) }

// IsFull reports whether j has a resourcepart.
func (j JID) IsFull() bool { return len(j.s) > int(j.domain) }

// IsDomain reports whether j is a domainpart alone.
func (j JID) IsDomain() bool { return j.domain > 0 && j.local == 0 && len(j.s) == int(j.domain) }

// Clone returns the same address in memory of its own.
func (j JID) Clone() JID {
	j.s = strings.Clone(j.s)
	return j
}

// WithResource returns j with another resourcepart; an empty one removes it.
func (j JID) WithResource(resource string) (JID, error) {
	if j.IsZero() {
		return JID{}, errNoDomain
	}
	if resource == "" {
		return j.Bare(), nil
	}
	r, err := prepareResource(resource)
	if err != nil {
		return JID{}, err
	}
	j.s = j.s[:j.domain] + "/" + r
	return j, nil
}

// WithDomain returns j with another domainpart.
func (j JID) WithDomain(domain string) (JID, error) {
	d, err := prepareDomain(Options{}, domain)
	if err != nil {
		return JID{}, err
	}
	return join(j.Local(), d, j.Resource()), nil
}

func (j JID) domainStart() uint16 {
	if j.local == 0 {
		return 0
	}
	return j.local + 1
}

// RawDomain returns what stands in the place of the domainpart in s, unprepared: all that can be said of an address
// that Parse refuses.
func RawDomain(s string) string {
	if i := strings.IndexByte(s, '/'); i >= 0 {
		s = s[:i]
	}
	return s[strings.IndexByte(s, '@')+1:]
}

// split divides s as RFC 7622 §3.2 to §3.4 say: the first slash, then the first at sign before it.
func split(s string) (local, domain, resource string, err error) {
	domain = s
	if before, after, ok := strings.Cut(s, "/"); ok {
		domain, resource = before, after
		if resource == "" {
			return "", "", "", errEmptyResource
		}
	}
	if before, after, ok := strings.Cut(domain, "@"); ok {
		local, domain = before, after
		if local == "" {
			return "", "", "", errEmptyLocal
		}
	}
	return local, domain, resource, nil
}

func build(o Options, local, domain, resource string) (JID, error) {
	domain, err := prepareDomain(o, domain)
	if err != nil {
		return JID{}, err
	}
	if local != "" {
		if local, err = prepareLocal(local); err != nil {
			return JID{}, err
		}
	}
	if resource != "" {
		if resource, err = prepareResource(resource); err != nil {
			return JID{}, err
		}
	}
	return join(local, domain, resource), nil
}

// join puts prepared parts together. Each is at most MaxPart bytes, so the offsets fit.
func join(local, domain, resource string) JID {
	s := domain
	if local != "" {
		s = local + "@" + s
	}
	end := len(s)
	if resource != "" {
		s += "/" + resource
	}
	return JID{s: s, local: uint16(len(local)), domain: uint16(end)}
}
