package tlsid

import (
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"sallyport/internal/xmpp/jid"
)

// MaxNames bounds the identities of one certificate and the constraints of one authority (bad input E11).
const MaxNames = 256

// ServiceServer is the SRVName service of server-to-server streams.
const ServiceServer = "_xmpp-server"

var (
	oidSAN      = asn1.ObjectIdentifier{2, 5, 29, 17}
	oidXMPPAddr = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 8, 5} // RFC 6120 §13.7.1.4
	oidSRVName  = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 8, 7} // RFC 4985 §2
)

var errNames = errors.New("subjectAltName cannot be read")

// Names are the identities that a leaf certificate presents.
type Names struct {
	DNS  []string  // dNSName, lower case, wildcards as written
	SRV  []SRVName // otherName SRVName
	XMPP []string  // otherName XmppAddr, as written
	// Accounts are the XmppAddr that name somebody within a domain, as written. They mean nothing between servers.
	Accounts []string
}

// SRVName is a service bound to a name.
type SRVName struct{ Service, Name string }

// Kind says which identity matched.
type Kind uint8

// The kinds of identity; the zero value is no match.
const (
	NoKind Kind = iota
	DNSID
	SRVID
	XMPPAddr
)

// String returns the word used in audit records.
func (k Kind) String() string {
	switch k {
	case NoKind:
		return "none"
	case DNSID:
		return "dns-id"
	case SRVID:
		return "srv-id"
	case XMPPAddr:
		return "xmpp-addr"
	}
	return "unknown"
}

// ParseNames reads the subjectAltName of a certificate. Names of no use to XMPP (addresses, URIs, directory names) are passed over;
// a subjectAltName that cannot be read is an error.
func ParseNames(cert *x509.Certificate) (Names, error) {
	var n Names
	for _, ext := range cert.Extensions {
		if !ext.Id.Equal(oidSAN) {
			continue
		}
		if err := n.parse(ext.Value); err != nil {
			return Names{}, err
		}
	}
	return n, nil
}

// Len counts the identities.
func (n *Names) Len() int { return len(n.DNS) + len(n.SRV) + len(n.XMPP) + len(n.Accounts) }

// Match says which identity, if any, is the canonical (U-label) domain. Any match wins (RFC 9525 §6.2), the plainest first.
// Common names are not looked at.
func (n *Names) Match(domain string) Kind {
	ascii, err := jid.ASCIIDomain(domain)
	if err != nil || ascii == "" {
		return NoKind
	}
	for _, d := range n.DNS {
		if matchDNS(d, ascii) {
			return DNSID
		}
	}
	for _, s := range n.SRV {
		if s.Service == ServiceServer && matchDNS(s.Name, ascii) {
			return SRVID
		}
	}
	for _, x := range n.XMPP {
		if j, err := jid.ParseDomain(x); err == nil && j.Domain() == domain {
			return XMPPAddr
		}
	}
	return NoKind
}

// matchDNS compares a presented name, lower case, with an A-label domain (RFC 9525 §6.3). A wildcard is the whole left-most label,
// stands for exactly one label, and never sits directly below a top-level domain.
func matchDNS(pattern, domain string) bool {
	if rest, ok := strings.CutPrefix(pattern, "*."); ok {
		_, parent, found := strings.Cut(domain, ".")
		return found && strings.Contains(rest, ".") && parent == rest
	}
	return pattern == domain
}

// parse reads SubjectAltName ::= SEQUENCE OF GeneralName (RFC 5280 §4.2.1.6).
func (n *Names) parse(der []byte) error {
	in := cryptobyte.String(der)
	var seq cryptobyte.String
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) || !in.Empty() {
		return errNames
	}
	for !seq.Empty() {
		var value cryptobyte.String
		var tag cbasn1.Tag
		if !seq.ReadAnyASN1(&value, &tag) {
			return errNames
		}
		switch tag {
		case cbasn1.Tag(0).ContextSpecific().Constructed():
			if err := n.otherName(value); err != nil {
				return err
			}
		case cbasn1.Tag(2).ContextSpecific():
			if name, ok := presentedDNS(value); ok {
				n.DNS = append(n.DNS, name)
			}
		}
	}
	return nil
}

// otherName reads OtherName ::= SEQUENCE { type-id OBJECT IDENTIFIER, value [0] EXPLICIT ANY }, implicitly tagged.
func (n *Names) otherName(in cryptobyte.String) error {
	var id asn1.ObjectIdentifier
	var wrapped cryptobyte.String
	if !in.ReadASN1ObjectIdentifier(&id) ||
		!in.ReadASN1(&wrapped, cbasn1.Tag(0).ContextSpecific().Constructed()) || !in.Empty() {
		return errNames
	}
	var value cryptobyte.String
	switch {
	case id.Equal(oidXMPPAddr):
		if !wrapped.ReadASN1(&value, cbasn1.UTF8String) || !wrapped.Empty() {
			return errNames
		}
		switch s := string(value); {
		case !strings.ContainsAny(s, "@/"): // only a bare domain means anything between servers
			n.XMPP = append(n.XMPP, s)
		case !strings.Contains(s, "/"):
			n.Accounts = append(n.Accounts, s)
		}
	case id.Equal(oidSRVName):
		if !wrapped.ReadASN1(&value, cbasn1.IA5String) || !wrapped.Empty() {
			return errNames
		}
		if s, ok := presentedSRV(value); ok {
			n.SRV = append(n.SRV, s)
		}
	}
	return nil
}

func presentedSRV(value []byte) (SRVName, bool) {
	service, name, ok := strings.Cut(string(value), ".")
	if !ok || !strings.HasPrefix(service, "_") {
		return SRVName{}, false
	}
	name, ok = presentedDNS([]byte(name))
	return SRVName{Service: strings.ToLower(service), Name: name}, ok
}

// presentedDNS lowers the case and drops what is no host name: a NUL or any other octet outside letters, digits, hyphen, underscore,
// dot, and a star anywhere but as the whole first label (bad input E09).
func presentedDNS(value []byte) (string, bool) {
	if len(value) == 0 || len(value) > 255 {
		return "", false
	}
	name := strings.ToLower(string(value))
	body := strings.TrimPrefix(name, "*.")
	for i := range len(body) {
		switch c := body[i]; {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '_', c == '.':
		default:
			return "", false
		}
	}
	return name, body != "" && body[0] != '.'
}
