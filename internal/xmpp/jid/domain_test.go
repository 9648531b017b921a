package jid_test

import (
	"strings"
	"testing"

	"sallyport/internal/xmpp/jid"
)

// TestH05 has the domains of bad-inputs H05: one canonical form, or refused.
func TestH05(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"A-label", "xn--bcher-kva.example", "bücher.example"},
		{"A-label in upper case", "XN--BCHER-KVA.EXAMPLE", "bücher.example"},
		{"U-label", "bücher.example", "bücher.example"},
		{"U-label decomposed", "bu\u0308cher.example", "bücher.example"},
		{"U-label in upper case", "BÜCHER.example", "bücher.example"},
		{"trailing dot", "b.example.", "b.example"},
		{"ideographic dot", "b\u3002example", "b.example"},
		{"full-width dot", "b\uff0eexample", "b.example"},
		{"half-width dot", "b\uff61example", "b.example"},
		{"trailing ideographic dot", "b.example\u3002", "b.example"},
		{"full-width letters", "\uff42.example", "b.example"},
		{"sharp s is not ss", "xn--strae-oqa.example", "straße.example"},
		{"Hebrew", "\u05d0\u05d1.example", "\u05d0\u05d1.example"},
		{"middle dot between l", "l\u00b7l.example", "l\u00b7l.example"},

		{"two trailing dots", "b.example..", ""},
		{"only a dot", ".", ""},
		{"only an ideographic dot", "\u3002", ""},
		{"leading dot", ".b.example", ""},
		{"empty label", "b..example", ""},
		{"ACE that decodes to ASCII", "xn--example-.com", ""},
		{"invalid ACE", "xn--a.example", ""},
		{"bare ACE prefix", "xn--.example", ""},
		{"ACE overflow", "xn--99999999.example", ""},
		{"ACE of upper case", "xn--Bcher-7va.example", ""},
		{"ACE of an ACE", "xn--xn--bcher-kva-.example", ""},
		{"ACE by full-width letters that decodes to ASCII", "\uff58n--example-.com", ""},
		{"ACE with soft hyphen inside", "x\u00adn--bcher-kva.example", ""},
		{"soft hyphen", "pay\u00adpal.example", ""},
		{"zero-width space", "pay\u200bpal.example", ""},
		{"variation selector", "pay\ufe0fpal.example", ""},
		{"joiner out of context", "a\u200db.example", ""},
		{"emoji", "\u2615.example", ""},
		{"emoji as ACE", "xn--53h.example", ""},
		{"underscore", "_xmpp.b.example", ""},
		{"leading hyphen", "-b.example", ""},
		{"trailing hyphen", "b-.example", ""},
		{"hyphens in third and fourth place", "ab--c.example", ""},
		{"left and right in one label", "a\u05d0b.example", ""},
		{"middle dot out of context", "a\u00b7b.example", ""},
		{"long label", strings.Repeat("a", 64) + ".example", ""},
		{"label whose A-label is long", strings.Repeat("ü", 60) + ".example", ""},
		{"mapped to a dot and a digit", "\u2488b.example", ""},
		{"slash", "b/c.example", ""},
		{"percent", "b%2eexample", ""},

		{"IPv4", "127.0.0.1", ""},
		{"IPv4 with dot", "127.0.0.1.", ""},
		{"IPv4 by full-width digits", "\uff11\uff12\uff17.0.0.1", ""},
		{"short IPv4", "127.1", ""},
		{"IPv4 as one number", "2130706433", ""},
		{"IPv4 in hexadecimal", "0x7f.0.0.0x1", ""},
		{"IPv4 in octal", "0177.0.0.01", ""},
		{"IPv6 in brackets", "[::1]", ""},
		{"IPv6 without brackets", "::1", ""},
		{"future address", "[v1.a]", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			j, err := jid.ParseDomain(tt.in)
			if tt.want == "" {
				if err == nil {
					t.Fatalf("H05: ParseDomain(%q) = %q, want it refused", tt.in, j)
				}
				return
			}
			if err != nil || j.Domain() != tt.want || !j.IsDomain() {
				t.Fatalf("H05: ParseDomain(%q) = %q, %v, want %q", tt.in, j, err, tt.want)
			}
		})
	}
}

func TestH05AddressLiteralsWhereConfigured(t *testing.T) {
	tests := []struct{ in, want string }{
		{"127.0.0.1", "127.0.0.1"},
		{"a@127.0.0.1/r", "a@127.0.0.1/r"},
		{"[::1]", "[::1]"},
		{"a@[2001:DB8:0:0::1]/r", "a@[2001:db8::1]/r"},
		{"127.1", ""},
		{"0177.0.0.1", ""},
		{"[127.0.0.1]", ""},
		{"[::ffff:127.0.0.1]", ""},
		{"[fe80::1%eth0]", ""},
		{"[::1", ""},
		{"[]", ""},
		{"[::1].", ""},
		{"::1", ""},
	}
	for _, tt := range tests {
		j, err := jid.ParseWith(jid.Options{AllowIP: true}, tt.in)
		if tt.want == "" && err == nil || tt.want != "" && (err != nil || j.String() != tt.want) {
			t.Errorf("H05: ParseWith(AllowIP, %q) = %q, %v, want %q", tt.in, j, err, tt.want)
		}
	}
}

// TestH06: look-alikes are different addresses here; nothing folds one script into another.
func TestH06(t *testing.T) {
	listed := jid.MustParse("paypa1.example")
	for _, in := range []string{"\u0440\u0430ypa1.example", "xn--ypa1-83d4d.example", "paypal.example"} {
		j, err := jid.ParseDomain(in)
		if err == nil && j == listed {
			t.Errorf("H06: %q became %q", in, listed)
		}
	}
	for in, want := range map[string]string{
		"v@\u0440\u0430ypa1.example/r": "\u0440\u0430ypa1.example (xn--ypa1-43d9g.example)",
		"v@paypa1.example/r":           "paypa1.example",
	} {
		if got := jid.MustParse(in).ShowDomain(); got != want {
			t.Errorf("H06: %q is shown as %q, want %q", in, got, want)
		}
	}
	if got := (jid.JID{}).ShowDomain(); got != "" {
		t.Errorf("nobody is shown as %q", got)
	}
}

func TestASCIIDomain(t *testing.T) {
	tests := []struct{ in, want string }{
		{"b.example", "b.example"},
		{"bücher.example", "xn--bcher-kva.example"},
		{"straße.example", "xn--strae-oqa.example"},
		{"", ""},
		{"B.example", ""},
		{"BÜCHER.example", ""},
		{"xn--bcher-kva.example", ""},
		{"b.example.", ""},
		{"127.0.0.1", ""},
		{"[::1]", ""},
		{strings.Repeat("a.", 126) + "ab", ""},
		{strings.Repeat("a.", 126) + "a", strings.Repeat("a.", 126) + "a"},
	}
	for _, tt := range tests {
		got, err := jid.ASCIIDomain(tt.in)
		if got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("ASCIIDomain(%q) = %q, %v, want %q", tt.in, got, err, tt.want)
		}
	}
}

func TestParseDomainOnly(t *testing.T) {
	for _, in := range []string{"a@b.example", "b.example/r", "a@b.example/r", "", "@b", "b/"} {
		if j, err := jid.ParseDomain(in); err == nil {
			t.Errorf("ParseDomain(%q) = %q, want it refused", in, j)
		}
	}
}
