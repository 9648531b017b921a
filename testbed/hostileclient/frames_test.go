package hostileclient_test

import (
	"bufio"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Opcodes of RFC 6455 §5.2.
const (
	continuation = 0
	textFrame    = 1
	binaryFrame  = 2
	closeFrame   = 8
	pingFrame    = 9
	pongFrame    = 10
	fin          = 0x80
)

const openFrame = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='im.example' version='1.0'/>"

// frames is a client that says frames.
type frames struct {
	t    testing.TB
	conn *tls.Conn
	r    *bufio.Reader
}

// upgrade asks for a WebSocket with these headers, and gives the answer.
func (b *bed) upgrade(t testing.TB, headers string) (*frames, *http.Response) {
	t.Helper()
	cfg := b.tls()
	cfg.NextProtos = nil
	conn := tls.Client(b.dialTCP(t, b.web).conn, cfg)
	_ = conn.SetDeadline(time.Now().Add(2 * patience))
	_, err := fmt.Fprintf(conn, "GET /ws HTTP/1.1\r\nHost: im.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n", headers)
	if err != nil {
		t.Fatal(err)
	}
	c := &frames{t: t, conn: conn, r: bufio.NewReader(conn)}
	answer, err := http.ReadResponse(c.r, nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	return c, answer
}

// framed has a resource, and stream management that can be resumed: its id.
func (b *bed) framed(t testing.TB) (c *frames, id string) {
	t.Helper()
	c, answer := b.upgrade(t, "Sec-WebSocket-Protocol: xmpp\r\nSec-WebSocket-Extensions: permessage-deflate\r\nOrigin: https://im.example\r\n")
	if answer.StatusCode != http.StatusSwitchingProtocols || answer.Header.Get("Sec-WebSocket-Extensions") != "" {
		t.Fatalf("%s %v", answer.Status, answer.Header)
	}
	for _, step := range [][2]string{
		{openFrame, "</features>"},
		{plain("juliet", password), "<success"},
		{openFrame, "</features>"},
		{alone(strings.Replace(bindDesk, "desk", b.id("desk"), 1)), "</iq>"},
	} {
		c.say(step[0])
		c.until(step[1])
	}
	c.say(enable)
	said := c.until("<enabled")
	_, rest, _ := strings.Cut(said, " id='")
	id, _, _ = strings.Cut(rest, "'")
	return c, id
}

// frame is one of a client, masked or not.
func frame(first byte, masked bool, payload string) []byte {
	out, bit := []byte{first}, byte(0)
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
	if masked {
		out = append(out, 0, 0, 0, 0) // a mask that changes nothing is one, too
	}
	return append(out, payload...)
}

func (c *frames) raw(data []byte) {
	c.t.Helper()
	if _, err := c.conn.Write(data); err != nil {
		c.t.Fatal(err)
	}
}

func (c *frames) say(m string) { c.raw(frame(fin|textFrame, true, m)) }

// hear reads one frame: its opcode, and what is in it; of one that closes its code.
func (c *frames) hear() (opcode byte, payload string, code int) {
	c.t.Helper()
	head := make([]byte, 2)
	if _, err := io.ReadFull(c.r, head); err != nil {
		c.t.Fatal(err)
	}
	n := int(head[1])
	if n == 126 {
		size := make([]byte, 2)
		if _, err := io.ReadFull(c.r, size); err != nil {
			c.t.Fatal(err)
		}
		n = int(binary.BigEndian.Uint16(size))
	}
	data := make([]byte, n)
	if _, err := io.ReadFull(c.r, data); err != nil {
		c.t.Fatal(err)
	}
	if opcode = head[0] & 0x0f; opcode == closeFrame && n >= 2 {
		code = int(binary.BigEndian.Uint16(data))
	}
	return opcode, string(data), code
}

// until reads messages up to one with the words.
func (c *frames) until(words string) string {
	c.t.Helper()
	var all strings.Builder
	for {
		opcode, m, code := c.hear()
		if opcode == closeFrame {
			c.t.Fatalf("closed with %d before %q: %s", code, words, all.String())
		}
		if all.WriteString(m); strings.Contains(m, words) {
			return all.String()
		}
	}
}

// closes reads up to the end: what was said before, and the code.
func (c *frames) closes() (said string, code int) {
	c.t.Helper()
	var all strings.Builder
	for {
		opcode, m, code := c.hear()
		if opcode == closeFrame {
			return all.String(), code
		}
		all.WriteString(m)
	}
}

// badFrames: D21 and the limits of D22. The WebSocket ends with a code, and the session waits to be resumed.
func badFrames(cases map[string]func() []byte, code int) func(*testing.T, *bed) {
	return func(t *testing.T, b *bed) {
		for name, sent := range cases {
			c, id := b.framed(t)
			go func() { _, _ = c.conn.Write(sent()) }() // which the server may not read to its end
			if _, got := c.closes(); got != code {
				t.Errorf("%s: closed with %d, want %d", name, got, code)
			}
			_ = c.conn.Close()
			b.resumes(t, name, id)
		}
	}
}

// resumes comes back to a session, on TCP.
func (b *bed) resumes(t *testing.T, name, id string) {
	t.Helper()
	back := b.authenticated(t)
	back.say(header)
	back.until("</stream:features>")
	back.say("<resume xmlns='urn:xmpp:sm:3' previd='" + id + "' h='0'/>")
	if said := back.until("/>"); !strings.Contains(said, "<resumed xmlns='urn:xmpp:sm:3'") {
		t.Errorf("%s: not resumed: %s", name, said)
	}
	_ = back.conn.Close()
}

func one(first byte, masked bool, payload string) func() []byte {
	return func() []byte { return frame(first, masked, payload) }
}

// groupWeb is WebSockets.
func groupWeb() []row {
	fine := alone(good("frame"))
	pieces := func(n int, piece string) func() []byte {
		return func() []byte {
			return append(frame(textFrame, true, "<"), strings.Repeat(string(frame(continuation, true, piece)), n)...)
		}
	}
	protocol := map[string]func() []byte{
		"without mask": one(fin|textFrame, false, fine), "control frame of 126 bytes": one(fin|pingFrame, true, strings.Repeat("p", 126)),
		"reserved opcode": one(fin|3, true, fine), "reserved bit": one(fin|0x40|textFrame, true, fine),
		"continuation of nothing": one(fin|continuation, true, fine), "control frame in pieces": one(pingFrame, true, "p"),
		"text inside text": func() []byte { return append(frame(textFrame, true, "<a"), frame(fin|textFrame, true, "/>")...) },
	}
	return []row{
		{name: "D21_binary_frame", n: 1, run: badFrames(map[string]func() []byte{"binary": one(fin|binaryFrame, true, fine)}, 1003)},
		{name: "D21_frames_of_no_protocol", n: len(protocol), run: badFrames(protocol, 1002)},
		{name: "D22_300_KiB", n: 1, run: badFrames(map[string]func() []byte{"300 KiB": one(fin|textFrame, true, strings.Repeat(" ", 300<<10))}, 1009)},
		{name: "D22_10000_fragments", n: 3, run: badFrames(map[string]func() []byte{
			"of a byte": pieces(10_000, "a"), "of nothing": pieces(60_000, ""), "pings between": func() []byte {
				return append(frame(textFrame, true, "<"), strings.Repeat(string(frame(fin|pingFrame, true, "p")), 60_000)...)
			},
		}, 1008)},
		{name: "D22_messages", n: 6, run: badMessages},
		{name: "D22_fragments_of_one_message", n: 1, run: fragments},
		{name: "D23_upgrade", n: 8, run: upgrades},
		{name: "D23_ends", n: 3, run: webEnds},
	}
}

// badMessages: D22. What is not exactly one element is a stream error, as on TCP.
func badMessages(t *testing.T, b *bed) {
	for _, tc := range []struct{ name, sent, condition string }{
		{"half a stanza", "<message xmlns='jabber:client'><body>", "bad-format"},
		{"two stanzas", alone(good("a")) + alone(good("b")), "bad-format"},
		{"text behind", alone(good("a")) + "x", "bad-format"},
		{"document type", "<!DOCTYPE x>" + alone(good("a")), "restricted-xml"},
		{"tag of a stream", tags + ">", "bad-format"},
		{"open again", openFrame, "bad-format"},
	} {
		c, _ := b.framed(t)
		c.say(tc.sent)
		said, code := c.closes()
		want := "<error xmlns='http://etherx.jabber.org/streams'><" + tc.condition + " xmlns='" + nsStreams + "'/>"
		if !strings.Contains(said, want) || !strings.HasSuffix(said, "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>") || code != 1000 {
			t.Errorf("%s: want %s, said %s, closed with %d", tc.name, want, said, code)
		}
	}
}

// fragments: a message may come in pieces, with pings between them that are answered, also in the middle of a character.
func fragments(t *testing.T, b *bed) {
	c, _ := b.framed(t)
	id := b.id("pieces")
	message := strings.Replace(alone(good(id)), "fine", "fine 漢字", 1)
	for i := range len(message) {
		first := byte(continuation)
		if i == 0 {
			first = textFrame
		}
		c.raw(frame(first, true, message[i:i+1]))
	}
	c.raw(append(frame(fin|pingFrame, true, "there?"), frame(fin|continuation, true, "")...))
	pong, came := false, false
	for !pong || !came {
		opcode, said, code := c.hear()
		if opcode == closeFrame {
			t.Fatalf("closed with %d", code)
		}
		pong = pong || opcode == pongFrame && said == "there?"
		came = came || strings.Contains(said, "<body>fine 漢字</body>")
	}
}

// upgrades: D23, and whose pages may connect.
func upgrades(t *testing.T, b *bed) {
	const ours = "Sec-WebSocket-Protocol: xmpp\r\n"
	for _, tc := range []struct {
		name, headers string
		status        int
	}{
		{"no subprotocol", "", 400},
		{"another subprotocol", "Sec-WebSocket-Protocol: chat, xmpp2\r\n", 400},
		{"no page", "Sec-WebSocket-Protocol: chat, xmpp\r\n", 101},
		{"our page", ours + "Origin: https://im.example\r\n", 101},
		{"foreign page", ours + "Origin: https://evil.example\r\n", 403},
		{"page of nobody", ours + "Origin: null\r\n", 403},
		{"like our page", ours + "Origin: https://im.example.evil.example\r\n", 403},
		{"compressed", ours + "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n", 101},
	} {
		_, answer := b.upgrade(t, tc.headers)
		if answer.StatusCode != tc.status || answer.Header.Get("Sec-WebSocket-Extensions") != "" {
			t.Errorf("%s: %s %v", tc.name, answer.Status, answer.Header)
		}
		if protocol := answer.Header.Get("Sec-WebSocket-Protocol"); tc.status == 101 && protocol != "xmpp" {
			t.Errorf("%s: the subprotocol is %q", tc.name, protocol)
		}
	}
}

// webEnds: RFC 7395 §3.6. By <close/> the session is over; a WebSocket that is closed or gone is a lost connection.
func webEnds(t *testing.T, b *bed) {
	c, id := b.framed(t)
	c.say("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>")
	if said, code := c.closes(); !strings.HasSuffix(said, "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>") || code != 1000 {
		t.Errorf("said %s, closed with %d", said, code)
	}
	back := b.authenticated(t)
	back.say(header)
	back.until("</stream:features>")
	back.say("<resume xmlns='urn:xmpp:sm:3' previd='" + id + "' h='0'/>")
	back.until("<item-not-found")

	c, id = b.framed(t)
	c.raw(frame(fin|closeFrame, true, "\x03\xe9")) // going away
	if _, code := c.closes(); code != 1001 {
		t.Errorf("closed with %d", code)
	}
	b.resumes(t, "closed", id)
	c, id = b.framed(t)
	_ = c.conn.NetConn().Close()
	b.resumes(t, "gone", id)
}
