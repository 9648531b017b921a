package imserver_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"html"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"regexp"
	"strings"
	"testing"

	"sallyport/testbed/imserver"
)

const withWeb = `
[server.web]
listen = ["ADDRESS"]
bosh = true

[server.web.files]
quota-bytes = "32 MiB"

[server.contacts]
abuse = ["mailto:abuse@home.test"]
security = ["xmpp:nurse@home.test", "https://home.test/security"]
`

// browser fetches over HTTPS as a browser of somebody who trusts the home's authority would.
func (w *world) browser(at netip.AddrPort) *http.Client {
	w.t.Helper()
	authority, err := os.ReadFile(w.home.CA)
	if err != nil {
		w.t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: imserver.Domain, MinVersion: tls.VersionTLS12},
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "tcp", at.String())
		},
	}
	w.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// What is reached by HTTP: where web clients connect, and files that people send each other.
func TestWeb(t *testing.T) {
	t.Parallel()
	w := alone(t, "juliet")
	at := netip.AddrPortFrom(w.home.Clients.Addr(), 5443)
	if err := w.home.Restart(strings.Replace(withWeb, "ADDRESS", at.String(), 1)); err != nil {
		t.Fatal(err)
	}
	browser := w.browser(at)
	get := func(address string) (int, []byte) {
		t.Helper()
		r, err := browser.Get(address)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		return r.StatusCode, b
	}
	var meta struct {
		Links []struct{ Rel, Href string } `json:"links"`
	}
	if _, b := get("https://" + imserver.Domain + ":5443/.well-known/host-meta.json"); json.Unmarshal(b, &meta) != nil || len(meta.Links) != 2 ||
		meta.Links[0].Href != "wss://"+imserver.Domain+":5443/ws" {
		t.Errorf("host-meta says %s", b)
	}
	juliet := w.login("juliet", "balcony")
	told := juliet.asks("get", imserver.Domain, `<query xmlns="http://jabber.org/protocol/disco#info"/>`)
	for _, want := range []string{"http://jabber.org/network/serverinfo", "abuse-addresses", "mailto:abuse@home.test", "https://home.test/security"} {
		if !strings.Contains(told, want) {
			t.Errorf("not told of %s: %s", want, told)
		}
	}
	slot, err := juliet.IQ("get", imserver.Domain, `<request xmlns="urn:xmpp:http:upload:0" filename="rose.txt" size="5" content-type="text/plain"/>`)
	juliet.must(err)
	address := html.UnescapeString(regexp.MustCompile(`url="([^"]+)"`).FindStringSubmatch(slot)[1])
	put, err := http.NewRequest(http.MethodPut, address, bytes.NewReader([]byte("a red")))
	juliet.must(err)
	put.Header.Set("Content-Type", "text/plain")
	r, err := browser.Do(put)
	juliet.must(err)
	_ = r.Body.Close()
	if status, b := get(address); r.StatusCode != http.StatusCreated || status != http.StatusOK || string(b) != "a red" {
		t.Errorf("put gives %d, get %d: %s", r.StatusCode, status, b)
	}
	if status, _ := get(strings.Replace(address, "rose.txt", "..%2F..%2Fserver.db", 1)); status != http.StatusNotFound {
		t.Errorf("another file gives %d", status)
	}
}
