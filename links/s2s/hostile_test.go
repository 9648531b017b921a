package s2s_test

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"sallyport/internal/tlsid/tlsidtest"
	"sallyport/links"
	"sallyport/links/s2s"
)

// TestE01: what follows starttls in clear is never parsed.
func TestE01(t *testing.T) {
	w := newWorld(t, setup{})
	r := dialRaw(t, w.b, false)
	r.say(head, "a.example", "b.example")
	r.hear("</stream:features>")
	r.say(starttls + external)
	if said := r.end(); strings.Contains(said, "<proceed") || strings.Contains(said, "<success") || strings.Contains(said, "<failure") {
		t.Errorf("said %q", said)
	}
	if !w.b.events.soon("starttls-injection", "") {
		t.Error("no event")
	}
}

// TestE02E03: as initiator: bytes behind proceed, no starttls, failure; nothing but the header is said in clear.
func TestE02E03(t *testing.T) {
	answer := "<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' " +
		"xmlns:db='jabber:server:dialback' version='1.0' id='s1' from='b.example' to='a.example'>"
	offer := "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>"
	rows := []struct{ name, first, second, want string }{
		{"E02 bytes behind proceed", answer + offer, proceed + "<stream:features/>", ""},
		{"E03 no starttls", answer + "<stream:features/>", "", "policy-violation"},
		{"E03 dialback instead", answer + "<stream:features><dialback xmlns='urn:xmpp:features:dialback'/></stream:features>", "", "policy-violation"},
		{"E03 failure", answer + offer, "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(t, setup{})
			heard := make(chan string, 1)
			server(t, w.a, func(r *raw) {
				r.hear("<stream:stream")
				r.say("%s", row.first)
				if row.second != "" {
					r.hear("<starttls")
					r.say("%s", row.second)
				}
				heard <- r.end()
			})
			w.a.send(t, "a.example", "b.example", 1, 1)
			said := <-heard
			if row.want != "" && !strings.Contains(said, row.want) {
				t.Errorf("said %q, want %s", said, row.want)
			}
			for _, never := range []string{"<presence", "<auth", "db:result", "n1"} {
				if strings.Contains(said, never) {
					t.Errorf("said %s in clear: %q", never, said)
				}
			}
		})
	}
}

// TestE04E13: versions and protocols at both doors.
func TestE04E13(t *testing.T) {
	w := newWorld(t, setup{})
	old := func(r *raw) error {
		return tls.Client(r.conn, &tls.Config{InsecureSkipVerify: true, ServerName: "b.example", MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}).Handshake()
	}
	r := dialRaw(t, w.b, false)
	r.say(head, "a.example", "b.example")
	r.hear("</stream:features>")
	r.say(starttls)
	r.hear("<proceed")
	if err := old(r); err == nil {
		t.Error("TLS 1.1 after starttls")
	}
	if err := old(dialRaw(t, w.b, true)); err == nil {
		t.Error("TLS 1.1 on the direct port")
	}
	web := tls.Client(dialRaw(t, w.b, true).conn, &tls.Config{InsecureSkipVerify: true, ServerName: "b.example", NextProtos: []string{"http/1.1"}})
	if err := web.Handshake(); err == nil || !strings.Contains(err.Error(), "no application protocol") {
		t.Errorf("http/1.1: %v", err)
	}
}

