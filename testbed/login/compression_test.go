package login_test

import (
	"bytes"
	"compress/zlib"
	"crypto/tls"
	"os"
	"strconv"
	"strings"
	"testing"

	"sallyport/testbed/imserver"
)

const compress = "<compress xmlns='http://jabber.org/protocol/compress'><method>zlib</method></compress>"

// Nobody compresses where it is not configured, and before the login nowhere (XEP-0138, bad-inputs M01).
func TestNoCompression(t *testing.T) {
	const unsupported = "<failure xmlns='http://jabber.org/protocol/compress'><unsupported-method/></failure>"
	for _, more := range []string{"", "\n[server.login]\ncompression = true\n"} {
		h := running(t, more, "juliet")
		s := connects(t, h, true, only(tls.VersionTLS13))
		s.say(compress)
		s.until(unsupported)
		if said := s.in(juliet("SCRAM-SHA-256", "")); !strings.HasPrefix(said, "<success") {
			t.Fatal(said)
		}
		s.begin()
		if offered := strings.Contains(s.features, "<method>zlib</method>"); offered != (more != "") {
			t.Errorf("with %q: %s", more, s.features)
		}
		if more == "" {
			s.say(compress)
			s.until(unsupported)
		}
	}
}

// deflated is a text, many times.
func deflated(t *testing.T, before, text string, times int) []byte {
	t.Helper()
	var out bytes.Buffer
	z, err := zlib.NewWriterLevel(&out, zlib.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = z.Write([]byte(before)) // a buffer takes all
	for range times {
		_, _ = z.Write([]byte(text))
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// A few bytes that become many are not inflated to their end, whatever they are: the connection is, and the memory of the program is as it was.
func TestBomb(t *testing.T) {
	h := running(t, "\n[server.login]\ncompression = true\n", "juliet")
	const mebibyte = 1 << 20
	text, spaces := strings.Repeat("A", mebibyte), strings.Repeat(" ", mebibyte)
	for name, bomb := range map[string][]byte{
		"one long text":        deflated(t, open+"<message to='juliet@"+imserver.Domain+"'><body>", text, 64),
		"white space":          deflated(t, open, spaces, 64),
		"before a header":      deflated(t, "", spaces, 64),
		"a bomb in a bomb":     deflated(t, "", string(deflated(t, "", text, 64)), 100),
		"something else":       []byte("no compressed bytes at all"),
		"a dictionary of ours": {0x78, 0xbb, 0, 0, 0, 0},
	} {
		s := connects(t, h, true, only(tls.VersionTLS13))
		if said := s.in(juliet("SCRAM-SHA-256", "")); !strings.HasPrefix(said, "<success") {
			t.Fatal(said)
		}
		s.begin()
		s.say(compress)
		s.until("<compressed xmlns='http://jabber.org/protocol/compress'/>")
		before := weight(t, h.PID())
		go func() { _, _ = s.conn.Write(bomb) }() // it may not be read to its end
		s.ends()
		if more := weight(t, h.PID()) - before; more > 16<<20 {
			t.Errorf("%s: %d bytes more of %d", name, more, len(bomb))
		}
	}
	in13(t, h) // it lives
}

// weight is how much memory a process has, in bytes.
func weight(t *testing.T, pid int) int {
	t.Helper()
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		t.Fatal(err)
	}
	kib, err := strconv.Atoi(strings.TrimSpace(between(string(text), "VmRSS:", "kB")))
	if err != nil {
		t.Fatal(err)
	}
	return kib << 10
}
