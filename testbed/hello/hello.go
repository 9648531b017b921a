// Package hello writes the ClientHello of TLS that a test wants, as old or poor as no library makes them any more, and has those that a server must refuse. It opens
// no connection, and completes no handshake.
package hello

import (
	"bytes"
	"encoding/binary"
)

// Client is a ClientHello (RFC 5246 §7.4.1.2) for the host of that name.
type Client struct {
	Host    string
	Version uint16
	Suites  []uint16
	Groups  []uint16
}

// Handshake is the message without a record around it. Extensions there are from TLS 1.0 on.
func (c Client) Handshake() []byte {
	b := put(nil, c.Version)
	b = append(b, bytes.Repeat([]byte{7}, 32)...)
	b = append(b, 0)
	b = put(b, uint16(2*len(c.Suites)))
	b = put(b, c.Suites...)
	b = append(b, 1, 0)
	if c.Version > 0x0300 {
		b = put(b, uint16(4+5+len(c.Host)+4+2+2*len(c.Groups)+4+2+4+4+2), 0, uint16(5+len(c.Host)), uint16(3+len(c.Host)))
		b = append(append(b, 0, 0, byte(len(c.Host))), c.Host...)
		b = put(b, 10, uint16(2+2*len(c.Groups)), uint16(2*len(c.Groups)))
		b = put(b, c.Groups...)
		b = put(b, 13, 6, 4, 0x0403, 0x0401) // ECDSA and RSA with SHA-256
		b = append(b, 0, 11, 0, 2, 1, 0)
	}
	return append([]byte{1, 0, byte(len(b) >> 8), byte(len(b))}, b...)
}

// Record is the message in a record of its own.
func (c Client) Record() []byte { return Record(22, min(c.Version, 0x0301), c.Handshake()) }

// Record puts what is of that type into one record (RFC 5246 §6.2.1).
func Record(kind byte, version uint16, body []byte) []byte {
	return append([]byte{kind, byte(version >> 8), byte(version), byte(len(body) >> 8), byte(len(body))}, body...)
}

func put(b []byte, v ...uint16) []byte {
	for _, v := range v {
		b = binary.BigEndian.AppendUint16(b, v)
	}
	return b
}

// Modern is one for TLS 1.2 that a server may accept.
func Modern(host string) Client {
	return Client{host, 0x0303, []uint16{0xC02B}, []uint16{23}}
}

// Refused is one that a server must not accept, and the description of the alert that it gives (bad-inputs E04).
type Refused struct {
	Name  string
	Hello Client
	Alert byte
}

// AllRefused are old versions, weak suites, and a weak curve.
func AllRefused(host string) []Refused {
	const protocolVersion, handshakeFailure = 70, 40
	good, curves := []uint16{0xC02B, 0xC02F, 0xC02C}, []uint16{23, 24}
	return []Refused{
		{"SSL 3.0", Client{host, 0x0300, good, nil}, protocolVersion},
		{"TLS 1.0", Client{host, 0x0301, good, curves}, protocolVersion},
		{"TLS 1.1", Client{host, 0x0302, good, curves}, protocolVersion},
		{"RC4", Client{host, 0x0303, []uint16{0x0005, 0xC007, 0xC011}, curves}, handshakeFailure},
		{"3DES", Client{host, 0x0303, []uint16{0x000A, 0xC008, 0xC012}, curves}, handshakeFailure},
		{"CBC", Client{host, 0x0303, []uint16{0xC009, 0xC013, 0xC023, 0xC027, 0x002F}, curves}, handshakeFailure},
		{"secp192r1", Client{host, 0x0303, good, []uint16{19}}, handshakeFailure},
	}
}
