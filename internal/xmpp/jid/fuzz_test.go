package jid_test

import (
	"strings"
	"testing"

	"mellium.im/xmpp/jid"

	sallyport "sallyport/internal/xmpp/jid"
)

// FuzzParse holds the fast and the slow path together and compares with Mellium's parser: what we accept it accepts,
// as the same address. The other direction does not hold, see "Stricter than RFC 7622" in domain.go.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"", "a@b/r", "A@B.Example/r", "a@b//", "a@@b", "xn--bcher-kva.example", "xn--example-.com", "bücher。example.",
		"ｆｕｌｌ@ｗｉｄｅ.example/ r", "σοφός@b", "127.0.0.1", "[::1]", "a@b/\u202e", "e\u0301@e\u0301.example/e\u0301",
		"\u05d0\u05d1@\u05d0\u05d1.example", "a\u200db", "l·l.example", "0x7f.1", "ab--c", "İ@b", "ß.example",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		j, err := sallyport.Parse(s)
		if err != nil {
			return
		}
		checkStable(t, j)
		domain := s
		if i := strings.IndexByte(domain, '/'); i >= 0 {
			domain = domain[:i]
		}
		if strings.HasSuffix(domain, "。") || strings.HasSuffix(domain, "．") || strings.HasSuffix(domain, "｡") {
			return // Mellium strips the trailing dot before mapping only
		}
		m, err := jid.Parse(s)
		if err != nil {
			t.Fatalf("%q: accepted as %q, Mellium says %v", s, j, err)
		}
		if m.String() != j.String() || m.Localpart() != j.Local() || m.Resourcepart() != j.Resource() {
			t.Fatalf("%q: %q, Mellium says %q", s, j, m)
		}
	})
}

// checkStable: a canonical address is its own canonical form, by every way in.
func checkStable(t *testing.T, j sallyport.JID) {
	t.Helper()
	again, err := sallyport.Parse(j.String())
	if err != nil || again != j {
		t.Fatalf("%q parses to %q, %v", j, again, err)
	}
	parts, err := sallyport.New(j.Local(), j.Domain(), j.Resource())
	if err != nil || parts != j {
		t.Fatalf("%q by its parts is %q, %v", j, parts, err)
	}
	if len(j.Local()) > sallyport.MaxPart || len(j.Domain()) > sallyport.MaxPart || len(j.Resource()) > sallyport.MaxPart {
		t.Fatalf("%q: a part is too long", j)
	}
	if a, err := sallyport.ASCIIDomain(j.Domain()); err == nil {
		if d, err := sallyport.ParseDomain(a); err != nil || d != j.DomainJID() {
			t.Fatalf("%q: A-label form %q parses to %q, %v", j, a, d, err)
		}
	}
}
