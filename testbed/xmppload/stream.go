package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// countConn counts bytes both ways and "flights": how often the direction of
// traffic turned round from writing to reading (one flight is one round trip
// seen from this end).
type countConn struct {
	net.Conn
	in, out, flights int64
	lastWrite        int32
}

func (c *countConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		atomic.AddInt64(&c.in, int64(n))
		if atomic.SwapInt32(&c.lastWrite, 0) == 1 {
			atomic.AddInt64(&c.flights, 1)
		}
	}
	return n, err
}

func (c *countConn) Write(p []byte) (int, error) {
	atomic.StoreInt32(&c.lastWrite, 1)
	n, err := c.Conn.Write(p)
	atomic.AddInt64(&c.out, int64(n))
	return n, err
}

// xstream is one XML stream: a splitter of top-level elements on the read side
// and a buffered writer on the other.
type xstream struct {
	raw  *countConn
	conn net.Conn
	br   *bufio.Reader
	bw   *bufio.Writer
	buf  []byte // the element under way
	tls  bool
	wmu  sync.Mutex // guards bw once the stream is shared
}

func newXstream(c net.Conn) *xstream {
	cc := &countConn{Conn: c}
	x := &xstream{raw: cc}
	x.setConn(cc)
	return x
}

func (x *xstream) setConn(c net.Conn) {
	x.conn = c
	x.br = bufio.NewReaderSize(c, 8192)
	x.bw = bufio.NewWriterSize(c, 8192)
}

// put queues text; flush sends what is queued.
func (x *xstream) put(s string) {
	x.wmu.Lock()
	x.bw.WriteString(s)
	x.wmu.Unlock()
}

func (x *xstream) flush() {
	x.wmu.Lock()
	x.bw.Flush()
	x.wmu.Unlock()
}

func (x *xstream) send(s string) error {
	x.wmu.Lock()
	defer x.wmu.Unlock()
	if _, err := x.bw.WriteString(s); err != nil {
		return err
	}
	return x.bw.Flush()
}

func (x *xstream) startTLS(cfg *tls.Config, server bool) error {
	var tc *tls.Conn
	if server {
		tc = tls.Server(x.conn, cfg)
	} else {
		tc = tls.Client(x.conn, cfg)
	}
	if err := tc.Handshake(); err != nil {
		return err
	}
	x.setConn(tc)
	x.tls = true
	return nil
}

// cipher tells how the stream is encrypted.
func (x *xstream) cipher() string {
	c, ok := x.conn.(*tls.Conn)
	if !ok {
		return "none"
	}
	s := c.ConnectionState()
	return tls.VersionName(s.Version) + " " + tls.CipherSuiteName(s.CipherSuite)
}

func (x *xstream) deadline(d time.Duration) {
	if d == 0 {
		x.conn.SetDeadline(time.Time{})
	} else {
		x.conn.SetDeadline(time.Now().Add(d))
	}
}

var errStreamEnd = errors.New("stream closed by peer")

// readTag reads one markup tag into x.buf (appending). It returns the start
// offset of the tag. Text before it is appended too.
func (x *xstream) readTag() (start int, err error) {
	// text up to '<'
	for {
		chunk, e := x.br.ReadSlice('<')
		x.buf = append(x.buf, chunk...)
		if e == nil {
			break
		}
		if e != bufio.ErrBufferFull {
			return 0, e
		}
	}
	start = len(x.buf) - 1
	var quote byte
	for {
		chunk, e := x.br.ReadSlice('>')
		x.buf = append(x.buf, chunk...)
		if e != nil && e != bufio.ErrBufferFull {
			return 0, e
		}
		for _, b := range chunk {
			if quote != 0 {
				if b == quote {
					quote = 0
				}
			} else if b == '\'' || b == '"' {
				quote = b
			}
		}
		if e == nil && quote == 0 {
			return start, nil
		}
	}
}

