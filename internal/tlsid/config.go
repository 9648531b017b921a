package tlsid

import (
	"crypto/tls"
	"slices"

	"sallyport/internal/xmpp/jid"
)

// ALPN is the protocol name of direct TLS between servers (XEP-0368 §2.1).
const ALPN = "xmpp-server"

// Options say how one handshake is to be made.
type Options struct {
	// Keys are asked once per handshake, so that a reload reaches the next one.
	Keys *Keys
	// Domain is whom we speak as: for a server the clear header's `to` (empty under direct TLS), for a client our own domain.
	Domain string
	// Remote is the canonical domain that a client wants to reach; it becomes the server name, whatever host was dialled.
	Remote string
	// Direct says TLS without STARTTLS, so that the protocol name is negotiated.
	Direct bool
	// MinTLS is the lowest version offered; 0 and anything below mean TLS 1.2.
	MinTLS uint16
	// Judge sees the finished handshake and may veto it. With nil the handshake never fails for the peer's certificate: whoever
	// looks at the connection's state later decides, and can tell the peer in XMPP's words.
	Judge func(*tls.ConnectionState) error
}

// suites are the TLS 1.2 suites with forward secrecy and authenticated encryption (RFC 9325 §4.2); those of 1.3 are all good.
var suites = []uint16{
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
}

// Suites are those of TLS 1.2 that are good enough, for configurations that are made elsewhere (E04).
func Suites() []uint16 { return slices.Clone(suites) }

// ServerConfig asks for a certificate and takes whatever comes. Without a certificate of ours for the name the handshake ends with
// unrecognized_name (RFC 6066 §3).
func ServerConfig(o Options) *tls.Config {
	c := o.base()
	c.ClientAuth = tls.RequestClientCert
	c.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		return o.Keys.forHello(hello.ServerName, o.Domain), nil
	}
	return c
}

// ClientConfig offers our certificate whatever the server asks for, or EXTERNAL could never work.
func ClientConfig(o Options) (*tls.Config, error) {
	name, err := jid.ASCIIDomain(o.Remote)
	if err != nil {
		return nil, err
	}
	c := o.base()
	c.ServerName = name
	c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		if cert := o.Keys.For(o.Domain); cert != nil {
			return cert, nil
		}
		return &tls.Certificate{}, nil
	}
	return c, nil
}

// base holds what both sides share. crypto/tls's own verification fits web servers, not XMPP (it hard-codes the key usages and knows
// no otherName), so it is off and Policy.Verify does the work; tickets are off because one would outlive a change of trust (E12).
func (o *Options) base() *tls.Config {
	c := &tls.Config{
		MinVersion:             max(o.MinTLS, tls.VersionTLS12),
		CipherSuites:           suites,
		InsecureSkipVerify:     true, //nolint:gosec // Policy.Verify judges the certificate
		SessionTicketsDisabled: true,
		Renegotiation:          tls.RenegotiateNever,
		// Whole records from the first byte: a stanza is of no use in pieces, and small records cost both sides.
		DynamicRecordSizingDisabled: true,
	}
	if o.Direct {
		c.NextProtos = []string{ALPN}
	}
	if judge := o.Judge; judge != nil {
		c.VerifyConnection = func(cs tls.ConnectionState) error { return judge(&cs) }
	}
	return c
}
