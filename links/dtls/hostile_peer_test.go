package dtls_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	pion "github.com/pion/dtls/v3"
	"github.com/pion/dtls/v3/pkg/crypto/ciphersuite"
	"github.com/pion/dtls/v3/pkg/crypto/prf"
	"github.com/pion/dtls/v3/pkg/protocol"
	"github.com/pion/dtls/v3/pkg/protocol/recordlayer"
)

// lengthAt is where a record's length stands; recordsOf splits a datagram in clear.
const lengthAt = 11

func recordsOf(b []byte) (all [][]byte) {
	for len(b) >= 13 {
		n := 13 + int(binary.BigEndian.Uint16(b[lengthAt:]))
		if b[0] == 25 {
			n = 21 + int(binary.BigEndian.Uint16(b[lengthAt+8:]))
		}
		if n > len(b) {
			return all
		}
		all = append(all, b[:n])
		b = b[n:]
	}
	return all
}

// message returns the type of the handshake message that a record in clear holds, or 0.
func message(record []byte) byte {
	if len(record) < 25 || record[0] != 22 || record[3] != 0 || record[4] != 0 {
		return 0
	}
	return record[13]
}

// rawConn is a net.PacketConn for pion on the memory network: it answers cookies as our fronts do, and lets a test change what is sent.
type rawConn struct {
	sock   *memsock
	to     netip.AddrPort
	change func(datagram []byte) []byte
	saw    func(datagram []byte)

	mu      sync.Mutex
	hello   []byte
	verify  []byte
	expired chan struct{}
}

func newRawConn(t *testing.T, n *memnet, at, to netip.AddrPort) *rawConn {
	t.Helper()
	s, err := n.bind(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	return &rawConn{sock: s.(*memsock), to: to, expired: make(chan struct{})}
}

func (c *rawConn) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		c.mu.Lock()
		expired := c.expired
		c.mu.Unlock()
		select {
		case p := <-c.sock.inbox:
			if message(p.data) == 3 {
				c.mu.Lock()
				c.verify = p.data
				hello := c.hello
				c.mu.Unlock()
				_, _ = c.WriteTo(hello, nil)
				continue
			}
			if c.saw != nil {
				c.saw(p.data)
			}
			return copy(b, p.data), net.UDPAddrFromAddrPort(c.to), nil
		case <-c.sock.closed:
			return 0, nil, net.ErrClosed
		case <-expired:
			return 0, nil, os.ErrDeadlineExceeded
		}
	}
}

func (c *rawConn) WriteTo(b []byte, _ net.Addr) (int, error) {
	out := bytes.Clone(b)
	if message(b) == 1 {
		c.mu.Lock()
		c.hello = bytes.Clone(b)
		out = append(bytes.Clone(c.verify), b...)
		c.mu.Unlock()
	}
	if c.change != nil {
		if out = c.change(out); out == nil {
			return len(b), nil
		}
	}
	_, err := c.sock.WriteToUDPAddrPort(out, c.to)
	return len(b), err
}

func (c *rawConn) Close() error                     { return c.sock.Close() }
func (c *rawConn) LocalAddr() net.Addr              { return c.sock.LocalAddr() }
func (c *rawConn) SetDeadline(t time.Time) error    { return c.SetReadDeadline(t) }
func (c *rawConn) SetWriteDeadline(time.Time) error { return nil }
func (c *rawConn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-c.expired:
		c.expired = make(chan struct{})
	default:
	}
	if !t.IsZero() && !t.After(time.Now()) {
		close(c.expired)
	}
	return nil
}

// forger rewrites the last flight of a pion client with a certificate: Finished is made anew, with or without CertificateVerify before it.
type forger struct {
	mu         sync.Mutex
	keys       bytes.Buffer // pion writes the master secret here
	transcript []byte
	random     [2][]byte
	without    bool
	done       bool
	err        error
}

func (f *forger) failure() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

// saw keeps what the server said.
func (f *forger) saw(datagram []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range recordsOf(datagram) {
		switch message(r) {
		case 2: // ServerHello
			f.random[1] = bytes.Clone(r[13+12+2:][:32])
			f.transcript = append(f.transcript, r[13:]...)
		case 11, 12, 13, 14:
			f.transcript = append(f.transcript, r[13:]...)
		}
	}
}

// change rewrites the flight.
func (f *forger) change(datagram []byte) []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []byte
	for _, r := range recordsOf(datagram) {
		switch {
		case message(r) == 1:
			f.random[0] = bytes.Clone(r[13+12+2:][:32])
			f.transcript = bytes.Clone(r[13:])
			return datagram
		case message(r) == 15 && f.without: // CertificateVerify
		case message(r) == 11 || message(r) == 16 || message(r) == 15:
			if !f.done {
				f.transcript = append(f.transcript, r[13:]...)
			}
			out = append(out, r...)
		case r[0] == 25 && binary.BigEndian.Uint16(r[3:]) == 1:
			f.done = true
			var finished []byte
			finished, f.err = f.finished(r)
			out = append(out, finished...)
		default:
			out = append(out, r...)
		}
	}
	return out
}

// finished makes the protected record for the transcript as it was sent.
func (f *forger) finished(old []byte) ([]byte, error) {
	line := strings.Fields(f.keys.String())
	if len(line) != 3 {
		return nil, errors.New("no master secret")
	}
	master, err := hex.DecodeString(line[2])
	if err != nil {
		return nil, err
	}
	keys, err := prf.GenerateEncryptionKeys(master, f.random[0], f.random[1], 0, 16, 4, sha256.New)
	if err != nil {
		return nil, err
	}
	gcm, err := ciphersuite.NewGCM(keys.ClientWriteKey, keys.ClientWriteIV, keys.ServerWriteKey, keys.ServerWriteIV)
	if err != nil {
		return nil, err
	}
	verify, err := prf.VerifyDataClient(master, f.transcript, sha256.New)
	if err != nil {
		return nil, err
	}
	last := lastSequence(f.transcript)
	inner := append([]byte{20, 0, 0, 12, byte((last + 1) >> 8), byte(last + 1), 0, 0, 0, 0, 0, 12}, verify...)
	inner = append(inner, 22)
	h := &recordlayer.Header{
		ContentType: protocol.ContentTypeConnectionID, Version: protocol.Version1_2, Epoch: 1,
		SequenceNumber: uint64(old[10]), ConnectionID: old[11:19], ContentLen: uint16(len(inner)), //nolint:gosec // 25
	}
	raw, err := h.Marshal()
	if err != nil {
		return nil, err
	}
	return gcm.Encrypt(&recordlayer.RecordLayer{Header: *h}, append(raw, inner...))
}

// lastSequence is the message number of the last message of a transcript.
func lastSequence(b []byte) (seq uint16) {
	for len(b) >= 12 {
		seq = binary.BigEndian.Uint16(b[4:])
		b = b[12+(int(b[1])<<16|int(b[2])<<8|int(b[3])):]
	}
	return seq
}

// rawOptions make a client of pion that asks nothing of the server.
func rawOptions(extra ...pion.ClientOption) []pion.ClientOption {
	return append([]pion.ClientOption{
		pion.WithInsecureSkipVerify(true), pion.WithExtendedMasterSecret(pion.RequireExtendedMasterSecret),
		pion.WithConnectionIDGenerator(pion.RandomCIDGenerator(8)), pion.WithCipherSuites(pion.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256),
	}, extra...)
}