// next returns the next top-level element as text, or the stream header when
// one arrives. The slice is valid until the next call.
func (x *xstream) next() ([]byte, error) {
	x.buf = x.buf[:0]
	depth := 0
	begin := 0
	for {
		start, err := x.readTag()
		if err != nil {
			return nil, err
		}
		if depth == 0 {
			begin = start
		}
		tag := x.buf[start:]
		switch {
		case tag[1] == '?':
			if depth == 0 {
				x.buf = x.buf[:0]
			}
			continue
		case tag[1] == '!':
			return nil, fmt.Errorf("markup not allowed: %.40q", tag)
		case tag[1] == '/':
			if depth == 0 {
				return nil, errStreamEnd
			}
			depth--
			if depth == 0 {
				return x.buf[begin:], nil
			}
		case tag[len(tag)-2] == '/':
			if depth == 0 {
				return x.buf[begin:], nil
			}
		default:
			if depth == 0 && bytes.HasPrefix(tag, []byte("<stream:stream")) {
				return x.buf[begin:], nil
			}
			depth++
		}
	}
}

// expect reads elements until one whose name (prefix dropped) is among names.
func (x *xstream) expect(names ...string) (string, string, error) {
	for {
		el, err := x.next()
		if err != nil {
			return "", "", err
		}
		n := elName(el)
		if slices.Contains(names, n) {
			return n, string(el), nil
		}
		switch n {
		case "stream", "r", "a", "presence":
			continue
		case "message", "iq":
			continue
		}
		return n, string(el), fmt.Errorf("wanted %v, got %.300s", names, el)
	}
}

func elName(el []byte) string {
	i := 1
	for i < len(el) && el[i] != ' ' && el[i] != '>' && el[i] != '/' && el[i] != '\n' && el[i] != '\t' && el[i] != '\r' {
		i++
	}
	n := el[1:i]
	if j := bytes.IndexByte(n, ':'); j >= 0 {
		n = n[j+1:]
	}
	return string(n)
}

// headTag is the first tag of an element.
func headTag(el []byte) []byte {
	var q byte
	for i, b := range el {
		if q != 0 {
			if b == q {
				q = 0
			}
		} else if b == '\'' || b == '"' {
			q = b
		} else if b == '>' {
			return el[:i+1]
		}
	}
	return el
}

// attr finds an attribute of the element's own tag, undoing the five entities.
func attr(el []byte, name string) string {
	h := headTag(el)
	pat := []byte(name + "=")
	for off := 0; ; {
		i := bytes.Index(h[off:], pat)
		if i < 0 {
			return ""
		}
		i += off
		if i > 0 && (h[i-1] == ' ' || h[i-1] == '\n' || h[i-1] == '\t') {
			q := h[i+len(pat)]
			rest := h[i+len(pat)+1:]
			before, _, ok := bytes.Cut(rest, []byte{q})
			if !ok {
				return ""
			}
			return unescape(string(before))
		}
		off = i + 1
	}
}

// childText is the text of the first <name> element inside el (no nesting).
func childText(el []byte, name string) []byte {
	open := []byte("<" + name)
	off := 0
	for {
		i := bytes.Index(el[off:], open)
		if i < 0 {
			return nil
		}
		i += off + len(open)
		if i < len(el) && (el[i] == '>' || el[i] == ' ') {
			j := bytes.IndexByte(el[i:], '>')
			if j < 0 || el[i+j-1] == '/' {
				return nil
			}
			rest := el[i+j+1:]
			before, _, ok := bytes.Cut(rest, []byte{'<'})
			if !ok {
				return nil
			}
			return before
		}
		off = i
	}
}

var unesc = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&quot;", `"`, "&apos;", "'", "&#39;", "'", "&amp;", "&")

func unescape(s string) string {
	if !strings.Contains(s, "&") {
		return s
	}
	return unesc.Replace(s)
}

func esc(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&apos;").Replace(s)
}

// answer replies to iq requests from the server (pings and the like).
func (x *xstream) answer(el []byte) {
	t := attr(el, "type")
	if t != "get" && t != "set" {
		return
	}
	to := ""
	if f := attr(el, "from"); f != "" {
		to = " to='" + esc(f) + "'"
	}
	if strings.Contains(string(el), "urn:xmpp:ping") {
		x.send(fmt.Sprintf("<iq type='result' id='%s'%s/>", esc(attr(el, "id")), to))
	} else {
		x.send(fmt.Sprintf("<iq type='error' id='%s'%s><error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>", esc(attr(el, "id")), to))
	}
}
