package c2s_test

import (
	"bufio"
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"sallyport/internal/xmpp/stream"
	"sallyport/server/c2s"
)

const (
	openFrame = `<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='im.example' version='1.0'/>`
	nsClient  = ` xmlns='jabber:client'`
)

// Opcodes of RFC 6455 §5.2.
const (
	continuation = 0
	textFrame    = 1
	binaryFrame  = 2
	closeFrame   = 8
	pingFrame    = 9
	final        = 0x80
)

// webClient speaks frames.
type webClient struct {
	t    *testing.T
	conn *tls.Conn
	r    *bufio.Reader
}

// web starts an HTTPS server with the handlers, and returns its address.
func (b *bed) web(handler http.Handler) string {
	b.t.Helper()
	hs := httptest.NewUnstartedServer(handler)
	hs.TLS = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: b.certificate}
	hs.StartTLS()
	b.t.Cleanup(hs.Close)
	return hs.Listener.Addr().String()
}

// upgrade asks for a WebSocket and returns the answer's status.
func (b *bed) upgrade(addr, headers string) (*webClient, *http.Response) {
	b.t.Helper()
	conn, err := tls.Dial("tcp", addr, &tls.Config{RootCAs: b.roots, ServerName: "im.example"})
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	_, err = fmt.Fprintf(conn, "GET /ws HTTP/1.1\r\nHost: im.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n", headers)
	if err != nil {
		b.t.Fatal(err)
	}
	c := &webClient{t: b.t, conn: conn, r: bufio.NewReader(conn)}
	answer, err := http.ReadResponse(c.r, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return c, answer
}

func (b *bed) dialWeb(addr string) *webClient {
	b.t.Helper()
	c, answer := b.upgrade(addr, "Sec-WebSocket-Protocol: xmpp\r\nSec-WebSocket-Extensions: permessage-deflate\r\nOrigin: https://im.example\r\n")
	if answer.StatusCode != http.StatusSwitchingProtocols || answer.Header.Get("Sec-WebSocket-Protocol") != "xmpp" ||
		answer.Header.Get("Sec-WebSocket-Extensions") != "" {
		b.t.Fatalf("upgrade: %s %v", answer.Status, answer.Header)
	}
	return c
}

func frame(first byte, masked bool, payload string) []byte {
	out := []byte{first}
	var bit byte
	if masked {
		bit = 0x80
	}
	switch n := len(payload); {
	case n < 126:
		out = append(out, bit|byte(n))
	case n < 1<<16:
		out = binary.BigEndian.AppendUint16(append(out, bit|126), uint16(n))
	default:
		out = binary.BigEndian.AppendUint64(append(out, bit|127), uint64(n))
	}
	if !masked {
		return append(out, payload...)
	}
	key := []byte{1, 2, 3, 4}
	out = append(out, key...)
	for i := range len(payload) {
		out = append(out, payload[i]^key[i%4])
	}
	return out
}

func (c *webClient) raw(data []byte) {
	c.t.Helper()
	if _, err := c.conn.Write(data); err != nil {
		c.t.Fatal(err)
	}
}

func (c *webClient) say(messages ...string) {
	c.t.Helper()
	for _, m := range messages {
		c.raw(frame(final|textFrame, true, m))
	}
}

// hear reads one message; a close frame comes back as its code.
func (c *webClient) hear() (message string, code int) {
	c.t.Helper()
	head := make([]byte, 2)
	if _, err := io.ReadFull(c.r, head); err != nil {
		c.t.Fatal(err)
	}
	n := int(head[1])
	if n == 126 {
		size := make([]byte, 2)
		_, _ = io.ReadFull(c.r, size)
		n = int(binary.BigEndian.Uint16(size))
	}
	payload := make([]byte, n)
	if _, err := io.ReadFull(c.r, payload); err != nil {
		c.t.Fatal(err)
	}
	switch head[0] & 0x0f {
	case closeFrame:
		if n < 2 {
			return "", 1005
		}
		return "", int(binary.BigEndian.Uint16(payload))
	case textFrame:
		return string(payload), 0
	}
	return c.hear()
}

// until reads messages up to one with the words, or the close.
func (c *webClient) until(words string) string {
	c.t.Helper()
	var all strings.Builder
	for {
		m, code := c.hear()
		if code != 0 {
			c.t.Fatalf("closed with %d before %q: %s", code, words, all.String())
		}
		all.WriteString(m)
		if strings.Contains(m, words) {
			return all.String()
		}
	}
}

func (c *webClient) closes(want int) {
	c.t.Helper()
	for {
		if _, code := c.hear(); code != 0 {
			if code != want {
				c.t.Errorf("closed with %d, want %d", code, want)
			}
			return
		}
	}
}

func (c *webClient) login() {
	c.t.Helper()
	c.say(openFrame)
	c.until("</features>")
	c.say(plain("open"))
	c.until("<success")
	c.say(openFrame)
	c.until("</features>")
	c.say(strings.Replace(bind, "<iq", "<iq"+nsClient, 1))
	c.until("<jid>juliet@im.example/desk</jid>")
}

func TestWebSocket(t *testing.T) {
	b := newBed(t)
	c := b.dialWeb(b.web(b.server.WebSocket(t.Context(), c2s.WebOptions{})))
	c.login()
	c.say(`<message` + nsClient + ` to='romeo@im.example'><body>o</body></message>`)
	if said := c.until("</message>"); said != `<message xmlns='jabber:client' from='juliet@im.example/desk' to='juliet@im.example/desk'><body>o</body></message>` {
		t.Errorf("got %s", said)
	}
	c.raw(frame(final|pingFrame, true, "there?"))
	c.say(`<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>`)
	c.until("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>")
	c.closes(1000)
	if end := <-b.house.ends; end.Cause != stream.ClosedByPeer {
		t.Errorf("ended %+v", end)
	}
}

// A session that began on TCP goes on in a WebSocket.
func TestWebSocketResumes(t *testing.T) {
	b := newBed(t)
	first := b.dial()
	id := first.managed()
	_ = first.conn.Close()
	b.house.wait(t, "parked")
	b.house.session().Send(note(t, "meanwhile"), 1)
	c := b.dialWeb(b.web(b.server.WebSocket(t.Context(), c2s.WebOptions{})))
	c.say(openFrame)
	c.until("</features>")
	c.say(`<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'><initial-response>` +
		base64.StdEncoding.EncodeToString([]byte("\x00juliet\x00open")) + `</initial-response>` + resume(id, 0) + `</authenticate>`)
	c.until("<resumed")
	c.until("<message xmlns='jabber:client'")
}

// D23, and who is behind a proxy.
func TestUpgrade(t *testing.T) {
	for _, tc := range []struct {
		name, headers string
		options       c2s.WebOptions
		status        int
	}{
		{"no subprotocol", "", c2s.WebOptions{}, 400},
		{"another subprotocol", "Sec-WebSocket-Protocol: chat, xmpp2\r\n", c2s.WebOptions{}, 400},
		{"no origin", "Sec-WebSocket-Protocol: chat, xmpp\r\n", c2s.WebOptions{}, 101},
		{"own origin", "Sec-WebSocket-Protocol: xmpp\r\nOrigin: https://im.example\r\n", c2s.WebOptions{}, 101},
		{"foreign origin", "Sec-WebSocket-Protocol: xmpp\r\nOrigin: https://evil.example\r\n", c2s.WebOptions{}, 403},
		{"no host in the origin", "Sec-WebSocket-Protocol: xmpp\r\nOrigin: null\r\n", c2s.WebOptions{}, 403},
		{"origin let in", "Sec-WebSocket-Protocol: xmpp\r\nOrigin: https://chat.example\r\n", c2s.WebOptions{Origins: []string{"chat.example"}}, 101},
		{"like it", "Sec-WebSocket-Protocol: xmpp\r\nOrigin: https://chat.example.evil.example\r\n", c2s.WebOptions{Origins: []string{"chat.example"}}, 403},
		{"forwarded", "Sec-WebSocket-Protocol: xmpp\r\nX-Forwarded-For: 192.0.2.1, 198.51.100.7\r\n", c2s.WebOptions{Proxied: true}, 101},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBed(t)
			_, answer := b.upgrade(b.web(b.server.WebSocket(t.Context(), tc.options)), tc.headers)
			if answer.StatusCode != tc.status {
				t.Errorf("status %s, want %d", answer.Status, tc.status)
			}
		})
	}
}

