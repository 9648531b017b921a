package jid

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/secure/precis"
)

// forbiddenInLocal are the characters that RFC 7622 §3.3.1 takes away from UsernameCaseMapped. The space is not in
// IdentifierClass either way.
const forbiddenInLocal = `"&'/:<>@`

// partError names the part and the rule. It never holds input: peers choose what is in an address.
type partError struct{ part, why string }

func (e *partError) Error() string { return ErrMalformed.Error() + ": " + e.part + " " + e.why }
func (e *partError) Unwrap() error { return ErrMalformed }

var (
	errTooLong       = &partError{"address", "is longer than 3071 bytes"}
	errNoDomain      = &partError{"domainpart", "is missing"}
	errEmptyLocal    = &partError{"localpart", "is empty"}
	errEmptyResource = &partError{"resourcepart", "is empty"}
	errLongLocal     = &partError{"localpart", "is longer than 1023 bytes"}
	errLongResource  = &partError{"resourcepart", "is longer than 1023 bytes"}
	errLocalClass    = &partError{"localpart", "has a character or an order of characters that UsernameCaseMapped does not allow"}
	errLocalChar     = &partError{"localpart", "has one of the characters that RFC 7622 forbids there"}
	errResourceClass = &partError{"resourcepart", "has a character that OpaqueString does not allow"}
)

// prepareLocal enforces UsernameCaseMapped (RFC 8265 §3.3) and RFC 7622 §3.3.1 on a non-empty localpart.
func prepareLocal(s string) (string, error) {
	if asciiPart(s, inLocal) {
		return s, nil
	}
	out, ok := enforce(precis.UsernameCaseMapped, s)
	switch {
	case !ok:
		return "", errLocalClass
	case out == "":
		return "", errEmptyLocal
	case len(out) > MaxPart:
		return "", errLongLocal
	case strings.ContainsAny(out, forbiddenInLocal):
		// After the mapping: a full-width at sign becomes a plain one.
		return "", errLocalChar
	}
	return out, nil
}

// prepareResource enforces OpaqueString (RFC 8265 §4.2) on a non-empty resourcepart.
func prepareResource(s string) (string, error) {
	if asciiPart(s, inResource) {
		return s, nil
	}
	out, ok := enforce(precis.OpaqueString, s)
	switch {
	case !ok:
		return "", errResourceClass
	case out == "":
		return "", errEmptyResource
	case len(out) > MaxPart:
		return "", errLongResource
	}
	return out, nil
}

// enforce applies p and wants the result to be stable under a second application (RFC 8264 §7): an address that
// changes each time it is prepared has no canonical form.
func enforce(p *precis.Profile, s string) (string, bool) {
	if !utf8.ValidString(s) {
		return "", false
	}
	out, err := p.String(s)
	if err != nil {
		return "", false
	}
	again, err := p.String(out)
	return out, err == nil && again == out
}
