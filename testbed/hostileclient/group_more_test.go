package hostileclient_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"sallyport/internal/tlsid/tlsidtest"
)

// groupTLS is more of TLS and certificates: what crypto/tls does for us, and what is not looked at before it costs.
func groupTLS() []row {
	return []row{
		{name: "E05_renegotiation", n: 1, run: renegotiation},
		{name: "E09_identity_tricks", n: 9, run: identityTricks},
		{name: "E11_expensive_certificates", n: 3, run: expensiveCertificates},
		{name: "E12_no_ticket", n: 2, run: noTicket},
	}
}

// openssl connects with the program of that name, which is told what to do by lines of its input.
func (b *bed) openssl(t *testing.T, lines string, args ...string) string {
	t.Helper()
	ctx := t.Context()
	cmd := exec.CommandContext(ctx, "openssl", append([]string{"s_client", "-connect", b.direct, "-servername", "im.example", "-alpn", "xmpp-client"}, args...)...)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.WaitDelay = patience
	done := make(chan struct{})
	go func() {
		defer close(done)
		for line := range strings.Lines(lines) {
			if _, err := in.Write([]byte(line)); err != nil {
				return
			}
		}
	}()
	late := time.AfterFunc(2*patience, func() { _ = in.Close() }) // it ends by that if the server does not end it
	out, _ := cmd.CombinedOutput()                                // how it ended stands in what it says
	if !late.Stop() {
		t.Errorf("still connected: %.2000s", out)
	}
	<-done
	return string(out)
}

// renegotiation: E05. The alert is another than the list has: unexpected_message, and the connection ends by it.
func renegotiation(t *testing.T, b *bed) {
	if said := b.openssl(t, "R\n", "-tls1_2"); !strings.Contains(said, "RENEGOTIATING") || !strings.Contains(said, "SSL alert number 10") {
		t.Errorf("said %.3000s", said)
	}
}

// identityTricks: E09. Only an XmppAddr that is the account is one, however it is written.
func identityTricks(t *testing.T, b *bed) {
	addr := func(a string) tlsidtest.Options { return tlsidtest.Options{XMPP: []string{a}} }
	for name, tc := range map[string]struct {
		o    tlsidtest.Options
		said string
	}{
		"upper case":           {addr("JULIET@IM.EXAMPLE"), "<success"},
		"another domain":       {addr("juliet@good.example"), "<not-authorized/>"},
		"the domain":           {addr("im.example"), "<not-authorized/>"},
		"a resource":           {addr("juliet@im.example/desk"), "<not-authorized/>"},
		"everybody":            {addr("*@im.example"), "<invalid-authzid/>"},
		"everybody everywhere": {addr("juliet@*.example"), "<not-authorized/>"},
		"behind NUL":           {addr("juliet@im.example\x00.evil.example"), "<not-authorized/>"},
		"DNS names":            {tlsidtest.Options{DNS: []string{"im.example", "*.example"}}, "<not-authorized/>"},
		"names of services":    {tlsidtest.Options{SRV: []string{"_xmpp-client.im.example"}}, "<not-authorized/>"},
	} {
		tc.o.Usages = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
		cfg := b.tls()
		cfg.Certificates = []tls.Certificate{tlsidtest.Must(b.ca.Issue(tc.o)).TLS()}
		c := b.dialWith(t, cfg)
		c.say(header)
		c.until("</stream:features>")
		c.say(auth("EXTERNAL", base("juliet@im.example")))
		if said := c.until("<success", "</failure>"); !strings.Contains(said, tc.said) {
			t.Errorf("%s: %s", name, said)
		}
	}
}

// noTicket: E12. Where certificates are asked for, each connection shows its own.
func noTicket(t *testing.T, b *bed) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		cfg := b.tls()
		cfg.MinVersion, cfg.MaxVersion, cfg.ClientSessionCache = version, version, tls.NewLRUClientSessionCache(10)
		for range 2 {
			c := b.dialWith(t, cfg)
			c.say(header)
			c.until("</stream:features>") // a ticket would have come before
			if c.conn.(*tls.Conn).ConnectionState().DidResume {
				t.Errorf("%s: resumed", tls.VersionName(version))
			}
			_ = c.conn.Close()
		}
	}
}