// TestE08: no certificate that is not good opens the door, in either direction, and the reason is named.
func TestE08(t *testing.T) {
	now := time.Now()
	other := tlsidtest.Must(tlsidtest.NewCA("other"))
	names := []string{"a.example", "b.example"}
	rows := []struct {
		name, reason string
		opts         tlsidtest.Options
		foreign      bool
	}{
		{"expired", "expired", tlsidtest.Options{DNS: names, NotBefore: now.Add(-2 * time.Hour), NotAfter: now.Add(-time.Hour)}, false},
		{"not yet valid", "not-yet-valid", tlsidtest.Options{DNS: names, NotBefore: now.Add(time.Hour)}, false},
		{"wrong usage", "wrong-usage", tlsidtest.Options{DNS: names, Usages: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}}, false},
		{"unknown authority", "unknown-ca", tlsidtest.Options{DNS: names}, true},
		{"E09 other name", "name-mismatch", tlsidtest.Options{DNS: []string{"other.example"}}, false},
		{"E09 common name only", "name-mismatch", tlsidtest.Options{Subject: pkix.Name{CommonName: "a.example"}}, false},
		{"E10 name in a distinguished name", "name-mismatch", tlsidtest.Options{Subject: pkix.Name{OrganizationalUnit: []string{"CN=a.example,"}}}, false},
	}
	for _, row := range rows {
		for _, side := range []string{"initiator", "responder"} {
			t.Run(row.name+", "+side, func(t *testing.T) {
				var o setup
				if side == "initiator" {
					o.aCert = &row.opts
				} else {
					o.bCert = &row.opts
				}
				if row.foreign {
					o.edit = func(a, b *s2s.Config) {
						bad := keys(t, tlsidtest.Must(other.Issue(row.opts)))
						if side == "initiator" {
							a.Keys = bad
						} else {
							b.Keys = bad
						}
					}
				}
				w := newWorld(t, o)
				w.a.send(t, "a.example", "b.example", 1, 1)
				judge := w.b
				if side == "responder" {
					judge = w.a
				}
				for deadline := time.Now().Add(patience); !judge.events.find(s2s.EventCertificate, row.reason); {
					if time.Now().After(deadline) {
						w.dump(t)
						t.Fatalf("no event with reason %s", row.reason)
					}
					waitABit(w.a)
				}
				if n := w.b.Counters().StanzasIn.Load(); n != 0 {
					t.Errorf("%d stanzas came through", n)
				}
			})
		}
	}
}

// waitABit lets the gates work without guessing a time: a question to the link takes its locks in turn.
func waitABit(g *gate) { g.Status() }

// TestD13: one more connection from an address than may be unauthenticated is refused at accept, and places are given back.
func TestD13(t *testing.T) {
	w := newWorld(t, setup{edit: func(_, b *s2s.Config) { b.Limits.PerAddress = 5 }})
	var idle []*raw
	for range 5 {
		r := dialRaw(t, w.b, false)
		r.say(head, "a.example", "b.example")
		r.hear("</stream:features>")
		idle = append(idle, r)
	}
	if said := dialRaw(t, w.b, false).end(); said != "" {
		t.Errorf("the sixth heard %q", said)
	}
	if w.b.Counters().RefusedSource.Load() != 1 {
		t.Error("not counted")
	}
	_ = idle[0].conn.Close()
	for deadline := time.Now().Add(patience); w.b.Status().Pending == 5 && time.Now().Before(deadline); {
		waitABit(w.b)
	}
	w.a.send(t, "a.example", "b.example", 1, 1)
	w.b.sink.wait(t, 1)
	if p := w.b.Status().Pending; p != 4 {
		t.Errorf("%d connections count as unauthenticated, want 4: an authenticated one counts no longer", p)
	}
}

// TestE07: a handshake that does not go on is closed when its time is over.
func TestE07(t *testing.T) {
	w := newWorld(t, setup{edit: func(_, b *s2s.Config) { b.Limits.Handshake = 200 * time.Millisecond }})
	r := dialRaw(t, w.b, false)
	r.say(head, "a.example", "b.example")
	r.hear("</stream:features>")
	r.say(starttls)
	r.hear("<proceed")
	r.say("\x16\x03\x01")
	start := time.Now()
	r.end()
	d := dialRaw(t, w.b, true)
	d.say("\x16\x03")
	d.end()
	if took := time.Since(start); took > patience {
		t.Errorf("took %v", took)
	}
}

