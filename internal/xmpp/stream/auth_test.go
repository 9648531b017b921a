package stream_test

import (
	"strings"
	"testing"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/stream"
)

const saslNS = ` xmlns='urn:ietf:params:xml:ns:xmpp-sasl'`

// F01, F03, F16, E08: EXTERNAL on the responder.
func TestExternalResponder(t *testing.T) {
	auth := func(text string) string {
		return `<auth` + saslNS + ` mechanism='EXTERNAL'>` + text + `</auth>`
	}
	for _, tc := range []struct {
		name, header, input string
		cert                stream.Certificate
		want                string // failure condition, or success
	}{
		{"F16 empty", helloFromA, auth("="), names{domA}, "success"},
		{"F16 empty, certificate with two names", helloFromA, auth("="), names{domA, evil}, "success"},
		{"F16 equal", helloFromA, auth("YS5leGFtcGxl"), names{domA}, "success"},                   // a.example
		{"F16 equal after preparation", helloFromA, auth("QS5FWEFNUExF"), names{domA}, "success"}, // A.EXAMPLE
		{"F16 different", helloFromA, auth("ZXZpbC5leGFtcGxl"), names{domA}, "invalid-authzid"},   // evil.example
		{"F16 other name of the certificate", helloFromA, auth("ZXZpbC5leGFtcGxl"), names{domA, evil}, "invalid-authzid"},
		{"challenge", helloFromA, auth("") + `<response` + saslNS + `/>`, names{domA}, "success"},
		{"F03 not base64", helloFromA, auth("a.example"), names{domA}, "incorrect-encoding"},
		{"F01 unknown mechanism", helloFromA, `<auth` + saslNS + ` mechanism='PLAIN'>=</auth>`, names{domA}, "invalid-mechanism"},
		{"F01 no mechanism", helloFromA, `<auth` + saslNS + `>=</auth>`, names{domA}, "invalid-mechanism"},
		{"F12 response without auth", helloFromA, `<response` + saslNS + `/>`, names{domA}, "malformed-request"},
		{"F12 abort", helloFromA, `<abort` + saslNS + `/>`, names{domA}, "aborted"},
		{"E08 certificate proves nobody", helloFromA, auth("="), nobody, "not-authorized"},
		{"E09 certificate of another", helloFromA, auth("="), names{evil}, "not-authorized"},
		{"no from on the header", openTags + ` to='b.example'>`, auth("YS5leGFtcGxl"), names{domA}, "not-authorized"},
		{"in clear", helloFromA, auth("="), nil, "encryption-required"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := rawResponder(t, everythingPlain, tc.cert)
			w.a.inject(tc.header)
			offered := strings.Contains(w.b.sent, "<mechanism>EXTERNAL</mechanism>")
			proven := tc.cert != nil && tc.cert.Proves(domA) && tc.header == helloFromA
			if offered != proven {
				t.Errorf("EXTERNAL offered %v, certificate proves the domain %v", offered, proven)
			}
			w.a.inject(tc.input)
			if !strings.Contains(w.b.sent, "<"+tc.want) {
				t.Errorf("want %s, sent %s", tc.want, w.b.sent)
			}
			if len(w.b.auth) > 0 {
				t.Error("authorised before the restart")
			}
			if tc.want == "success" {
				w.a.inject(helloFromA)
				if !w.b.has(pairOf(domB, domA), stream.Inbound, stream.ByExternal) || len(w.b.auth) != 1 {
					t.Errorf("authorised %+v", w.b.auth)
				}
			} else if w.b.closed != nil {
				t.Errorf("closed %+v", w.b.closed)
			}
		})
	}
}

func TestF14ThreeAttempts(t *testing.T) {
	w := rawResponder(t, everything, nobody)
	w.a.inject(helloFromA + authEmpty + authEmpty)
	if w.b.closed != nil || strings.Contains(w.b.sent, "stream:error") {
		t.Fatal("closed after two attempts")
	}
	w.a.inject(authEmpty)
	w.b.wantError(t, stanza.StreamPolicyViolation)
	if n := strings.Count(w.b.sent, "<not-authorized/>"); n != 3 {
		t.Errorf("%d failures, sent %s", n, w.b.sent)
	}
}

// The initiator: what it does with each answer to <auth/>.
func TestExternalInitiator(t *testing.T) {
	offer := helloFromB + `<stream:features>` + external + dialback + `</stream:features>`
	failure := func(c string) string { return `<failure` + saslNS + `><` + c + `/></failure>` }
	for _, tc := range []struct {
		name   string
		policy stream.Methods
		input  string
		want   string // the last element sent
	}{
		{"first with the domain", stream.AllowExternal, "", `<auth` + saslNS + ` mechanism='EXTERNAL'>YS5leGFtcGxl</auth>`},
		{"then with the derived identity", stream.AllowExternal, failure("invalid-authzid"), authEmpty},
		{"then dialback", everything.Auth, failure("not-authorized"), "</db:result>"},
		{"dialback after both", everything.Auth, failure("invalid-authzid") + failure("invalid-authzid"), "</db:result>"},
		{"no dialback where it is not allowed", stream.AllowExternal, failure("not-authorized"), "</stream:stream>"},
		{"empty challenge", stream.AllowExternal, `<challenge` + saslNS + `/>`, `<response` + saslNS + `>YS5leGFtcGxl</response>`},
		{"challenge with data", stream.AllowExternal, `<challenge` + saslNS + `>YQ==</challenge>`, `<abort` + saslNS + `/>`},
		{"second challenge", stream.AllowExternal, `<challenge` + saslNS + `/><challenge` + saslNS + `/>`, `<abort` + saslNS + `/>`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := rawInitiator(t, stream.Policy{Auth: tc.policy}, names{domB})
			w.b.inject(offer + tc.input)
			if !strings.HasSuffix(w.a.sent, tc.want) {
				t.Errorf("want %s at the end, sent %s", tc.want, w.a.sent)
			}
			if len(w.a.auth) > 0 || w.a.send(domA, domB, 1) == stream.SendNow {
				t.Error("authorised without success")
			}
		})
	}
}