// groupProgram is what only the program has behind its edge.
func groupProgram() []row {
	const command = "<command xmlns='http://jabber.org/protocol/commands' node='http://jabber.org/protocol/admin#add-user' action='execute'/>"
	request := func(to, inside string) string { return "<iq type='set' to='" + to + "' id='$ID'>" + inside + "</iq>" }
	push := "<query xmlns='jabber:iq:roster'><item jid='evil@im.example' subscription='both'/></query>"
	lost := "<error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"
	rows := []row{
		inStream("H09_roster_of_others", variants(stanzaError("service-unavailable", "cancel"), request("nurse@im.example/R", push), request("nurse@im.example", push))),
		inStream("H12_many_recipients", variants(stanzaError("policy-violation", "modify"),
			"<message to='im.example' id='$ID'><addresses xmlns='http://jabber.org/protocol/address'>"+strings.Repeat("<address type='to' jid='nurse@im.example'/>", 2_000)+"</addresses></message>")),
		inStream("H13_administration", variants(stanzaError("item-not-found", "cancel"), request("im.example", command))), // who may not is not told that it is there
		inStream("H14_errors_of_nobody", variants(want{outcome: silent},
			"<message type='error' to='nobody@im.example' id='$ID'>"+lost+"</message>", "<message type='error' to='nurse@im.example/gone' id='$ID'>"+lost+"</message>",
			"<iq type='error' to='nobody@im.example' id='$ID'>"+lost+"</iq>", "<presence type='error' to='nobody@im.example' id='$ID'>"+lost+"</presence>")),
		{name: "H11_probes", n: 1, run: probes},
		{name: "H07_answers_that_nobody_asked_for", n: 2, run: unasked},
		{name: "H11_subscriptions", n: 1, run: manySubscriptions},
	}
	for i := range rows {
		rows[i].program = true
	}
	return rows
}

// probes: H11. Of who has not agreed nothing is told, and the same as of who is not there.
func probes(t *testing.T, b *bed) {
	said := map[string]string{}
	for _, who := range []string{"nurse", "nobody"} {
		c := b.login(t)
		id := b.id("probe")
		c.say("<presence type='probe' to='" + who + "@im.example' id='p'/>" + good(id))
		all := c.until("id='"+id+"'") + c.until("</message>")
		before, _, _ := strings.Cut(all, "<message")
		said[who] = strings.ReplaceAll(strings.ReplaceAll(before, who, "WHO"), c.desk, "DESK")
	}
	if said["nurse"] != said["nobody"] {
		t.Errorf("of somebody: %s\nof nobody: %s", said["nurse"], said["nobody"])
	}
}

// unasked: H07.
func unasked(t *testing.T, b *bed) {
	c := b.login(t)
	id := b.id("after")
	c.say("<iq type='result' to='nurse@im.example/R' id='x'/><iq type='result' to='im.example' id='x'/><iq type='error' id='x'/>" + good(id))
	if said := c.until("id='" + id + "'"); strings.Contains(said, "<iq") || strings.Contains(said, "error") {
		t.Errorf("said %s", said)
	}
}

// manySubscriptions: H11. Who asks very many people is told to wait.
func manySubscriptions(t *testing.T, b *bed) {
	c := b.login(t)
	var all strings.Builder
	for i := range 300 {
		fmt.Fprintf(&all, "<presence type='subscribe' to='friend%d@im.example' id='s%d'/>", i, i)
	}
	go c.sayIn(whole, all.String())
	if said := c.until("<policy-violation"); !strings.Contains(said, "type='wait'") {
		t.Errorf("said %.2000s", said)
	}
}
