package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"sallyport/internal/tlsid"
	"sallyport/internal/tlsid/tlsidtest"
	contract "sallyport/links"
	"sallyport/links/dtls"
	"sallyport/testbed/badnet"
)

// linkWay is a kind of carrier.
type linkWay struct {
	name string
	open func(ctx context.Context, id *linkIdentity, n *badnet.Net) (*carrier, error)
}

func linkWays() []linkWay {
	tcp := func(control string) func(context.Context, *linkIdentity, *badnet.Net) (*carrier, error) {
		return func(ctx context.Context, id *linkIdentity, n *badnet.Net) (*carrier, error) {
			return openTCP(ctx, id, n, control)
		}
	}
	datagrams := func(p contract.Profile, shared bool) func(context.Context, *linkIdentity, *badnet.Net) (*carrier, error) {
		return func(ctx context.Context, id *linkIdentity, n *badnet.Net) (*carrier, error) {
			return openDatagrams(ctx, id, n, p, shared)
		}
	}
	return []linkWay{
		{yardstickWay, tcp("cubic")},
		{"TCP+TLS, bbr", tcp("bbr")},
		{"DTLS, rate unknown", datagrams(contract.Profile{RoundTrip: linkTrip}, true)},
		{"DTLS, rate in the profile", datagrams(contract.Profile{RoundTrip: linkTrip, BitsPerSecond: linkRate}, true)},
	}
}

// linkIdentity is who both sides are: one certificate for both, one key that they share.
type linkIdentity struct {
	keys     *tlsid.Keys
	trust    *tlsid.Trust
	secret   []byte
	sessions tls.ClientSessionCache
	ticket   *tls.Config // the server's, so that a second connection can resume
}

const linkDomain = "site.example"

func newLinkIdentity(dir string) (*linkIdentity, error) {
	ca, err := tlsidtest.NewCA("bench")
	if err != nil {
		return nil, err
	}
	leaf, err := ca.Issue(tlsidtest.Options{DNS: []string{linkDomain, nearDomain, farDomain}})
	if err != nil {
		return nil, err
	}
	cert, key, err := leaf.WritePEM(dir, "link")
	if err != nil {
		return nil, err
	}
	keys, err := tlsid.LoadKeys([]tlsid.KeyPair{{CertFile: filepath.Clean(cert), KeyFile: filepath.Clean(key), Default: true}})
	if err != nil {
		return nil, err
	}
	id := &linkIdentity{keys: keys, trust: tlsid.NewTrust(ca.Cert), secret: make([]byte, 32), sessions: tls.NewLRUClientSessionCache(4)}
	id.ticket = &tls.Config{
		MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{*keys.For(linkDomain)}, ClientAuth: tls.RequireAnyClientCert,
	}
	return id, nil
}

// client is the configuration of the side that dials: it measures time, not trust.
func (id *linkIdentity) client() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{*id.keys.For(linkDomain)}, ServerName: linkDomain,
		ClientSessionCache: id.sessions, InsecureSkipVerify: true, //nolint:gosec // it measures time, not trust
	}
}

const linkPort = 5269

// openTCP connects with TLS 1.3, both certificates, and the kernel's congestion control of that name.
func openTCP(ctx context.Context, id *linkIdentity, n *badnet.Net, congestion string) (*carrier, error) {
	control := func(_, _ string, c syscall.RawConn) error {
		var failed error
		err := c.Control(func(fd uintptr) {
			failed = unix.SetsockoptString(int(fd), unix.IPPROTO_TCP, unix.TCP_CONGESTION, congestion) //nolint:gosec // a descriptor
		})
		return errors.Join(err, failed)
	}
	far := netip.AddrPortFrom(badnet.Far.Address(), linkPort)
	var l net.Listener
	if err := n.Do(badnet.Far, func() (err error) {
		l, err = (&net.ListenConfig{Control: control}).Listen(ctx, "tcp4", far.String())
		return err
	}); err != nil {
		return nil, err
	}
	defer func() { _ = l.Close() }() // one connection is wanted
	accepted := make(chan *tls.Conn, 1)
	go func() {
		defer close(accepted)
		c, err := l.Accept()
		if err != nil {
			return
		}
		s := tls.Server(c, id.ticket)
		handshake, stop := context.WithTimeout(ctx, time.Minute)
		defer stop()
		if s.HandshakeContext(handshake) == nil {
			accepted <- s
		}
	}()
	var raw net.Conn
	if err := n.Do(badnet.Near, func() (err error) {
		raw, err = (&net.Dialer{Control: control}).DialContext(ctx, "tcp4", far.String())
		return err
	}); err != nil {
		return nil, err
	}
	near := tls.Client(raw, id.client())
	shaking, stop := context.WithTimeout(ctx, time.Minute)
	defer stop()
	if err := near.HandshakeContext(shaking); err != nil {
		_ = raw.Close()
		return nil, err
	}
	go func() { _, _ = io.Copy(io.Discard, near) }() // tickets
	c := streamCarrier(near, accepted)
	c.resumed = near.ConnectionState().DidResume
	return c, nil
}

