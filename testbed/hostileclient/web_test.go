package hostileclient_test

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// web is a client in a WebSocket, by a library that is not ours.
type web struct {
	t    testing.TB
	ctx  context.Context
	conn *websocket.Conn
}

func (b *bed) dialWeb(t testing.TB) *web {
	t.Helper()
	return b.dialWebFor(t, patience)
}

// dialWebFor is a WebSocket that may last so long.
func (b *bed) dialWebFor(t testing.TB, atMost time.Duration) *web {
	t.Helper()
	cfg := b.tls()
	cfg.NextProtos = nil
	from := &net.Dialer{Timeout: patience, LocalAddr: &net.TCPAddr{IP: freshSource()}}
	transport := &http.Transport{TLSClientConfig: cfg, DialContext: from.DialContext}
	ctx, cancel := context.WithTimeout(context.Background(), atMost)
	conn, answer, err := websocket.Dial(ctx, "wss://"+b.web+"/ws", &websocket.DialOptions{Subprotocols: []string{"xmpp"}, HTTPClient: &http.Client{Transport: transport}})
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	if answer.Body != nil {
		_ = answer.Body.Close()
	}
	conn.SetReadLimit(4 << 20)
	t.Cleanup(func() {
		_ = conn.CloseNow()
		transport.CloseIdleConnections()
		cancel()
	})
	return &web{t, ctx, conn}
}

func (c *web) say(m string) {
	c.t.Helper()
	if err := c.conn.Write(c.ctx, websocket.MessageText, []byte(m)); err != nil {
		c.t.Error(err)
	}
}

// until reads messages up to one with the words; false: the WebSocket was closed before.
func (c *web) until(words string) (string, bool) {
	var all strings.Builder
	for {
		_, m, err := c.conn.Read(c.ctx)
		if err != nil {
			return all.String(), false
		}
		all.Write(m)
		if strings.HasPrefix(string(m), "<close ") { // or it would wait for our goodbye
			_ = c.conn.Write(c.ctx, websocket.MessageText, m)
		}
		if words != "" && strings.Contains(string(m), words) {
			return all.String(), true
		}
	}
}

func (c *web) login(desk string) {
	c.t.Helper()
	const open = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='im.example' version='1.0'/>"
	for _, step := range [][2]string{{open, "</features>"}, {plain("juliet", password), "<success"}, {open, "</features>"}, {alone(strings.Replace(bindDesk, "desk", desk, 1)), "</iq>"}} {
		c.say(step[0])
		if said, ok := c.until(step[1]); !ok {
			c.t.Fatalf("no login: %s", said)
		}
	}
}

// alone gives an element the namespace that it needs to stand alone.
func alone(e string) string {
	at := strings.IndexAny(e, " />")
	return e[:at] + " xmlns='jabber:client'" + e[at:]
}

// playWeb runs a case in a WebSocket: every element is a message of its own.
func (b *bed) playWeb(t *testing.T, v variant) {
	t.Helper()
	c := b.dialWeb(t)
	before, bad, after, desk := b.id("before"), b.id("bad"), b.id("after"), b.id("desk")
	c.login(desk)
	input := strings.NewReplacer("$ID", bad, "$DESK", desk).Replace(v.input)
	go func() {
		for _, m := range []string{alone(good(before)), alone(input), alone(good(after))} {
			if c.conn.Write(c.ctx, websocket.MessageText, []byte(m)) != nil {
				return
			}
		}
	}()
	words, condition := "id='"+after+"'", v.want.said
	if v.want.outcome == endsStream {
		words = ""
		if v.want.web != "" {
			condition = v.want.web
		}
	}
	said, _ := c.until(words)
	if answer := v.answer(); !strings.Contains(said, answer) {
		late, _ := c.until(answer)
		said += late
	}
	came, late := b.arrives(before), b.house.times(after)
	if came != 1 || v.want.outcome == endsStream && late != 0 {
		t.Errorf("web: the message before came %d times, the one after %d", came, late)
	}
	if v.want.outcome == endsStream {
		want := "<error xmlns='http://etherx.jabber.org/streams'><" + condition + " xmlns='" + nsStreams + "'/>"
		if !strings.Contains(said, want) || !strings.HasSuffix(said, "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>") || strings.Contains(said, mark) {
			t.Errorf("web: want %s\ninput %.300q\nsaid %.1000s", want, v.input, said)
		}
		return
	}
	if wrong := v.judge(said, v.want.said, bad); wrong != "" {
		t.Errorf("web: %s\ninput %.300q\nsaid %.1000s", wrong, v.input, said)
	}
}
