package dtls

import (
	"crypto/rand"
	"io"

	"github.com/pion/dtls/v3"
	"github.com/pion/logging"
)

// common are the options of both sides. What pion would verify by itself fits web servers, so it is off: verify decides.
func (e *Endpoint) common(cid CID, t tuning, verify func(*dtls.State) error) []dtls.Option {
	return []dtls.Option{
		dtls.WithExtendedMasterSecret(dtls.RequireExtendedMasterSecret),
		dtls.WithInsecureSkipVerify(true),
		dtls.WithVerifyConnection(verify),
		dtls.WithConnectionIDGenerator(func() []byte { return cid[:] }),
		dtls.WithFlightInterval(t.flight),
		dtls.WithMTU(handshakeMTU),
		dtls.WithReplayProtectionWindow(replayWindow),
		dtls.WithLoggerFactory(silence()),
	}
}

// client are the options of an association that we open.
func (e *Endpoint) client(p *Peer, cid CID, t tuning, verify func(*dtls.State) error) []dtls.ClientOption {
	opts := asClient(e.common(cid, t, verify))
	if s := p.Shared; s != nil {
		return append(opts,
			dtls.WithCipherSuites(sharedSuites()...),
			dtls.WithPSK(func([]byte) ([]byte, error) { return s.Secret, nil }),
			dtls.WithPSKIdentityHint([]byte(s.Identity)))
	}
	opts = append(opts, dtls.WithCipherSuites(certificateSuites()...))
	if cert := e.cfg.Keys.For(e.cfg.Domain); cert != nil {
		opts = append(opts, dtls.WithCertificates(*cert))
	}
	return opts
}

// server are the options of an association that somebody opens: whoever it is, a key or a certificate will say.
func (e *Endpoint) server(cid CID, t tuning, verify func(*dtls.State) error) []dtls.ServerOption {
	opts := []dtls.ServerOption{
		dtls.WithInsecureSkipVerifyHello(true), // the front has seen the cookie
		dtls.WithClientAuth(dtls.RequireAnyClientCert),
	}
	for _, o := range e.common(cid, t, verify) {
		opts = append(opts, o)
	}
	var suites []dtls.CipherSuiteID
	if e.shared {
		suites = append(suites, sharedSuites()...)
		opts = append(opts, dtls.WithPSK(e.secret))
	}
	if cert := e.cfg.Keys.For(e.cfg.Domain); cert != nil {
		suites = append(suites, certificateSuites()...)
		opts = append(opts, dtls.WithCertificates(*cert))
	}
	return append(opts, dtls.WithCipherSuites(suites...))
}

// secret returns the key of an identity. An unknown one gets a key that nobody has, so that it fails where a wrong key does, and the
// answer does not tell which identities there are.
func (e *Endpoint) secret(identity []byte) ([]byte, error) {
	if p := e.cfg.holder(string(identity)); p != nil {
		return p.Shared.Secret, nil
	}
	nobody := make([]byte, maxSecretBytes/2)
	_, err := io.ReadFull(rand.Reader, nobody)
	return nobody, err
}

func asClient(opts []dtls.Option) []dtls.ClientOption {
	out := make([]dtls.ClientOption, 0, len(opts)+3)
	for _, o := range opts {
		out = append(out, o)
	}
	return out
}

// silence keeps pion from writing anywhere: what matters of it comes back as errors.
func silence() logging.LoggerFactory {
	return &logging.DefaultLoggerFactory{Writer: io.Discard, DefaultLogLevel: logging.LogLevelDisabled}
}
