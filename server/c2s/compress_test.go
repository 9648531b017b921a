package c2s_test

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"sallyport/internal/xmpp/stream"
)

const compress = `<compress xmlns='http://jabber.org/protocol/compress'><method>zlib</method></compress>`

// deflated is a client's connection that compresses with one context, as others do.
type deflated struct {
	net.Conn
	w *zlib.Writer
	r io.Reader
}

func (d *deflated) Write(p []byte) (int, error) {
	n, err := d.w.Write(p)
	if err == nil {
		err = d.w.Flush()
	}
	return n, err
}

func (d *deflated) Read(p []byte) (int, error) {
	if d.r == nil {
		r, err := zlib.NewReader(d.Conn)
		if err != nil {
			return 0, err
		}
		d.r = r
	}
	return d.r.Read(p)
}

func compressing(p *stream.ClientPolicy) { p.Compress = true }

// compressed is a client that has logged in and compresses.
func (b *bed) compressed() *client {
	b.t.Helper()
	c := b.dial()
	c.authenticate()
	c.say(compress)
	c.until("<compressed xmlns='http://jabber.org/protocol/compress'/>")
	c.conn = &deflated{Conn: c.conn, w: zlib.NewWriter(c.conn)}
	return c
}

func TestCompression(t *testing.T) {
	b := newBedWith(t, compressing)
	c := b.compressed()
	c.say(hello)
	if said := c.until("</stream:features>"); strings.Contains(said, "compression") {
		t.Errorf("offered twice: %s", said)
	}
	c.say(bind)
	c.until("<jid>juliet@im.example/desk</jid>")
	for range 3 {
		c.say(`<message to='romeo@im.example'><body>` + strings.Repeat("again and ", 1000) + `</body></message><message to='romeo@im.example'><body>o</body></message>`)
		c.until("again and </body></message>")
		c.until("<body>o</body></message>")
	}
	c.say(compress)
	c.until("<unsupported-method")
	c.say(`</stream:stream>`)
	c.until(`</stream:stream>`)
	if end := <-b.house.ends; end.Cause != stream.ClosedByPeer {
		t.Errorf("ended %+v", end)
	}
}

// M01: not before authentication, not where it is not configured, not by another method; the stream goes on.
func TestNoCompression(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*stream.ClientPolicy)
		late   bool
		ask    string
	}{
		{"not configured, before", func(*stream.ClientPolicy) {}, false, compress},
		{"not configured, after", func(*stream.ClientPolicy) {}, true, compress},
		{"before authentication", compressing, false, compress},
		{"another method", compressing, true, strings.Replace(compress, "zlib", "lzw", 1)},
		{"no method", compressing, true, `<compress xmlns='http://jabber.org/protocol/compress'/>`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBedWith(t, tc.change)
			c := b.dial()
			if tc.late {
				c.authenticate()
			} else {
				c.say(hello)
				if said := c.until("</stream:features>"); strings.Contains(said, "compression") {
					t.Errorf("offered: %s", said)
				}
			}
			for range 5 {
				c.say(tc.ask)
				if said := c.until("</failure>"); !strings.Contains(said, "<unsupported-method/>") {
					t.Errorf("got %s", said)
				}
			}
			c.say(tc.ask)
			c.until("<policy-violation")
		})
	}
}

// Text that is no text, or far too much of it, ends the stream with an error that is told.
func TestHostileCompression(t *testing.T) {
	var bomb bytes.Buffer
	w, err := zlib.NewWriterLevel(&bomb, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	for range 8 {
		_, _ = w.Write(bytes.Repeat([]byte(" "), 1<<20))
	}
	_ = w.Flush()
	var dictionary bytes.Buffer
	w, err = zlib.NewWriterLevelDict(&dictionary, flate.BestCompression, []byte("<message"))
	if err != nil {
		t.Fatal(err)
	}
	_, _ = w.Write([]byte(hello))
	_ = w.Flush()
	for _, tc := range []struct {
		name string
		sent []byte
	}{
		{"a bomb of white space", bomb.Bytes()},
		{"no zlib", []byte(hello)},
		{"preset dictionary", dictionary.Bytes()},
		{"broken block", []byte{0x78, 0x01, 0x07, 0xff, 0xff}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBedWith(t, compressing)
			c := b.compressed()
			raw := c.conn.(*deflated).Conn
			go func() { _, _ = raw.Write(tc.sent) }() // which may not be read to its end
			if said := c.until("</stream:stream>"); !strings.Contains(said, "<undefined-condition") && !strings.Contains(said, "<policy-violation") {
				t.Errorf("got %s", said)
			}
		})
	}
}

// What was said in clear behind <compress/> is not read.
func TestBytesBehindCompress(t *testing.T) {
	b := newBedWith(t, compressing)
	c := b.dial()
	c.authenticate()
	c.say(compress + hello)
	_ = c.conn.SetReadDeadline(time.Now().Add(time.Minute))
	if said, err := io.ReadAll(c.conn); err != nil || strings.Contains(string(said), "compressed") {
		t.Errorf("%v, %s", err, said)
	}
}
