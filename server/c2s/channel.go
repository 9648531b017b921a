package c2s

import (
	"context"
	"crypto"
	_ "crypto/sha256" // hash functions of certificates
	_ "crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"time"

	"go.uber.org/zap"

	"sallyport/internal/sasl"
	"sallyport/internal/tlsid"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stream"
)

// handshakeTimeout bounds one TLS handshake (bad-inputs E07).
const handshakeTimeout = 10 * time.Second

// tlsUnique is RFC 5929 §3, for TLS 1.2 alone.
const tlsUnique = "tls-unique"

// shown is a connection that remembers which certificate it was shown with. After STARTTLS that is one of the domain.
type shown struct {
	net.Conn
	domain string
	leaf   *x509.Certificate
}

// showing is a configuration for connections of type shown. Where certificates of clients are asked for, there are no
// tickets: one would outlive a change of trust (bad-inputs E12), and what comes without a good one is not refused, as it can
// log in otherwise.
func showing(base *tls.Config, ask bool) *tls.Config {
	cfg := base.Clone()
	cfg.NextProtos, cfg.CipherSuites = nil, tlsid.Suites()
	cfg.ClientAuth = tls.NoClientCert
	if ask {
		cfg.ClientAuth, cfg.SessionTicketsDisabled = tls.RequestClientCert, true
	}
	choose := base.GetCertificate
	cfg.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		conn, ok := hello.Conn.(*shown)
		if ok && conn.domain != "" { // that of TLS may be missing, or the name of a host
			named := *hello
			named.ServerName = conn.domain
			hello = &named
		}
		cert, err := choose(hello)
		if err != nil || !ok || cert == nil || len(cert.Certificate) == 0 {
			return cert, err
		}
		if conn.leaf = cert.Leaf; conn.leaf == nil {
			conn.leaf, err = x509.ParseCertificate(cert.Certificate[0])
		}
		return cert, err
	}
	return cfg
}

// secure shakes hands as the TLS server, for the domain of the header. With direct TLS there is none yet, and ALPN is held to xmpp-client.
func (s *Server) secure(ctx context.Context, conn net.Conn, domain jid.JID) (*tls.Conn, stream.TLSFacts, error) {
	cfg := s.plain
	if domain.IsZero() {
		cfg = s.direct
	}
	below := &shown{Conn: conn, domain: domain.Domain()}
	secured := tls.Server(below, cfg)
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	if err := secured.HandshakeContext(ctx); err != nil {
		s.refused(err, addressOf(conn))
		return nil, stream.TLSFacts{}, err
	}
	state := secured.ConnectionState()
	facts := stream.TLSFacts{Version: state.Version, Cipher: state.CipherSuite, Bindings: bindings(&state, below.leaf)}
	below.leaf = nil
	facts.Accounts = s.proven(&state, addressOf(conn))
	return secured, facts, nil
}

// refused is for the audit, where it was we who would not (E04): others go away, or do not trust us, as they like.
func (s *Server) refused(err error, from netip.Addr) {
	var network net.Error // alerts of the other side are such errors, too
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &network) {
		return
	}
	text, _, _ := strings.Cut(err.Error(), " (") // there stands what they said
	s.note(Observation{What: TLSFailed, From: from, Detail: stream.Clean(text)})
}

// proven are the accounts in a good certificate of the client.
func (s *Server) proven(state *tls.ConnectionState, from netip.Addr) []jid.JID {
	if s.cfg.Clients == nil || len(state.PeerCertificates) == 0 {
		return nil
	}
	v := s.cfg.Clients().Verify(tlsid.FromState(state, tlsid.Initiator), time.Now())
	if !v.OK() {
		s.note(Observation{What: BadCertificate, From: from, Detail: v.Reason.String()})
		if s.tellCertificate.May(time.Now()) {
			s.cfg.Log.Warn("client's certificate is not good", zap.Stringer("reason", v.Reason), zap.NamedError("cause", v.Cause))
		}
		return nil
	}
	return v.Accounts()
}

// bindings are the names of this channel, the strongest first.
func bindings(state *tls.ConnectionState, leaf *x509.Certificate) []sasl.Binding {
	var list []sasl.Binding
	// RFC 9266 §2; without extended master secret Go exports nothing on TLS 1.2.
	if data, err := state.ExportKeyingMaterial("EXPORTER-Channel-Binding", nil, 32); err == nil {
		list = append(list, sasl.Binding{Type: sasl.TLSExporter, Data: data})
	}
	if data := endPoint(leaf); data != nil {
		list = append(list, sasl.Binding{Type: sasl.TLSServerEndPoint, Data: data})
	}
	if state.Version == tls.VersionTLS12 && !state.DidResume && len(state.TLSUnique) > 0 {
		list = append(list, sasl.Binding{Type: tlsUnique, Data: state.TLSUnique})
	}
	return list
}

// endPoint is the hash of our certificate (RFC 5929 §4.1); nil where the signature has no single hash.
func endPoint(leaf *x509.Certificate) []byte {
	if leaf == nil {
		return nil
	}
	h := crypto.SHA256 // also in place of MD5 and SHA-1
	switch leaf.SignatureAlgorithm {
	case x509.SHA384WithRSA, x509.ECDSAWithSHA384, x509.SHA384WithRSAPSS:
		h = crypto.SHA384
	case x509.SHA512WithRSA, x509.ECDSAWithSHA512, x509.SHA512WithRSAPSS:
		h = crypto.SHA512
	case x509.PureEd25519, x509.UnknownSignatureAlgorithm:
		return nil
	default:
	}
	sum := h.New()
	_, _ = sum.Write(leaf.Raw) // a hash never fails
	return sum.Sum(nil)
}
