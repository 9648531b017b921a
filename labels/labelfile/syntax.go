package labelfile

import "strconv"

// Syntax is a form in which a file holds labels or clearances.
type Syntax uint8

const (
	NoSyntax    Syntax = iota
	ESS                // ESSSecurityLabel or Clearance, base64
	ESSDER             // the same as octets
	ESSHex             // the same in hexadecimal digits
	STANAG4774         // element of ADatP-4774
	STANAG4778         // BindingInformation around such elements
	XEP0258            // securitylabel
	Message            // a whole stanza with a securitylabel
	Spiffing           // the debug format of the spiffing library
	ICISM              // an element with IC-ISM attributes
	Text               // a display marking
	Certificate        // X.509 public-key or attribute certificate
	CMS                // signed message with a label among its signed attributes
	LDIF               // attributes of a directory entry
	SDN801c            // ESSSecurityLabel with the categories of SDN.801c, base64; read as ESS
)

var syntaxNames = [...]string{
	NoSyntax: "none", ESS: "ess", ESSDER: "ess-der", ESSHex: "ess-hex", STANAG4774: "stanag-4774",
	STANAG4778: "stanag-4778", XEP0258: "xep-0258", Message: "message", Spiffing: "spiffing", ICISM: "ic-ism",
	Text: "text", Certificate: "certificate", CMS: "cms", LDIF: "ldif", SDN801c: "sdn801c",
}

// String returns the word for the syntax, as commands take it.
func (s Syntax) String() string {
	if int(s) < len(syntaxNames) {
		return syntaxNames[s]
	}
	return "syntax " + strconv.Itoa(int(s))
}

// ParseSyntax is the inverse of String.
func ParseSyntax(s string) (Syntax, bool) {
	for i, n := range syntaxNames {
		if n == s && Syntax(i) != NoSyntax {
			return Syntax(i), true
		}
	}
	return NoSyntax, false
}

// Readable lists the syntaxes that Parse takes.
func Readable() []Syntax {
	return []Syntax{
		ESS, ESSDER, ESSHex, STANAG4774, STANAG4778, XEP0258, Message, Spiffing, ICISM, Text, Certificate, CMS, LDIF,
	}
}

// Writable lists the syntaxes that AppendLabel takes.
func Writable() []Syntax {
	return []Syntax{ESS, ESSDER, ESSHex, SDN801c, STANAG4774, XEP0258, ICISM, Spiffing, Text}
}
