package sasl

import (
	"strings"
	"unicode/utf8"
)

// Bounds on what a client can say in SCRAM.
const (
	minNonce    = 8
	maxNonce    = 512
	maxUsername = 1023 // bytes, as a localpart (RFC 7622 §3.3)
)

// clientFirst is client-first-message (RFC 5802 §7).
type clientFirst struct {
	gs2      string // header with both commas, as it came
	bare     string // all behind it
	flag     byte   // n, y or p
	bindType string
	authzid  string
	username string
	nonce    string
	identity string // what the username was prepared to
}

func parseClientFirst(text string) (f clientFirst, ok bool) {
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return f, false
	}
	flag, rest, ok := strings.Cut(text, ",")
	authz, bare, ok2 := strings.Cut(rest, ",")
	if !ok || !ok2 || flag == "" {
		return f, false
	}
	f.gs2, f.bare, f.flag = text[:len(text)-len(bare)], bare, flag[0]
	switch f.flag {
	case 'n', 'y':
		ok = len(flag) == 1
	case 'p':
		f.bindType, ok = strings.CutPrefix(flag, "p=")
		ok = ok && f.bindType != ""
	default:
		ok = false
	}
	if ok && authz != "" {
		if f.authzid, ok = strings.CutPrefix(authz, "a="); ok {
			f.authzid, ok = unescapeName(f.authzid)
		}
	}
	if !ok {
		return f, false
	}
	attrs := strings.Split(bare, ",")
	if len(attrs) < 2 || !extensions(attrs[2:]) {
		return f, false
	}
	name, okName := strings.CutPrefix(attrs[0], "n=") // m= before it is a mandatory extension that we do not have
	nonce, okNonce := strings.CutPrefix(attrs[1], "r=")
	if !okName || !okNonce || len(nonce) < minNonce || len(nonce) > maxNonce || !printable(nonce) {
		return f, false
	}
	f.nonce = nonce
	f.username, ok = unescapeName(name)
	return f, ok && len(f.username) <= maxUsername
}

// clientFinal is client-final-message.
type clientFinal struct {
	withoutProof string
	binding      []byte
	nonce        string
	proof        []byte
}

func parseClientFinal(text string) (f clientFinal, ok bool) {
	at := strings.LastIndex(text, ",p=")
	if at < 0 || !utf8.ValidString(text) {
		return f, false
	}
	f.withoutProof = text[:at]
	attrs := strings.Split(f.withoutProof, ",")
	if len(attrs) < 2 || !extensions(attrs[2:]) {
		return f, false
	}
	binding, okBinding := strings.CutPrefix(attrs[0], "c=")
	nonce, okNonce := strings.CutPrefix(attrs[1], "r=")
	if !okBinding || !okNonce || nonce == "" {
		return f, false
	}
	f.nonce = nonce
	var err error
	if f.binding, _, err = DecodeText(binding); err != nil {
		return f, false
	}
	if f.proof, _, err = DecodeText(text[at+len(",p="):]); err != nil {
		return f, false
	}
	return f, true
}

// extensions accepts optional attributes that nobody knows and refuses m= (RFC 5802 §5.1, F09).
func extensions(attrs []string) bool {
	for _, a := range attrs {
		if len(a) < 2 || a[1] != '=' || a[0] == 'm' || !letter(a[0]) {
			return false
		}
	}
	return true
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// printable is the alphabet of a nonce: visible ASCII without the comma.
func printable(s string) bool {
	for i := range len(s) {
		if s[i] < 0x21 || s[i] > 0x7e || s[i] == ',' {
			return false
		}
	}
	return true
}

// unescapeName reads a saslname: =2C and =3D, no other =.
func unescapeName(s string) (string, bool) {
	if !strings.Contains(s, "=") {
		return s, s != ""
	}
	plain := strings.NewReplacer("=2C", ",", "=3D", "=").Replace(s)
	rest := strings.NewReplacer("=2C", "", "=3D", "").Replace(s)
	return plain, !strings.Contains(rest, "=")
}
