package login_test

import (
	"crypto/tls"
	"fmt"
	"slices"
	"strings"
	"testing"

	"sallyport/testbed/imserver"
)

const (
	exporter = "tls-exporter"
	endPoint = "tls-server-end-point"
	unique   = "tls-unique"
)

// tls13 is what most are tried on.
const tls13 = tls.VersionTLS13

func only(version uint16) *tls.Config {
	return &tls.Config{MinVersion: version, MaxVersion: version} //nolint:gosec // 1.2 is what is tried
}

// Every mechanism of the program itself, bound to the channel in every way that it announces, by both profiles of SASL, on both versions of TLS, which
// begins at once or by STARTTLS: each logs in, and the server proves that it knows the password, too, and what it has offered.
func TestMechanisms(t *testing.T) {
	h := running(t, "", "juliet")
	for _, direct := range []bool{true, false} {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			want := []string{exporter, endPoint}
			if version == tls.VersionTLS12 {
				want = append(want, unique)
			}
			s := connects(t, h, direct, only(version))
			mechanisms, bindings := s.offered()
			if !slices.Equal(bindings, want) || len(mechanisms) != 6 || slices.Contains(mechanisms, "PLAIN") {
				t.Errorf("offered %q, bound by %q", mechanisms, bindings)
			}
			for _, m := range mechanisms {
				by := []string{""}
				if strings.HasSuffix(m, "-PLUS") {
					by = bindings
				}
				for _, b := range by {
					for _, two := range []bool{false, true} {
						name := fmt.Sprintf("direct %v, %s, %s by %s, SASL2 %v", direct, tls.VersionName(version), m, b, two)
						a := juliet(m, b)
						a.two = two
						if said := connects(t, h, direct, only(version)).in(a); !strings.HasPrefix(said, "<success") {
							t.Errorf("%s: %s", name, said)
						}
					}
				}
			}
		}
	}
}

// What looks like somebody in between, or is only wrong, is refused, and told like a wrong password.
func TestRefusedMechanisms(t *testing.T) {
	h := running(t, "", "juliet")
	other := connects(t, h, true, only(tls.VersionTLS13)).bound(exporter)
	for _, tc := range []struct {
		name      string
		attempt   scram
		condition string
	}{
		{"wrong password", scram{mechanism: "SCRAM-SHA-256", user: "juliet", password: "wrong"}, "not-authorized"},
		{"nobody", scram{mechanism: "SCRAM-SHA-256", user: "nobody", password: "wrong"}, "not-authorized"},
		{"says that the server cannot bind", scram{mechanism: "SCRAM-SHA-256", user: "juliet", password: imserver.Password, flag: "y"}, "not-authorized"},
		{"data of another channel", scram{mechanism: "SCRAM-SHA-256-PLUS", user: "juliet", password: imserver.Password, binding: exporter, data: other}, "not-authorized"},
		{"bound without -PLUS", juliet("SCRAM-SHA-256", exporter), "not-authorized"},
		{"-PLUS without binding", juliet("SCRAM-SHA-256-PLUS", ""), "not-authorized"},
		{"tls-unique on TLS 1.3", scram{mechanism: "SCRAM-SHA-1-PLUS", user: "juliet", password: imserver.Password, binding: endPoint, flag: "p=tls-unique"}, "not-authorized"},
		{"a password in clear that is not on offer", scram{mechanism: "PLAIN"}, "invalid-mechanism"},
		{"certificate that is not on offer", scram{mechanism: "EXTERNAL"}, "invalid-mechanism"},
		{"token by the old profile", scram{mechanism: "HT-SHA-256-NONE"}, "invalid-mechanism"},
	} {
		for _, two := range []bool{false, true} {
			tc.attempt.two = two
			s := connects(t, h, true, only(tls.VersionTLS13))
			if said := s.in(tc.attempt); !strings.Contains(said, "<"+tc.condition) {
				t.Errorf("%s, SASL2 %v: %s", tc.name, two, said)
			}
			if said := s.in(juliet("SCRAM-SHA-256-PLUS", exporter)); !strings.HasPrefix(said, "<success") { // and may try again
				t.Errorf("after %s: %s", tc.name, said)
			}
		}
	}
}
