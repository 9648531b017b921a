package churn_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/testbed/imserver"
)

// wire is one connection to the server.
type wire interface {
	// restart begins a stream, and reads up to its features.
	restart() error
	write(text string) error
	// read gives the next first-level element.
	read() (*xmlstream.Element, error)
	cut()  // at once
	half() // nothing more is said, without an end of the stream
	leave() error
}

var limits = xmlstream.ClientLimits()

// ---- TCP

type tcp struct {
	bare net.Conn
	conn *tls.Conn
	dec  *xmlstream.Decoder
	wmu  sync.Mutex
}

func dialTCP(addr string, t *tls.Config) (*tcp, error) {
	bare, err := net.DialTimeout("tcp", addr, 5*time.Second)
	if err != nil {
		return nil, err
	}
	cfg := t.Clone()
	cfg.NextProtos = []string{"xmpp-client"}
	c := &tcp{bare: bare, conn: tls.Client(bare, cfg), dec: xmlstream.NewDecoder(xmlstream.Options{Limits: limits, ContentNS: xmlstream.NSClient})}
	return c, nil
}

func (c *tcp) restart() error {
	c.dec.Restart(limits)
	if err := c.write(`<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='` + imserver.Domain + `' version='1.0'>`); err != nil {
		return err
	}
	return awaitFeatures(c)
}

func awaitFeatures(w wire) error {
	for {
		e, err := w.read()
		if err != nil {
			return err
		}
		if e.Is(xmlstream.NSStream, "features") {
			return nil
		}
		if e.Is(xmlstream.NSStream, "error") {
			return errors.New("stream error")
		}
	}
}

func (c *tcp) write(text string) error {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	_ = c.conn.SetWriteDeadline(time.Now().Add(10 * time.Second))
	_, err := io.WriteString(c.conn, text)
	return err
}

func (c *tcp) read() (*xmlstream.Element, error) {
	for {
		ev, err := c.dec.Next()
		switch {
		case errors.Is(err, xmlstream.ErrShort):
			if _, err := c.dec.Fill(c.conn); err != nil {
				return nil, err
			}
		case err != nil:
			return nil, err
		case ev.Kind == xmlstream.ElementEvent:
			return ev.Element.Clone(), nil
		case ev.Kind == xmlstream.EndEvent:
			return nil, io.EOF
		}
	}
}

func (c *tcp) cut() {
	if t, ok := c.bare.(*net.TCPConn); ok {
		_ = t.SetLinger(0)
	}
	_ = c.bare.Close()
}

func (c *tcp) half() { _ = c.bare.(*net.TCPConn).CloseWrite() }

func (c *tcp) leave() error { return c.write("</stream:stream>") }

// ---- WebSocket

type web struct {
	conn *websocket.Conn
	bare net.Conn
}

func dialWeb(addr string, t *tls.Config) (*web, error) {
	w := &web{}
	cfg := t.Clone()
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: cfg, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
		w.bare = c
		return c, err
	}}}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, "https://"+imserver.Domain+":5443/ws", &websocket.DialOptions{HTTPClient: client, Subprotocols: []string{"xmpp"}}) //nolint:bodyclose // it has none
	if err != nil {
		return nil, err
	}
	conn.SetReadLimit(1 << 20)
	w.conn = conn
	return w, nil
}

func (c *web) restart() error {
	if err := c.write(`<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='` + imserver.Domain + `' version='1.0'/>`); err != nil {
		return err
	}
	return awaitFeatures(c)
}

// write says each element as a message.
func (c *web) write(text string) error {
	for _, one := range split(text) {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		err := c.conn.Write(ctx, websocket.MessageText, []byte(one))
		cancel()
		if err != nil {
			return err
		}
	}
	return nil
}

// split divides what is written into its first-level elements: they are one to a line here.
func split(text string) (list []string) {
	for one := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		for _, k := range []string{"message", "iq", "presence"} {
			if strings.HasPrefix(one, "<"+k) {
				one = "<" + k + " xmlns='jabber:client'" + strings.TrimPrefix(one, "<"+k)
			}
		}
		list = append(list, one)
	}
	return list
}

func (c *web) read() (*xmlstream.Element, error) {
	for {
		_, b, err := c.conn.Read(context.Background())
		if err != nil {
			return nil, err
		}
		e, err := xmlstream.ParseDocument(b, xmlstream.Options{Limits: limits})
		if err != nil {
			return nil, err
		}
		if e.Local() == "close" && e.Space() != xmlstream.NSClient {
			return nil, io.EOF
		}
		if e.Local() != "open" {
			return e, nil
		}
	}
}

func (c *web) cut() {
	if t, ok := c.bare.(*net.TCPConn); ok {
		_ = t.SetLinger(0)
	}
	_ = c.bare.Close()
}

func (c *web) half() { _ = c.bare.(*net.TCPConn).CloseWrite() }

func (c *web) leave() error { return c.write(`<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>`) }