// TestStrangers: domains in no peer's table get nowhere, whatever they can prove.
func TestStrangers(t *testing.T) {
	w := newWorld(t, setup{proofs: s2s.Proofs{External: true, Dialback: true}})
	cert := tlsidtest.Must(w.ca.Issue(tlsidtest.Options{DNS: []string{"stranger.example"}}))
	r := dialRaw(t, w.b, false)
	r.say(head, "stranger.example", "b.example")
	r.hear("<stream:")
	if strings.Contains(r.all, "starttls") || strings.Contains(r.text, "starttls") {
		r.say(starttls)
		r.hear("<proceed")
		r.secure(cert, "b.example")
		r.say(head, "stranger.example", "b.example")
		r.say(external)
		r.say("<db:result from='stranger.example' to='b.example'>key</db:result>")
	}
	r.say("<presence from='u@stranger.example' to='v@b.example'/>")
	said := r.end()
	if strings.Contains(said, "<success") || strings.Contains(said, "'valid'") {
		t.Errorf("said %q", said)
	}
	if n := w.b.Counters().StanzasIn.Load(); n != 0 {
		t.Errorf("%d stanzas from a stranger", n)
	}
}

// TestBadStanzasKeepTheLink: oversized, malformed and misdirected stanzas go up to be refused, and the next good one arrives.
func TestBadStanzasKeepTheLink(t *testing.T) {
	w := newWorld(t, setup{edit: func(_, b *s2s.Config) { b.Peers[0].MaxStanzaBytes = 20_000 }})
	r := login(t, w)
	r.say("<presence from='u@a.example' to='v@b.example'><status>n1</status></presence>")
	r.say("<message from='u@a.example' to='v@b.example' id='big'><body>%s</body></message>", strings.Repeat("x", 30_000))
	r.say("<message from='u@a.example' to='v@@b.example' id='bad'><body>x</body></message>")
	r.say("<message from='u@a.example' to='v@elsewhere.example' id='astray'><body>x</body></message>")
	r.say("<presence from='u@a.example' to='v@b.example'><status>n2</status></presence>")
	got := w.b.sink.wait(t, 5)
	want := []string{"n1", "malformed policy-violation", "malformed jid-malformed", "malformed item-not-found", "n2"}
	for i, in := range got {
		if status(in) != want[i] {
			t.Errorf("arrival %d: %s, want %s", i, status(in), want[i])
		}
		if in.Peer != "a" || in.Receipt == nil {
			t.Errorf("arrival %d: %+v", i, in)
		}
	}
	for _, i := range []int{1, 2, 3} {
		if m := got[i].Malformed; m.ID == "" || m.From.String() != "u@a.example" {
			t.Errorf("arrival %d cannot be answered: %+v", i, m)
		}
	}
	c := w.b.Counters()
	if c.Oversize.Load() != 1 || c.BadStanzas.Load() != 1 || c.NotHosted.Load() != 1 {
		t.Errorf("counters %d %d %d", c.Oversize.Load(), c.BadStanzas.Load(), c.NotHosted.Load())
	}
}

// TestTooBigForThePeer: a stanza larger than this peer may send is refused as such and costs nothing else. (What a neighbour says
// it will not take is never written: the machine's own tests, XEP-0478.)
func TestTooBigForThePeer(t *testing.T) {
	w := newWorld(t, setup{edit: func(_, b *s2s.Config) { b.Peers[0].MaxStanzaBytes = 2_000 }})
	w.a.send(t, "a.example", "b.example", 1, 1)
	w.b.sink.wait(t, 1)
	big := fmt.Sprintf("<presence from='u@a.example/r' to='v@b.example'><status>%s</status></presence>", strings.Repeat("x", 3000))
	w.a.deliver(t, release(t, big))
	w.a.send(t, "a.example", "b.example", 2, 2)
	got := w.b.sink.wait(t, 3)
	if m := got[1].Malformed; m == nil || !m.TooBig {
		t.Errorf("the large one came as %+v", got[1])
	}
	inOrder(t, []links.Inbound{got[0], got[2]}, 1, 2)
	if w.a.Counters().Dialled.Load() != 1 {
		t.Error("the stanza cost the stream")
	}
}

// TestFromOfOthers: a stanza from a domain that was not proven ends the stream, and nothing of it goes up (H01).
func TestFromOfOthers(t *testing.T) {
	w := newWorld(t, setup{})
	r := login(t, w)
	r.say("<presence from='u@a.example' to='v@b.example'><status>n1</status></presence>")
	r.say("<presence from='u@x.a.example' to='v@b.example'><status>n2</status></presence>")
	if said := r.end(); !strings.Contains(said, "invalid-from") {
		t.Errorf("said %q", said)
	}
	inOrder(t, w.b.sink.wait(t, 1), 1, 1)
}

