package account

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/bidi"
	"golang.org/x/text/unicode/norm"

	"sallyport/internal/xmpp/jid"
)

// MaxPasswordBytes bounds a password, so that nobody makes the server hash a book.
const MaxPasswordBytes = 1024

// ErrPassword: the password cannot be taken; what wraps it says why.
var ErrPassword = errors.New("the password cannot be used")

// Prepare gives the form of a password that is hashed: SASLprep (RFC 4013), so that the same password typed on two
// keyboards is one.
func Prepare(password string) (string, error) {
	if len(password) > MaxPasswordBytes {
		return "", fmt.Errorf("%w: it has more than %d bytes", ErrPassword, MaxPasswordBytes)
	}
	if !utf8.ValidString(password) {
		return "", fmt.Errorf("%w: it is not UTF-8", ErrPassword)
	}
	prepared := norm.NFKC.String(strings.Map(mapped, password))
	switch {
	case prepared == "":
		return "", fmt.Errorf("%w: it is empty", ErrPassword)
	case strings.ContainsFunc(prepared, prohibited):
		return "", fmt.Errorf("%w: it has a control character, or one that is not for text", ErrPassword)
	case mixesDirections(prepared):
		return "", fmt.Errorf("%w: it mixes text from right to left with text from left to right", ErrPassword)
	}
	return prepared, nil
}

// mapped is RFC 4013 §2.1: other spaces become a space, and what RFC 3454 table B.1 lists becomes nothing.
func mapped(r rune) rune {
	switch {
	case r == 0x00AD, r == 0x034F, r == 0x1806, r >= 0x180B && r <= 0x180D, r >= 0x200B && r <= 0x200D,
		r == 0x2060, r >= 0xFE00 && r <= 0xFE0F, r == 0xFEFF:
		return -1
	case r > 0x7F && unicode.Is(unicode.Zs, r):
		return ' '
	}
	return r
}

// prohibited is RFC 4013 §2.3: the tables C.2 to C.9 of RFC 3454.
func prohibited(r rune) bool {
	switch {
	case unicode.Is(unicode.Cc, r), unicode.Is(unicode.Co, r), unicode.Is(unicode.Zl, r), unicode.Is(unicode.Zp, r):
		return true
	case r > 0x7F && unicode.Is(unicode.Zs, r):
		return true
	case unicode.Is(unicode.Noncharacter_Code_Point, r), r == 0x0340, r == 0x0341, r == 0x06DD, r == 0x070F, r == 0x180E:
		return true
	case r >= 0x200E && r <= 0x200F, r >= 0x202A && r <= 0x202E, r >= 0x2061 && r <= 0x2063, r >= 0x206A && r <= 0x206F:
		return true
	case r >= 0x2FF0 && r <= 0x2FFB, r >= 0xFFF9 && r <= 0xFFFD, r >= 0x1D173 && r <= 0x1D17A, r == 0xE0001, r >= 0xE0020 && r <= 0xE007F:
		return true
	}
	return false
}

// mixesDirections is RFC 3454 §6: a string with a character of class R or AL has none of L, and begins and ends with R or AL.
func mixesDirections(s string) bool {
	var left, right, first, last bool
	for i, r := range s {
		p, _ := bidi.LookupRune(r)
		last = p.Class() == bidi.R || p.Class() == bidi.AL
		right = right || last
		left = left || p.Class() == bidi.L
		if i == 0 {
			first = last
		}
	}
	return right && (left || !first || !last)
}

// Policy is what new passwords must satisfy. The zero value stands for the defaults.
type Policy struct {
	MinLength  int // in characters; 0: 10
	Iterations int // of PBKDF2; 0: DefaultIterations
}

func (p Policy) minLength() int {
	if p.MinLength <= 0 {
		return 10
	}
	return p.MinLength
}

func (p Policy) iterations() int {
	if p.Iterations <= 0 {
		return DefaultIterations
	}
	return min(max(p.Iterations, MinIterations), MaxIterations)
}

// Check says what is wrong with a new password, as ErrPassword.
func (p Policy) Check(bare jid.JID, password string) error {
	prepared, err := Prepare(password)
	if err != nil {
		return err
	}
	return p.check(bare, prepared)
}

// check holds a prepared new password against the policy.
func (p Policy) check(bare jid.JID, prepared string) error {
	if n := utf8.RuneCountInString(prepared); n < p.minLength() {
		return fmt.Errorf("%w: it has %d characters, at least %d are wanted", ErrPassword, n, p.minLength())
	}
	lower := strings.ToLower(prepared)
	if local := bare.Local(); utf8.RuneCountInString(local) > 3 && strings.Contains(lower, local) {
		return fmt.Errorf("%w: it contains the name of the account", ErrPassword)
	}
	first, size := utf8.DecodeRuneInString(prepared)
	if strings.Trim(prepared[size:], string(first)) == "" {
		return fmt.Errorf("%w: it is one character again and again", ErrPassword)
	}
	return nil
}
