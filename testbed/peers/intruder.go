package peers

import (
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"sallyport/internal/xmpp/xmlstream"
)

// intruderPatience bounds each step of an intruder's stream.
const intruderPatience = time.Minute

// Intruder is a server-to-server stream opened by hand with a valid certificate, over which anything at all
// can be sent: what a broken or hostile neighbour would do and no server of others can be made to do.
type Intruder struct {
	conn     net.Conn
	decoder  *xmlstream.Decoder
	from, to string
}

// DialIntruder opens a stream from one domain to another at addr: STARTTLS, then SASL EXTERNAL with the pair.
func DialIntruder(addr netip.AddrPort, from, to string, pair Pair) (*Intruder, error) {
	cert, err := tls.LoadX509KeyPair(pair.Cert, pair.Key)
	if err != nil {
		return nil, err
	}
	conn, err := net.DialTimeout("tcp", addr.String(), intruderPatience)
	if err != nil {
		return nil, err
	}
	s := &Intruder{conn: conn, from: from, to: to, decoder: xmlstream.NewDecoder(
		xmlstream.Options{Limits: xmlstream.ServerLimits(), ContentNS: xmlstream.NSServer})}
	if err := s.negotiate(cert); err != nil {
		return nil, errors.Join(fmt.Errorf("stream %s to %s: %w", from, to, err), conn.Close())
	}
	return s, nil
}

func (s *Intruder) negotiate(cert tls.Certificate) error {
	if err := s.open(); err != nil {
		return err
	}
	if err := s.exchange("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", "proceed"); err != nil {
		return err
	}
	secure := tls.Client(s.conn, &tls.Config{
		Certificates: []tls.Certificate{cert}, ServerName: s.to, MinVersion: tls.VersionTLS12,
		InsecureSkipVerify: true, // an intruder does not care whom it talks to
	})
	_ = secure.SetDeadline(time.Now().Add(intruderPatience)) // Send and Next set their own
	if err := secure.Handshake(); err != nil {
		return err
	}
	s.conn = secure
	if err := s.reopen(); err != nil {
		return err
	}
	authzid := base64.StdEncoding.EncodeToString([]byte(s.from))
	auth := "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>" + authzid + "</auth>"
	if err := s.exchange(auth, "success"); err != nil {
		return err
	}
	return s.reopen()
}

func (s *Intruder) reopen() error {
	s.decoder.Restart(xmlstream.ServerLimits())
	return s.open()
}

func (s *Intruder) open() error {
	header := xmlstream.AppendHeader(nil, xmlstream.Header{
		To: s.to, From: s.from, Version: "1.0", ContentNS: xmlstream.NSServer, Dialback: true,
	})
	return s.exchange(string(header), "features")
}

func (s *Intruder) exchange(send, want string) error {
	if err := s.Send(send); err != nil {
		return err
	}
	got, err := s.Next()
	if err != nil {
		return err
	}
	if got.Local() != want {
		return fmt.Errorf("got <%s>, want <%s>", got.Local(), want)
	}
	return nil
}

// Send writes bytes as they are.
func (s *Intruder) Send(xml string) error {
	if err := s.conn.SetWriteDeadline(time.Now().Add(intruderPatience)); err != nil {
		return err
	}
	_, err := s.conn.Write([]byte(xml))
	return err
}

// Next returns the next element, passing over stream headers.
func (s *Intruder) Next() (*xmlstream.Element, error) {
	if err := s.conn.SetReadDeadline(time.Now().Add(intruderPatience)); err != nil {
		return nil, err
	}
	for {
		event, err := s.decoder.Next()
		switch {
		case errors.Is(err, xmlstream.ErrShort):
			if _, err := s.decoder.Fill(s.conn); err != nil {
				return nil, err
			}
		case err != nil:
			return nil, err
		case event.Kind == xmlstream.ElementEvent:
			return event.Element, nil
		case event.Kind == xmlstream.EndEvent:
			return nil, net.ErrClosed
		}
	}
}

// Close drops the connection.
func (s *Intruder) Close() error { return s.conn.Close() }
