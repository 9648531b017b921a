package hostileclient_test

import (
	"crypto/x509"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"sallyport/internal/tlsid/tlsidtest"
	"sallyport/testbed/imserver"
	"sallyport/testbed/peers"
	"sallyport/testbed/scenario"
)

// programConfig makes the program as open as the edge of the other runs.
const programConfig = `
[server.login]
mechanisms = ["EXTERNAL", "SCRAM-SHA-256", "PLAIN"]
trust = ["people.pem"]
crl = ["people.crl"]

[server.limits]
resources = 1000
web-connections = 200

[server.web]
listen = ["ADDRESS"]
`

// program is a bed of the program itself, with a nurse who sends every message back to who sent it.
func program(t *testing.T) *bed {
	t.Helper()
	block, err := peers.ClaimBlock()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = block.Close() })
	web := netip.AddrPortFrom(block.Addr(1), 5443).String()
	dir := t.TempDir()
	h, err := imserver.New(imserver.Wishes{
		Dir: dir, Addr: block.Addr(1), More: strings.Replace(programConfig, "ADDRESS", web, 1),
		Flags: []string{"--domain", domain.String(), "--domain", second.String()},
	})
	if err != nil {
		t.Fatal(err)
	}
	b := &bed{house: &house{came: make(map[string]int)}, home: h, ca: tlsidtest.Must(tlsidtest.NewCA("hostile clients")), roots: x509.NewCertPool()}
	b.direct, b.clear, b.web = h.Direct.String(), h.Clients.String(), web
	b.revoke(t, dir)
	authority, err := os.ReadFile(h.CA)
	if err != nil {
		t.Fatal(err)
	}
	b.roots.AppendCertsFromPEM(authority)
	binary, err := scenario.Binary()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"juliet", "nurse", "mallory", "romeo", "benvolio", "paris"} {
		add := exec.CommandContext(t.Context(), binary, "user", "add", name+"@im.example", "-c", filepath.Join(dir, "sallyport.toml"))
		add.Stdin, add.Dir = strings.NewReader(password+"\n"), dir
		if out, err := add.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	if err := h.Run(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			said, err := os.ReadFile(h.Log())
			t.Logf("the server said: %s %v", said[max(0, len(said)-5000):], err)
		}
	})
	b.nurse(t)
	return b
}

var (
	messageTag = regexp.MustCompile(`(?s)<message ([^>]*[^/>])>(.*?)</message>`)
	attribute  = regexp.MustCompile(`(\w+)='([^']*)'`)
)

// nurse answers from the resource R until the program ends.
func (b *bed) nurse(t *testing.T) {
	t.Helper()
	c := b.dial(t)
	c.say(header)
	c.until("</stream:features>")
	c.say(plain("nurse", password))
	c.until("<success" + nsSASL + "/>")
	c.say(header)
	c.until("</stream:features>")
	c.say(strings.Replace(bindDesk, "desk", "R", 1) + "<presence/>")
	c.until("<presence")
	_ = c.conn.SetReadDeadline(time.Time{}) // until has set one, and all rows may take longer
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		buf := make([]byte, 64<<10)
		for {
			n, err := c.conn.Read(buf)
			if err != nil {
				return
			}
			c.text += string(buf[:n])
			for m := messageTag.FindStringSubmatchIndex(c.text); m != nil; m = messageTag.FindStringSubmatchIndex(c.text) {
				attrs, inside := c.text[m[2]:m[3]], c.text[m[4]:m[5]]
				c.text = c.text[m[1]:]
				b.sendBack(c, attrs, inside)
			}
		}
	}()
	t.Cleanup(func() { _ = c.conn.Close(); <-ended })
}

func (b *bed) sendBack(c *client, attrs, inside string) {
	said := map[string]string{}
	for _, a := range attribute.FindAllStringSubmatch(attrs, -1) {
		said[a[1]] = a[2]
	}
	if said["type"] == "error" {
		return
	}
	b.house.took(said["id"], strings.Contains(inside, mark))
	_, _ = fmt.Fprintf(c.conn, "<message to='%s' id='%s' type='chat'>%s</message>", said["from"], said["id"], inside) // its end is seen by the reader
}

// TestProgram plays every row against the program itself.
func TestProgram(t *testing.T) {
	play(t, program(t))
}
