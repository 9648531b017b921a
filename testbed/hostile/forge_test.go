package hostile_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"golang.org/x/crypto/chacha20poly1305"

	"sallyport/testbed/hello"
)

// alert reads what the other side says to a hello in clear: the description of its alert, then the end.
func alert(c net.Conn) (description byte, err error) {
	_ = c.SetReadDeadline(deadline(closeLimit))
	said, err := io.ReadAll(c)
	if len(said) != 7 || said[0] != 21 || said[5] != 2 {
		return 0, fmt.Errorf("no alert: % x (%v)", said, err)
	}
	return said[6], nil
}

// forger has the keys of a connection of its own and writes records that crypto/tls would never write.
type forger struct {
	*raw
	keys    bytes.Buffer // NSS key log
	sniffed bytes.Buffer // what the server sent during the handshake
	version uint16
	aead    cipher.AEAD
	secret  []byte // TLS 1.3
	iv      []byte
	seq     uint64
}

// sniffer keeps what is read.
type sniffer struct {
	net.Conn
	into *bytes.Buffer
}

func (s sniffer) Read(b []byte) (int, error) {
	n, err := s.Conn.Read(b)
	s.into.Write(b[:n])
	return n, err
}

// forge shakes hands after STARTTLS and takes the keys.
func (w *world) forge(t *testing.T, version uint16) *forger {
	t.Helper()
	f := &forger{raw: w.dial(t, w.outside), version: version}
	f.starttls("forger.evil.example", "b.example")
	cfg := tlsConfig("b.example", w.evilCert)
	cfg.KeyLogWriter, cfg.MinVersion, cfg.MaxVersion = &f.keys, version, version
	cfg.CipherSuites = []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}
	c := tls.Client(sniffer{f.tcp, &f.sniffed}, cfg)
	_ = f.tcp.SetDeadline(deadline(patience))
	if err := c.Handshake(); err != nil {
		t.Fatal(err)
	}
	f.conn, f.text = c, ""
	var err error
	if version == tls.VersionTLS13 {
		f.secret = f.logged(t, "CLIENT_TRAFFIC_SECRET_0")
		err = f.keys13(c.ConnectionState().CipherSuite)
	} else {
		err = f.keys12(f.logged(t, "CLIENT_RANDOM"))
	}
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// logged returns the secret with that label, and before it, in TLS 1.2, the client's random.
func (f *forger) logged(t *testing.T, label string) []byte {
	t.Helper()
	for line := range strings.Lines(f.keys.String()) {
		w := strings.Fields(line)
		if len(w) == 3 && w[0] == label {
			random, err1 := hex.DecodeString(w[1])
			secret, err2 := hex.DecodeString(w[2])
			if err1 == nil && err2 == nil && f.version == tls.VersionTLS12 {
				return append(random, secret...)
			}
			return secret
		}
	}
	t.Fatalf("no %s", label)
	return nil
}

// keys12 is RFC 5246 §6.3 for the client's side of AES-128-GCM. The Finished message had sequence number 0.
func (f *forger) keys12(logged []byte) error {
	client, master := logged[:32], logged[32:]
	server := f.sniffed.Bytes()[5+4+2:][:32] // record, handshake header, version
	block := prf(master, "key expansion", append(bytes.Clone(server), client...), 40)
	b, err := aes.NewCipher(block[:16])
	if err != nil {
		return err
	}
	f.iv, f.seq = block[32:36], 1
	f.aead, err = cipher.NewGCM(b)
	return err
}

// prf is P_SHA256 (RFC 5246 §5).
func prf(secret []byte, label string, seed []byte, n int) []byte {
	sum := func(parts ...[]byte) []byte {
		m := hmac.New(sha256.New, secret)
		for _, p := range parts {
			m.Write(p)
		}
		return m.Sum(nil)
	}
	seed = append([]byte(label), seed...)
	var out []byte
	for a := sum(seed); len(out) < n; a = sum(a) {
		out = append(out, sum(a, seed)...)
	}
	return out[:n]
}

// keys13 is RFC 8446 §7.3.
func (f *forger) keys13(suite uint16) (err error) {
	size := 16
	if suite == tls.TLS_CHACHA20_POLY1305_SHA256 {
		size = 32
	}
	key, err := expand(f.secret, "key", size)
	if err != nil {
		return err
	}
	if f.iv, err = expand(f.secret, "iv", 12); err != nil {
		return err
	}
	f.seq = 0
	if suite == tls.TLS_CHACHA20_POLY1305_SHA256 {
		f.aead, err = chacha20poly1305.New(key)
		return err
	}
	b, err := aes.NewCipher(key)
	if err != nil {
		return err
	}
	f.aead, err = cipher.NewGCM(b)
	return err
}

// expand is HKDF-Expand-Label without a context (RFC 8446 §7.1).
func expand(secret []byte, label string, n int) ([]byte, error) {
	label = "tls13 " + label
	info := append([]byte{byte(n >> 8), byte(n), byte(len(label))}, label...)
	return hkdf.Expand(sha256.New, secret, string(append(info, 0)), n)
}

// seal makes a record of a handshake message.
func (f *forger) seal(body []byte) []byte {
	if f.version == tls.VersionTLS12 {
		explicit := binary.BigEndian.AppendUint64(nil, f.seq)
		aad := append(bytes.Clone(explicit), 22, 3, 3, byte(len(body)>>8), byte(len(body)))
		f.seq++
		return hello.Record(22, 0x0303, f.aead.Seal(bytes.Clone(explicit), append(bytes.Clone(f.iv), explicit...), body, aad))
	}
	inner := append(bytes.Clone(body), 22)
	nonce := bytes.Clone(f.iv)
	for i, c := range binary.BigEndian.AppendUint64(nil, f.seq) {
		nonce[4+i] ^= c
	}
	f.seq++
	n := len(inner) + f.aead.Overhead()
	head := []byte{23, 3, 3, byte(n >> 8), byte(n)}
	return append(head, f.aead.Seal(nil, nonce, inner, head)...)
}

// update goes on to the next key, as after a KeyUpdate (RFC 8446 §7.2).
func (f *forger) update() error {
	secret, err := expand(f.secret, "traffic upd", 32)
	if err != nil {
		return err
	}
	f.secret = secret
	suite := tls.TLS_AES_128_GCM_SHA256
	if f.aead.NonceSize() == chacha20poly1305.NonceSize && f.aead.Overhead() == 16 && f.conn.(*tls.Conn).ConnectionState().CipherSuite == tls.TLS_CHACHA20_POLY1305_SHA256 {
		suite = tls.TLS_CHACHA20_POLY1305_SHA256
	}
	return f.keys13(suite)
}
