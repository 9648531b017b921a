package jid

import (
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/secure/precis"
)

// Stricter than RFC 7622, on purpose:
//
//   - a label longer than 63 bytes as A-label is refused: no certificate and no DNS answer can name it;
//   - a final label of digits (or 0x and hexadecimal digits) is refused unless the whole is an allowed IP literal:
//     some resolvers read "127.1" and "0x7f.1" as addresses;
//   - zero-width and other default-ignorable characters are refused, where UTS 46 would drop them;
//   - symbols and emoji are refused (IDNA2008 disallows them, UTS 46 does not), as are hyphens in third and fourth place;
//   - an IPv4 address inside an IPv6 literal and an IPv6 zone are refused even where IP literals are allowed.
//
// One thing is wider, as RFC 5895 §2.4 has it: U+3002, U+FF0E and U+FF61 count as dots, also for the one trailing dot.

// DNS limits (RFC 1035 §2.3.4), in bytes of the A-label form.
const (
	maxLabel = 63
	maxName  = 253
)

// acePrefix begins every A-label (RFC 5890 §2.3.2.5).
const acePrefix = "xn--"

var (
	errLongDomain  = &partError{"domainpart", "is longer than 1023 bytes"}
	errDomainUTF8  = &partError{"domainpart", "is not UTF-8"}
	errDomainClass = &partError{"domainpart", "has a label that IDNA2008 does not allow"}
	errFakeALabel  = &partError{"domainpart", "has an A-label that stands for no U-label"}
	errLongLabel   = &partError{"domainpart", "has a label longer than 63 bytes"}
	errIPLiteral   = &partError{"domainpart", "is an IP address or ends like one"}
	errNotDNS      = &partError{"domainpart", "does not fit into a DNS name"}
)

// mapping is UTS 46 in its non-transitional form with the bidi rule (RFC 5893); pvalid is IDNA2008's own set of
// code points, which RFC 8264 §9.11 shares with IdentifierClass but for ASCII and upper case. Both are immutable.
var (
	mapping = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.StrictDomainName(true), idna.Transitional(false))
	pvalid  = precis.NewIdentifier()
)

// prepareDomain returns the canonical domainpart: U-labels, lower case, NFC, no trailing dot.
func prepareDomain(o Options, s string) (string, error) {
	if asciiDomain(s) {
		return s, nil
	}
	if len(s) > MaxPart {
		return "", errLongDomain
	}
	if strings.HasPrefix(s, "[") {
		return ipv6Literal(o, s)
	}
	s, err := withoutTrailingDot(s)
	if err != nil {
		return "", err
	}
	u, err := toULabels(s)
	if err != nil {
		return "", err
	}
	if endsInNumber(u) {
		if ip, err := netip.ParseAddr(u); o.AllowIP && err == nil && ip.Is4() {
			return ip.String(), nil
		}
		return "", errIPLiteral
	}
	if len(u) > MaxPart {
		return "", errLongDomain
	}
	return u, nil
}

// withoutTrailingDot maps the dots of RFC 3490 §3.1 to full stops and strips one at the end (RFC 7622 §3.2).
func withoutTrailingDot(s string) (string, error) {
	if !utf8.ValidString(s) {
		return "", errDomainUTF8
	}
	s = strings.Map(func(r rune) rune {
		if r == '\u3002' || r == '\uFF0E' || r == '\uFF61' {
			return '.'
		}
		return r
	}, s)
	s = strings.TrimSuffix(s, ".")
	if s == "" {
		return "", errNoDomain
	}
	return s, nil
}

// toULabels maps s to U-labels and proves that the way to A-labels and back ends where it began.
func toULabels(s string) (string, error) {
	if strings.ContainsFunc(s, ignorable) {
		return "", errDomainClass
	}
	u, err := mapping.ToUnicode(s)
	if err != nil {
		return "", errDomainClass
	}
	a, err := mapping.ToASCII(u)
	if err != nil {
		return "", errDomainClass
	}
	if again, err := mapping.ToUnicode(a); err != nil || again != u {
		return "", errFakeALabel
	}
	given, ulabels, alabels := strings.Split(s, "."), strings.Split(u, "."), strings.Split(a, ".")
	if len(given) != len(ulabels) || len(given) != len(alabels) {
		return "", errDomainClass // a character that maps to something with a dot in it
	}
	for i := range given {
		if err := checkLabel(given[i], ulabels[i], alabels[i]); err != nil {
			return "", err
		}
	}
	return u, nil
}

// checkLabel holds one label, as it was given and in both forms, against the rules that package idna leaves out.
func checkLabel(given, u, a string) error {
	if u == "" {
		return errDomainClass
	}
	if len(a) > maxLabel {
		return errLongLabel
	}
	if strings.HasPrefix(u, acePrefix) {
		return errFakeALabel
	}
	if hasACEPrefix(given) && (u == a || !strings.EqualFold(given, a)) {
		return errFakeALabel // decodes to ASCII, or to something whose A-label is another one
	}
	if u == a {
		if !asciiPart(u, inDomain) || !ldhLabel(u) {
			return errDomainClass
		}
		return nil
	}
	if p, err := pvalid.String(u); err != nil || p != u {
		return errDomainClass
	}
	return nil
}

func hasACEPrefix(label string) bool {
	return len(label) >= len(acePrefix) && strings.EqualFold(label[:len(acePrefix)], acePrefix)
}

// ignorable reports the characters that UTS 46 would silently drop. The two joiners are not among them: they mean
// something in some scripts, and the rules of RFC 5892 appendix A decide about them.
func ignorable(r rune) bool {
	if r < 0x80 || r == '\u200C' || r == '\u200D' {
		return false
	}
	return unicode.In(r, unicode.Cf, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point)
}

// endsInNumber reports whether the last label is what an address parser would take for a number.
func endsInNumber(s string) bool {
	last := s[strings.LastIndexByte(s, '.')+1:]
	digits := strings.TrimPrefix(last, "0x")
	if digits == last {
		return strings.Trim(last, "0123456789") == ""
	}
	return strings.Trim(digits, "0123456789abcdef") == ""
}

// ipv6Literal reads "[" IPv6address "]" (RFC 3986 §3.2.2) and writes it as RFC 5952 wants it.
func ipv6Literal(o Options, s string) (string, error) {
	if !o.AllowIP || !strings.HasSuffix(s, "]") {
		return "", errIPLiteral
	}
	ip, err := netip.ParseAddr(s[1 : len(s)-1])
	if err != nil || !ip.Is6() || ip.Is4In6() || ip.Zone() != "" {
		return "", errIPLiteral
	}
	return "[" + ip.String() + "]", nil
}

// ASCIIDomain returns the A-label form that DNS and certificates use. domain is canonical, as JID.Domain returns it.
func ASCIIDomain(domain string) (string, error) {
	if asciiDomain(domain) && len(domain) <= maxName {
		return domain, nil
	}
	if d, err := prepareDomain(Options{}, domain); err != nil {
		return "", err
	} else if d != domain {
		return "", errDomainClass
	}
	a, err := mapping.ToASCII(domain)
	if err != nil || len(a) > maxName {
		return "", errNotDNS
	}
	return a, nil
}

// ShowDomain returns the domain as an operator should see it: one that is not ASCII, and so may only look like another, with its A-label
// beside it.
func (j JID) ShowDomain() string {
	d := j.Domain()
	if a, err := ASCIIDomain(d); err == nil && a != d {
		return d + " (" + a + ")"
	}
	return d
}
