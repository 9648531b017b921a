package hostile_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"sallyport/internal/tlsid/tlsidtest"
)

// groupF is SASL, as far as servers use it among themselves: EXTERNAL and nothing else. F10 and F11 are about SCRAM, of
// which our side as initiator knows nothing: a server that offers only that, or answers as if it had been asked for, gets
// no proof of anything.
func groupF() []row {
	// No dialback, which is no secret and would be the next thing to try.
	features := strings.Replace(stationHeader, "xmlns:db='jabber:server:dialback' ", "", 1) + "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>%s</mechanisms></stream:features>"
	scram := func(mechanisms string) func(*world) func(*raw, string) {
		return func(w *world) func(*raw, string) {
			return func(r *raw, domain string) {
				if w.secureAs(r, domain, nil) {
					r.sayf(features, domain, "b.example", mechanisms)
				}
			}
		}
	}
	challenge := func(first string) func(*world) func(*raw, string) {
		return func(w *world) func(*raw, string) {
			return func(r *raw, domain string) {
				scram("<mechanism>EXTERNAL</mechanism><mechanism>SCRAM-SHA-1</mechanism>")(w)(r, domain)
				r.hear("</auth>")
				r.sayf("<challenge xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>%s</challenge>", base64.StdEncoding.EncodeToString([]byte(first)))
				r.hear("<abort")
				r.say("<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><aborted/></failure>")
			}
		}
	}
	rows := []row{}
	for _, c := range []struct {
		name   string
		script func(*world) func(*raw, string)
		never  []string
	}{
		{"F10_only_scram", scram("<mechanism>SCRAM-SHA-1</mechanism><mechanism>SCRAM-SHA-256-PLUS</mechanism><mechanism>PLAIN</mechanism>"), credentials},
		{"F10_scram_1_iteration", challenge("r=abc,s=c2FsdA==,i=1"), []string{"<response", "<message"}},
		{"F10_scram_2^31_iterations", challenge("r=abc,s=c2FsdA==,i=2147483648"), []string{"<response", "<message"}},
		{"F10_scram_no_number", challenge("r=abc,s=c2FsdA==,i=abc"), []string{"<response", "<message"}},
		{"F10_scram_no_salt", challenge("r=abc,s=,i=4096"), []string{"<response", "<message"}},
		{"F11_server_final_unasked", challenge("v=d3Jvbmc="), []string{"<response", "<message"}},
	} {
		rows = append(rows, row{c.name, func(t *testing.T, w *world) {
			w.spring(t, &trapped{script: c.script(w), never: c.never})
		}})
	}
	return append(rows, row{"F16_external", externalIdentities})
}

// externalIdentities: F16. The header says who asks; the certificate must name him; the identity asked for must be the same.
func externalIdentities(t *testing.T, w *world) {
	const failure = "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><%s/></failure>"
	one := func() []string { return []string{w.id("one") + ".evil.example"} }
	for _, c := range []struct {
		name    string
		names   []string
		authzid string // NAME is the first of the names; "" is the empty identity
		header  bool   // says who it is
		want    string // failure; "" is success
	}{
		{"empty", one(), "", true, ""},
		{"equal", one(), "NAME", true, ""},
		{"equal_in_upper_case", one(), "UPPER", true, ""},
		{"different", one(), "other.evil.example", true, "invalid-authzid"},
		{"of_ours", one(), "b.example", true, "invalid-authzid"},
		{"with_a_local_part", one(), "u@NAME", true, "invalid-authzid"},
		// Two addresses in the certificate are not ambiguous as long as the header names one: that one, and no other.
		{"two_names_empty", append(one(), "two.evil.example"), "", true, ""},
		{"two_names_the_other", append(one(), "two.evil.example"), "two.evil.example", true, "invalid-authzid"},
		// Without a header that says who it is, nothing is offered, and nothing is proven whatever is asked for.
		{"two_names_no_header", append(one(), "two.evil.example"), "", false, "not-authorized"},
		{"one_name_no_header", one(), "NAME", false, "not-authorized"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := w.dial(t, w.outside)
			r.encrypted(c.names[0], "b.example", w.leaf(tlsidtest.Options{XMPP: c.names}))
			head := fmt.Sprintf(header, c.names[0], "b.example")
			if !c.header {
				head = strings.Replace(head, " from='"+c.names[0]+"'", "", 1)
			}
			r.say(head)
			if offered := r.hear("</stream:features>"); strings.Contains(offered, "EXTERNAL") != c.header {
				t.Errorf("offered %q", offered)
			}
			id := strings.NewReplacer("NAME", c.names[0], "UPPER", strings.ToUpper(c.names[0])).Replace(c.authzid)
			text := base64.StdEncoding.EncodeToString([]byte(id))
			if text == "" {
				text = "="
			}
			r.sayf(external, text)
			if c.want != "" {
				if said := r.hear("</failure>") + "</failure>"; said != fmt.Sprintf(failure, c.want) {
					t.Errorf("said %q", said)
				}
				return
			}
			r.hear("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
			r.say(head)
			r.hear("</stream:features>")
			if len(c.names) > 1 { // it is not the other one as well
				r.say(strings.Replace(good(c.names[1], "b.example", "f16"), "fine", mark, 1))
				if said := r.endPolitely(closeLimit); !strings.Contains(said, streamErrorText(streamError("invalid-from"))) {
					t.Errorf("said %q", said)
				}
			}
		})
	}
}
