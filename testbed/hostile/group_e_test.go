package hostile_test

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"sallyport/gateway/audit"
	"sallyport/testbed/hello"
)

// groupE is TLS and certificates.
func groupE() []row {
	return []row{
		{"E01_behind_starttls", behindStartTLS},
		trapRow("E02_behind_proceed", trapped{
			name: "1", never: append(credentials, "</stream:stream>"), event: "starttls-injection",
			script: func(r *raw, domain string) {
				r.sayf(stationHeader+offerTLS, domain, "b.example")
				r.hear("<starttls")
				r.hear(">")
				r.say(proceed + "<stream:features/><success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
			},
		}),
		trapRow("E03_no_tls",
			trapped{
				name: "not_offered", never: credentials, said: streamErrorText(streamError("policy-violation")), event: "downgrade",
				script: func(r *raw, domain string) { r.sayf(stationHeader+"<stream:features/>", domain, "b.example") },
			},
			trapped{
				name: "only_dialback", never: credentials, said: streamErrorText(streamError("policy-violation")), event: "downgrade",
				script: func(r *raw, domain string) {
					r.sayf(stationHeader+"<stream:features><dialback xmlns='urn:xmpp:features:dialback'><errors/></dialback></stream:features>", domain, "b.example")
				},
			},
			trapped{
				name: "failure", never: credentials, said: streamErrorText(streamError("policy-violation")), event: "downgrade",
				script: func(r *raw, domain string) {
					r.sayf(stationHeader+offerTLS, domain, "b.example")
					r.hear("<starttls")
					r.hear(">")
					r.say("<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
				},
			}),
		{"E04_old_and_poor_hellos", oldHellos},
		{"E05_renegotiation", renegotiation},
		{"E06_key_updates", keyUpdates},
		{"E07_slow_handshakes", slowHandshakes},
		{"E07_many_from_one_address", manyFromOne},
		{"E08_bad_certificates", badCertificates},
		{"E09_identity_tricks", identityTricks},
		{"E10_names_in_distinguished_names", distinguishedNames},
		{"E11_expensive_certificates", expensiveCertificates},
		{"E12_authority_removed", authorityRemoved},
	}
}

// behindStartTLS: E01.
func behindStartTLS(t *testing.T, w *world) {
	for name, behind := range map[string]string{
		"auth":    fmt.Sprintf(external, "="),
		"header":  fmt.Sprintf(header, "x.evil.example", "b.example"),
		"message": good("x.evil.example", "b.example", "e01"),
		"blank":   " ",
	} {
		t.Run(name, func(t *testing.T) {
			seq := w.audit.read()
			r := w.dial(t, w.outside)
			r.sayf(header, "x.evil.example", "b.example")
			r.hear("</stream:features>")
			r.say(starttls + behind)
			if said := r.end(closeLimit); said != "" {
				t.Errorf("said %q", said)
			}
			w.audit.await(t, seq, "injection", func(e *audit.Entry) bool { return e.StanzaID == r.address() && e.Rule == "starttls-injection" })
		})
	}
}

// oldHellos: E04, at both doors.
func oldHellos(t *testing.T, w *world) {
	for _, c := range hello.AllRefused("b.example") {
		for _, door := range []string{"starttls", "direct"} {
			t.Run(c.Name+" "+door, func(t *testing.T) {
				t.Parallel()
				seq := w.audit.read()
				r := w.dial(t, map[string]string{"starttls": w.outside, "direct": w.direct}[door])
				if door == "starttls" {
					r.starttls("x.evil.example", "b.example")
				}
				r.write(c.Hello.Record())
				if got, err := alert(r.tcp); got != c.Alert {
					t.Errorf("alert %d, want %d (%v)", got, c.Alert, err)
				}
				w.audit.await(t, seq, "end of the stream", func(e *audit.Entry) bool {
					return endOf(r.address())(e) && strings.HasPrefix(e.Reason, "tls-failed")
				})
			})
		}
	}
}

// renegotiation: E05. The list wants the alert no_renegotiation; crypto/tls says unexpected_message to a ClientHello where
// no renegotiation was ever possible. It is refused all the same, by an alert that is fatal, and costs nothing.
func renegotiation(t *testing.T, w *world) {
	f := w.forge(t, tls.VersionTLS12)
	again := f.seal(hello.Modern("b.example").Handshake())
	cpu, began := spentCPU(), time.Now()
	if _, err := f.tcp.Write(again); err != nil {
		t.Fatal(err)
	}
	_ = f.tcp.SetReadDeadline(deadline(closeLimit))
	if _, err := io.ReadAll(f.conn); err == nil || !strings.Contains(err.Error(), "unexpected message") {
		t.Errorf("got %v, want an alert", err)
	}
	t.Logf("closed after %v, %v of CPU with the test and the bystanders", time.Since(began), spentCPU()-cpu)
	r := w.dial(t, w.outside) // life goes on
	r.encrypted("x.evil.example", "b.example", w.evilCert)
}

// keyUpdates: E06.
func keyUpdates(t *testing.T, w *world) {
	keyUpdate := []byte{24, 0, 0, 1, 0}
	t.Run("10000_records", func(t *testing.T) {
		f := w.forge(t, tls.VersionTLS13)
		n := 0
		for ; n < 10_000; n++ {
			if _, err := f.tcp.Write(f.seal(keyUpdate)); err != nil {
				break
			}
			if err := f.update(); err != nil {
				t.Fatal(err)
			}
		}
		_ = f.tcp.SetReadDeadline(deadline(closeLimit))
		if _, err := io.ReadAll(f.tcp); isTimeout(err) {
			t.Errorf("open after %d key updates", n)
		}
		t.Logf("%d written before the end", n)
	})
	t.Run("several_in_one_record", func(t *testing.T) {
		f := w.forge(t, tls.VersionTLS13)
		if _, err := f.tcp.Write(f.seal(bytes.Repeat(keyUpdate, 3))); err != nil {
			t.Fatal(err)
		}
		_ = f.tcp.SetReadDeadline(deadline(closeLimit))
		if _, err := io.ReadAll(f.tcp); isTimeout(err) {
			t.Error("open")
		}
	})
}

func isTimeout(err error) bool {
	timeout, ok := err.(net.Error)
	return ok && timeout.Timeout()
}

// handshakeLimit is what the configuration of the node gives a handshake: enough for honest ones on a machine that stops for a while, and less
// than the default, so that it shows whose limit ended one.
const (
	handshakeLimit        = 5 * time.Second
	defaultHandshakeLimit = 10 * time.Second
)

// slowHandshakes: E07. Each must be gone when its time is over.
func slowHandshakes(t *testing.T, w *world) {
	first := hello.Modern("b.example").Record()
	for _, door := range []string{"starttls", "direct"} {
		for _, how := range []string{"silent", "dribbled", "after_server_hello"} {
			t.Run(how+"_"+door, func(t *testing.T) {
				t.Parallel()
				began := time.Now() // not after the node has begun to count
				r := w.dial(t, map[string]string{"starttls": w.outside, "direct": w.direct}[door])
				if door == "starttls" {
					r.starttls("x.evil.example", "b.example")
				}
				switch how {
				case "dribbled":
					stop := make(chan struct{})
					defer close(stop)
					go func() {
						tick := time.NewTicker(handshakeLimit / 10)
						defer tick.Stop()
						for _, b := range first {
							select {
							case <-tick.C:
								r.write([]byte{b})
							case <-stop:
								return
							}
						}
					}()
				case "after_server_hello":
					r.write(first)
				}
				r.end(closeLimit)
				if took := time.Since(began); took < handshakeLimit*9/10 || took > defaultHandshakeLimit {
					t.Errorf("closed after %v, limit %v", took, handshakeLimit)
				}
			})
		}
	}
}

// manyFromOne: E07. Fifty that nobody knows may come from one address, handshakes included.
func manyFromOne(t *testing.T, w *world) {
	const limit = 50
	source, seq := freshSource(), w.audit.read()
	var open []*raw
	for range limit {
		r := w.dialFrom(t, source, w.outside)
		r.sayf(header, "x.evil.example", "b.example")
		r.hear("</stream:features>")
		open = append(open, r)
	}
	open[0].say(starttls)
	open[0].hear(proceed) // one of them shakes hands
	for _, door := range []string{w.outside, w.direct} {
		if said := w.dialFrom(t, source, door).end(closeLimit); said != "" {
			t.Errorf("the 51st heard %q", said)
		}
	}
	w.audit.await(t, seq, "limit", func(e *audit.Entry) bool {
		return e.Rule == "source-limit" && strings.HasPrefix(e.StanzaID, source.String()+":")
	})
	r := w.dial(t, w.outside) // from elsewhere
	r.sayf(header, "x.evil.example", "b.example")
	r.hear("</stream:features>")
	open[1].say(goodbye)
	open[1].end(closeLimit)
	eventually(t, closeLimit, "a place is free again", func() bool {
		r := w.dialFrom(t, source, w.outside)
		defer r.close()
		r.sayf(header, "x.evil.example", "b.example")
		_ = r.more(deadline(patience))
		return strings.Contains(r.text, "<stream:stream")
	})
	for _, r := range open {
		r.close()
	}
}