// TestH06: a domain that only looks like another stands in the log with its A-label, too.
func TestH06(t *testing.T) {
	core, logs := observer.New(zapcore.InfoLevel)
	w := newWorld(t, setup{env: func(_, b *s2s.Env) { b.Log = zap.New(core) }})
	r := login(t, w)
	r.say("<presence from='u@\u0430.example' to='v@b.example'/>") // Cyrillic a
	if said := r.end(); !strings.Contains(said, "invalid-from") {
		t.Errorf("said %q", said)
	}
	lines := logs.FilterField(zap.String("remote", "\u0430.example (xn--80a.example)"))
	if lines.Len() == 0 {
		t.Errorf("logged %v", logs.All())
	}
}

// TestG06: a peer that must show a certificate is refused dialback, with the condition that says so.
func TestG06(t *testing.T) {
	w := newWorld(t, setup{})
	r := dialRaw(t, w.b, false)
	r.say(head, "a.example", "b.example")
	r.hear("</stream:features>")
	r.say(starttls)
	r.hear("<proceed")
	r.secure(tlsidtest.Must(w.ca.Issue(*nobody())), "b.example")
	r.say(head, "a.example", "b.example")
	r.hear("<stream:stream")
	r.say("<db:result from='a.example' to='b.example'>abc</db:result><presence from='u@a.example' to='v@b.example'/>")
	if said := r.end(); strings.Contains(said, "'valid'") {
		t.Errorf("said %q", said)
	}
	if w.b.Counters().StanzasIn.Load() != 0 {
		t.Error("a stanza came through")
	}
}

// TestG05: nobody else is one of us.
func TestG05(t *testing.T) {
	w := newWorld(t, setup{proofs: s2s.Proofs{Dialback: true, External: true}})
	r := login(t, w)
	r.say("<db:result from='b.example' to='b.example'>abc</db:result>")
	r.hear("type='error'")
	r.say("<presence from='u@a.example' to='v@b.example'><status>n1</status></presence>")
	inOrder(t, w.b.sink.wait(t, 1), 1, 1)
	if !w.b.events.soon("self-spoof", "") {
		t.Error("no event")
	}
}

// TestD11: a referral to another host is not followed.
func TestD11(t *testing.T) {
	w := newWorld(t, setup{})
	trap, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer trap.Close()
	done := make(chan struct{})
	server(t, w.a, func(r *raw) {
		defer close(done)
		r.hear("<stream:stream")
		r.say("<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' version='1.0' id='x' "+
			"from='b.example' to='a.example'><stream:error><see-other-host xmlns='urn:ietf:params:xml:ns:xmpp-streams'>%s</see-other-host>"+
			"</stream:error></stream:stream>", trap.Addr())
		r.end()
	})
	w.a.send(t, "a.example", "b.example", 1, 1)
	<-done
	_ = trap.(*net.TCPListener).SetDeadline(time.Now().Add(300 * time.Millisecond))
	if c, err := trap.Accept(); err == nil {
		_ = c.Close()
		t.Error("the referral was followed")
	}
	if !w.a.events.soon("see-other-host", "") {
		t.Error("no event")
	}
}

// TestReserveDeliverContract: nothing leaves that was not released for this link.
func TestReserveDeliverContract(t *testing.T) {
	w := newWorld(t, setup{edit: func(a, _ *s2s.Config) { a.Name = "other" }})
	w.a.Deliver(links.Consignment{Token: 1, Reporter: w.a.rep})
	w.a.Deliver(links.Consignment{Released: released(t, "a.example", "b.example", 1), Token: 2, Reporter: w.a.rep})
	w.a.rep.wait(t, links.Failed, 2)
	if n := w.a.Counters().Dialled.Load(); n != 0 {
		t.Errorf("%d connections for nothing", n)
	}
}
