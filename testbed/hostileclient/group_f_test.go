package hostileclient_test

import (
	"crypto/tls"
	"strings"
	"testing"

	"sallyport/internal/tlsid/tlsidtest"
	"sallyport/server/c2s"
)

func failure(condition string) want {
	return reply("<failure" + nsSASL + "><" + condition + "/></failure>")
}

func fails(condition string, inputs ...string) []variant {
	return variants(failure(condition), inputs...)
}

// groupF is SASL.
func groupF() []row {
	const sha, plus = "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"
	var names []string
	for _, n := range []string{`"`, "new\nline", strings.Repeat("u", 1024), "a\u05d0b", "admin ", "juliet@im.example"} {
		names = append(names, plain(n, password))
	}
	return []row{
		early("F01_no_such_mechanism", fails("invalid-mechanism", auth("NOSUCH", "="), auth("", "="), "<auth"+nsSASL+">=</auth>", auth("plain", base("\x00juliet\x00"+password)))...),
		{name: "F02_in_clear", n: 2, run: inClear},
		early("F03_encodings", fails("incorrect-encoding", auth("PLAIN", "!!"), auth("PLAIN", "AGp1\nbGlldA=="), auth("PLAIN", "AGp1bGlldA="))...),
		early("F03_lone_equals_sign", fails("malformed-request", auth("PLAIN", "="))...),
		early("F03_1_MiB", variants(streamError("policy-violation"), auth("PLAIN", strings.Repeat("A", 1<<20)))...),
		early("F04_malformed", fails("malformed-request", auth("PLAIN", base("juliet")), auth("PLAIN", base("\x00juliet\x00op\x00en")))...),
		early("F04_bad_strings", fails("not-authorized", auth("PLAIN", base("\x00juliet\x00\xff")))...),
		early("F05_somebody_else", fails("invalid-authzid", auth("PLAIN", base("nurse@im.example\x00juliet\x00"+password)))...),
		early("F06_empty_password", fails("not-authorized", auth("PLAIN", base("\x00juliet\x00")))...),
		early("F07_nonces", fails("malformed-request", auth(sha, base("n,,n=juliet,r=")), auth(sha, base("n,,n=juliet,r=x")), auth(sha, base("n,,n=juliet,r=a,b,c,d,e,f")))...),
		{name: "F07_replay", n: 1, run: replay},
		{name: "F07_nonce_not_echoed", n: 2, run: anotherNonce},
		early("F08_downgrade", fails("not-authorized", auth(sha, base("y,,n=juliet,r=client-nonce")), auth(plus, base("p=tls-unique,,n=juliet,r=client-nonce")),
			auth(plus, base("n,,n=juliet,r=client-nonce")), auth(sha, base("p=tls-exporter,,n=juliet,r=client-nonce")))...),
		{name: "F08_observed", n: 1, run: downgradeObserved},
		{name: "F08_binding_of_another_connection", n: 3, run: foreignBinding},
		early("F09_extensions", fails("malformed-request", auth(sha, base("n,,m=x,n=juliet,r=client-nonce")))...),
		{name: "F09_proofs", n: 5, run: proofs},
		early("F12_out_of_order", append(append(fails("malformed-request", "<response"+nsSASL+">=</response>"), fails("aborted", "<abort"+nsSASL+"/>")...),
			variant{"second auth restarts", auth(sha, base("n,,n=juliet,r=client-nonce")) + plain("juliet", password), reply("<success" + nsSASL + "/>")})...),
		late("F12_after_success", variants(streamError("not-authorized"), header+plain("juliet", password))...),
		early("F13_names", fails("not-authorized", names...)...),
		early("F13_NUL", fails("malformed-request", plain("ju\x00liet", password))...),
		{name: "F13_one_account", n: 3, run: oneAccount},
		{name: "F14_six_wrong_passwords", n: 1, run: sixWrong},
		{name: "F14_a_guessed_account", n: 1, run: guessed, aside: true},
		{name: "F16_external", n: 4, run: externals},
		{name: "F17_list_of_mechanisms", n: 1, run: mechanismsHashed},
	}
}

// inClear: F02. The credential is not looked at.
func inClear(t *testing.T, b *bed) {
	for _, a := range []string{plain("juliet", password), auth("SCRAM-SHA-256", base("n,,n=juliet,r=client-nonce"))} {
		c := b.dialTCP(t, b.clear)
		c.say(header)
		if said := c.until("</stream:features>"); strings.Contains(said, "mechanism") {
			t.Errorf("offered %s", said)
		}
		c.say(a)
		if said := c.until("</failure>"); !strings.Contains(said, "<encryption-required/>") {
			t.Errorf("said %s", said)
		}
	}
}

// downgradeObserved: F08, the record.
func downgradeObserved(t *testing.T, b *bed) {
	c := b.opened(t)
	c.say(auth("SCRAM-SHA-256", base("y,,n=juliet,r=client-nonce")))
	c.until("</failure>")
	b.observed(t, c.from(), c2s.Downgraded, "")
}

// sixWrong: F14. The delays that follow are in TestBrake of server/c2s, in virtual time.
func sixWrong(t *testing.T, b *bed) {
	c := b.opened(t)
	go c.sayIn(whole, strings.Repeat(plain("nobody", "wrong"), 5)+plain("nobody", password))
	said := c.end(patience)
	if strings.Count(said, "<not-authorized/>") != 5 || !strings.Contains(said, "<policy-violation") || strings.Contains(said, "<success") {
		t.Errorf("said %s", said)
	}
}

// oneAccount: F13. However it is written, it is the same account.
func oneAccount(t *testing.T, b *bed) {
	for _, name := range []string{"JULIET", "ｊｕｌｉｅｔ", "Juliet"} {
		c := b.opened(t)
		c.say(plain(name, password))
		c.until("<success")
		c.say(header)
		c.until("</stream:features>")
		c.say(bindDesk)
		c.until("<jid>juliet@im.example/desk</jid>")
	}
}

// externals: F16.
func externals(t *testing.T, b *bed) {
	for _, tc := range []struct {
		addresses     []string
		authzid, said string
	}{
		{[]string{"juliet@im.example"}, "", "<success"},
		{[]string{"juliet@im.example"}, "juliet@im.example", "<success"},
		{[]string{"juliet@im.example"}, "nurse@im.example", "<invalid-authzid/>"},
		{[]string{"juliet@im.example", "nurse@im.example"}, "", "<invalid-authzid/>"},
	} {
		cfg := b.tls()
		cfg.Certificates = []tls.Certificate{tlsidtest.Must(b.ca.Issue(tlsidtest.Options{XMPP: tc.addresses})).TLS()}
		c := b.dialWith(t, cfg)
		c.say(header)
		c.until("</stream:features>")
		text := "="
		if tc.authzid != "" {
			text = base(tc.authzid)
		}
		c.say(auth("EXTERNAL", text))
		c.until(tc.said)
	}
}