// D21 and the limits of D22: how the WebSocket ends; the session waits to be resumed.
func TestFrames(t *testing.T) {
	message := `<message` + nsClient + ` to='romeo@im.example'><body>b</body></message>`
	pieces := func(n int) []byte {
		all := frame(textFrame, true, message[:1])
		for i := range n {
			all = append(all, frame(continuation, true, message[1+i%20:2+i%20])...)
		}
		return all
	}
	for _, tc := range []struct {
		name string
		sent []byte
		code int
	}{
		{"D21 binary message", frame(final|binaryFrame, true, message), 1003},
		{"D21 frame without mask", frame(final|textFrame, false, message), 1002},
		{"D21 control frame of 126 bytes", frame(final|pingFrame, true, strings.Repeat("p", 126)), 1002},
		{"D21 reserved opcode", frame(final|3, true, message), 1002},
		{"D21 reserved bit", frame(final|0x40|textFrame, true, message), 1002},
		{"D21 continuation of nothing", frame(final|continuation, true, message), 1002},
		{"D22 message of 300 KiB", frame(final|textFrame, true, strings.Repeat(" ", 300<<10)), 1009},
		{"D22 10,000 fragments", pieces(10_000), 1008},
		{"D22 fragments of nothing", append(frame(textFrame, true, "<"), []byte(strings.Repeat(string(frame(continuation, true, "")), 60_000))...), 1008},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBed(t)
			c := b.dialWeb(b.web(b.server.WebSocket(t.Context(), c2s.WebOptions{})))
			c.login()
			c.say(strings.TrimSuffix(enable, "/>") + "/>")
			c.until("<enabled")
			go func() { _, _ = c.conn.Write(tc.sent) }() // which the other side may not read to its end
			c.closes(tc.code)
			_ = c.conn.Close()
			b.house.wait(t, "parked")
		})
	}
}

