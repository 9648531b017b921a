package login_test

import (
	"crypto/sha1" //nolint:gosec // XEP-0114 has no other
	"crypto/tls"
	"encoding/hex"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sallyport/testbed/imserver"
)

const echo = "echo." + imserver.Domain

// A component connects with TLS from the first byte, proves its secret, and talks with somebody; in clear nobody answers it (XEP-0114).
func TestComponentTLS(t *testing.T) {
	h := running(t, "", "juliet")
	const secret = "the secret of the echo, long enough"
	if err := os.WriteFile(filepath.Join(h.Dir, "echo.secret"), []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	at := netip.AddrPortFrom(h.Clients.Addr(), 5347)
	if err := h.Restart("\n[server.components]\nlisten = [\"" + at.String() + "\"]\ntls = true\n\n[server.component.echo]\ndomain = \"" + echo + "\"\nsecret = \"echo.secret\"\n"); err != nil {
		t.Fatal(err)
	}
	const hello = "<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' to='" + echo + "'>"
	clear := &strand{t: t, from: source()}
	clear.dial(at)
	clear.say(hello)
	if said := clear.ends(); strings.Contains(said, "stream") {
		t.Errorf("in clear it is told %s", said)
	}
	begins := func(secret string) (*strand, string) {
		s := &strand{t: t, from: source()}
		s.dial(at)
		s.shake(h, &tls.Config{MinVersion: tls.VersionTLS12})
		s.say(hello)
		sum := sha1.Sum([]byte(between(s.until(">")+s.until(">"), " id='", "'") + secret)) //nolint:gosec // see above
		s.say("<handshake>" + hex.EncodeToString(sum[:]) + "</handshake>")
		return s, s.until("<handshake/>", "</stream:stream>")
	}
	if _, said := begins("another secret, as long as it"); !strings.Contains(said, "<stream:error><not-authorized") {
		t.Errorf("with another secret it is told %s", said)
	}
	c, said := begins(secret)
	if said != "<handshake/>" {
		t.Fatalf("it is told %s", said)
	}
	s := in13(t, h)
	s.say("<presence/><message to='hall@" + echo + "' type='chat' id='m'><body>hello</body></message>")
	got := c.until("</message>")
	from := between(got, " from='", "'")
	if !strings.Contains(got, "<body>hello</body>") || !strings.HasPrefix(from, "juliet@"+imserver.Domain+"/") {
		t.Errorf("it hears %s", got)
	}
	c.say("<message from='hall@" + echo + "' to='" + from + "' type='chat'><body>llo</body></message>")
	if said := s.until("</message>"); !strings.Contains(said, "<body>llo</body>") || !strings.Contains(said, " from='hall@"+echo+"'") {
		t.Errorf("she hears %s", said)
	}
}
