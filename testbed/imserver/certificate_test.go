package imserver_test

import (
	"bytes"
	"compress/zlib"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sallyport/internal/tlsid/tlsidtest"
	"sallyport/testbed/client"
	"sallyport/testbed/imserver"
	"sallyport/testbed/scenario"
)

// Who shows a certificate of the authority that is trusted is the account that it names, and nobody else; until it is revoked (XEP-0178).
func TestLoginByCertificate(t *testing.T) {
	t.Parallel()
	w := alone(t, "juliet", "romeo")
	dir := w.home.Dir
	people, strangers := tlsidtest.Must(tlsidtest.NewCA("people")), tlsidtest.Must(tlsidtest.NewCA("strangers"))
	tlsidtest.Must(people.WritePEM(dir, "people"))
	list := filepath.Join(dir, "people.crl")
	revoke := func(certs ...*x509.Certificate) {
		t.Helper()
		now := time.Now()
		if err := os.WriteFile(list, tlsidtest.Must(people.CRL(now.Add(-time.Hour), now.Add(time.Hour), certs...)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	revoke()
	issue := func(ca *tlsidtest.CA, name string) (*tlsidtest.Leaf, client.Account) {
		t.Helper()
		leaf := tlsidtest.Must(ca.Issue(tlsidtest.Options{XMPP: []string{name + "@" + imserver.Domain}, Usages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}))
		cert, key, err := leaf.WritePEM(dir, fmt.Sprintf("%s-%d", name, time.Now().UnixNano()))
		if err != nil {
			t.Fatal(err)
		}
		return leaf, client.Account{User: name, Domain: imserver.Domain, Resource: "card", Server: w.home.Clients, CA: w.home.CA, Cert: cert, Key: key}
	}
	more := strings.Replace(oldClients, "mechanisms = [", "trust = [\"people.pem\"]\ncrl = [\"people.crl\"]\ncrl-required = true\nmechanisms = [\"EXTERNAL\", ", 1)
	w.reconfigure(oldClients, more)

	leaf, hers := issue(people, "juliet")
	juliet, romeo := w.enter(hers), w.login("romeo", "orchard")
	juliet.says(romeo.Bare(), "it is me")
	if e := romeo.hears("it is me"); e.From != "juliet@"+imserver.Domain+"/card" {
		t.Errorf("from %s", e.From)
	}
	refused := func(what string, a client.Account) {
		t.Helper()
		if c, err := w.driver.Login(a); err == nil {
			_ = c.Close()
			t.Errorf("logged in: %s", what)
		}
	}
	as := hers
	as.User = "romeo"
	refused("with the certificate of another", as)
	_, forged := issue(strangers, "juliet")
	refused("with a certificate of another authority", forged)
	_, nobody := issue(people, "nobody")
	refused("without an account", nobody)
	revoke(leaf.Cert)
	if _, err := w.home.Command("reload"); err != nil {
		t.Fatal(err)
	}
	refused("with a revoked certificate", hers)
}

// reconfigure writes another text in place of one in the configuration, and starts the server anew.
func (w *world) reconfigure(old, next string) {
	w.t.Helper()
	if err := w.home.Stop(); err != nil {
		w.t.Fatal(err)
	}
	path := filepath.Join(w.home.Dir, "sallyport.toml")
	text, err := os.ReadFile(path)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(text), old, next, 1)), 0o600); err != nil {
		w.t.Fatal(err)
	}
	if err := w.home.Run(); err != nil {
		w.t.Fatalf("%v\n%s", err, w.logTail())
	}
}

// Where it is switched on, a client compresses (XEP-0138), and its server answers so.
func TestCompression(t *testing.T) {
	t.Parallel()
	w := alone(t, "juliet")
	r := w.rawKnown("juliet")
	if offered := r.until("</stream:features>"); strings.Contains(offered, "compression") {
		t.Errorf("offered by itself: %s", offered)
	}
	w.reconfigure(oldClients, oldClients+"compression = true\n")
	r = w.rawKnown("juliet")
	if offered := r.until("</stream:features>"); !strings.Contains(offered, "<method>zlib</method>") {
		t.Fatalf("not offered: %s", offered)
	}
	r.say(`<compress xmlns='http://jabber.org/protocol/compress'><method>zlib</method></compress>`)
	r.until("<compressed xmlns='http://jabber.org/protocol/compress'/>")
	var squeezed bytes.Buffer
	z := zlib.NewWriter(&squeezed)
	if _, err := io.WriteString(z, rawHello); err != nil {
		t.Fatal(err)
	}
	if err := z.Flush(); err != nil {
		t.Fatal(err)
	}
	r.say(squeezed.String())
	_ = r.conn.SetReadDeadline(time.Now().Add(scenario.Patience)) // as in next
	plain, err := zlib.NewReader(r.conn)
	if err != nil {
		t.Fatal(err)
	}
	said := ""
	for buf := make([]byte, 4096); !strings.Contains(said, "</stream:features>"); {
		n, err := plain.Read(buf)
		if said += string(buf[:n]); err != nil {
			t.Fatalf("%v after %q", err, said)
		}
	}
	if !strings.Contains(said, "urn:ietf:params:xml:ns:xmpp-bind") || strings.Contains(said, "http://jabber.org/features/compress") {
		t.Errorf("compressed, it offers %s", said)
	}
}

// rawKnown has logged in, and is about to be told what is offered.
func (w *world) rawKnown(name string) *raw {
	w.t.Helper()
	r := w.rawStream()
	r.until("</stream:features>")
	r.say(`<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>` + base64.StdEncoding.EncodeToString([]byte("\x00"+name+"\x00"+imserver.Password)) + `</auth>`)
	r.until("<success")
	r.say(rawHello)
	return r
}