func TestHostMeta(t *testing.T) {
	h := c2s.HostMeta{WebSocket: []string{"wss://im.example/ws"}, BOSH: []string{"https://im.example/bosh?a=b&c"}}
	for _, tc := range []struct{ method, path, kind, body string }{
		{"GET", "/.well-known/host-meta", "application/xrd+xml", `<?xml version='1.0' encoding='UTF-8'?><XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>` +
			`<Link href='wss://im.example/ws' rel='urn:xmpp:alt-connections:websocket'/>` +
			`<Link href='https://im.example/bosh?a=b&amp;c' rel='urn:xmpp:alt-connections:xbosh'/></XRD>`},
		{"GET", "/.well-known/host-meta.json", "application/json", `{"links":[{"rel":"urn:xmpp:alt-connections:websocket","href":"wss://im.example/ws"},` +
			`{"rel":"urn:xmpp:alt-connections:xbosh","href":"https://im.example/bosh?a=b\u0026c"}]}`},
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(tc.method, tc.path, nil))
		if w.Code != 200 || w.Header().Get("Content-Type") != tc.kind || w.Header().Get("Access-Control-Allow-Origin") != "*" || w.Body.String() != tc.body {
			t.Errorf("%s: %d %v\ngot  %s\nwant %s", tc.path, w.Code, w.Header(), w.Body, tc.body)
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("POST", "/.well-known/host-meta", nil))
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", w.Code)
	}
}