// streamCarrier puts lengths before messages on one stream. The far end may still be in its handshake.
func streamCarrier(near net.Conn, accepted <-chan *tls.Conn) *carrier {
	var far *tls.Conn
	var r *bufio.Reader
	buf := make([]byte, 64<<10)
	var mu sync.Mutex
	return &carrier{
		lanes: 1,
		send: func(_ context.Context, _ int, b []byte) error {
			_, err := near.Write(append(binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(b)), uint32(len(b))), b...)) //nolint:gosec // short
			return err
		},
		receive: func(int) ([]byte, error) {
			if far == nil {
				c, ok := <-accepted
				if !ok {
					return nil, io.EOF
				}
				mu.Lock()
				far, r = c, bufio.NewReader(c)
				mu.Unlock()
			}
			if _, err := io.ReadFull(r, buf[:4]); err != nil {
				return nil, err
			}
			b := buf[:min(int(binary.BigEndian.Uint32(buf)), len(buf))]
			_, err := io.ReadFull(r, b)
			return b, err
		},
		close: func() {
			cut(near)
			mu.Lock()
			defer mu.Unlock()
			if far != nil {
				cut(far)
			}
		},
	}
}

// cut closes a connection at once: an orderly close would wait for a network that has no more time.
func cut(c net.Conn) {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	_ = c.Close() // the measurement is over
}

// openDatagrams connects the datagram link.
func openDatagrams(ctx context.Context, id *linkIdentity, n *badnet.Net, p contract.Profile, shared bool) (*carrier, error) {
	near, err := id.endpoint(ctx, n, badnet.Near, "other", p, shared)
	if err != nil {
		return nil, err
	}
	far, err := id.endpoint(ctx, n, badnet.Far, "other", p, shared)
	if err != nil {
		return nil, errors.Join(err, near.Close())
	}
	end := func() { _, _ = near.Close(), far.Close() }
	accepted := make(chan *dtls.Association, 1)
	go func() {
		defer close(accepted)
		if a, err := far.Accept(ctx); err == nil {
			accepted <- a
		}
	}()
	a, err := near.Dial(ctx, "other")
	if err != nil {
		end()
		return nil, err
	}
	var once sync.Once
	var b *dtls.Association
	return &carrier{
		lanes: a.Lanes(), send: a.Send, close: end,
		receive: func(lane int) ([]byte, error) {
			once.Do(func() { b = <-accepted })
			if b == nil {
				return nil, io.EOF
			}
			return b.Receive(lane)
		},
	}, nil
}

// endpoint opens the socket of a side for one peer at the other side.
func (id *linkIdentity) endpoint(ctx context.Context, n *badnet.Net, side badnet.Side, name string, p contract.Profile, shared bool) (*dtls.Endpoint, error) {
	_, _, other := sideOf(side)
	peer := dtls.Peer{
		Name: name, Address: netip.AddrPortFrom(other.Address(), linkPort), Profile: p,
		Domains: []string{linkDomain}, Identity: tlsid.Policy{Trust: id.trust},
	}
	if shared {
		peer.Shared = &dtls.SharedKey{Identity: "site", Secret: id.secret}
	}
	c := dtls.Config{Local: netip.AddrPortFrom(side.Address(), linkPort), Keys: id.keys, Domain: linkDomain, Peers: []dtls.Peer{peer}}
	return dtls.Open(ctx, c, dtls.Env{Bind: func(_ context.Context, local netip.AddrPort) (s dtls.Socket, err error) {
		err = n.Do(side, func() error {
			var e error
			s, e = net.ListenUDP("udp4", net.UDPAddrFromAddrPort(local))
			return e
		})
		return s, err
	}})
}
