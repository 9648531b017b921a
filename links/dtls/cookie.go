package dtls

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"net/netip"
	"time"
)

// Handshake messages (RFC 6347 §4.3.2) that the front looks at.
const (
	messageHeader      = 12
	messageClientHello = 1
	messageVerify      = 3
	randomBytes        = 32
	cookieBytes        = 20
	verifyBytes        = recordHeader + messageHeader + 2 + 1 + cookieBytes
	minHelloBody       = messageHeader + 2 + randomBytes + 1 + 1 + 2 + 2 + 1 + 1
	cookieLife         = time.Minute // accepted for this long at least, twice as long at most
)

// clientHello is what the front needs of one: the random, which names the attempt.
type clientHello struct {
	random [randomBytes]byte
	raw    []byte // the record
}

// parseHello reads a ClientHello that is whole in its record (RFC 6347 §4.2.2): those in fragments would cost state before a cookie.
func parseHello(r record) (clientHello, bool) {
	if r.typ != typeHandshake || r.epoch != 0 || len(r.body) < minHelloBody || !wholeMessage(r.body, messageClientHello) {
		return clientHello{}, false
	}
	h := clientHello{raw: r.raw}
	copy(h.random[:], r.body[messageHeader+2:])
	return h, true
}

// wholeMessage reports whether b is one handshake message of that type, not cut into fragments.
func wholeMessage(b []byte, typ byte) bool {
	length, offset, fragment := uint24(b[1:]), uint24(b[6:]), uint24(b[9:])
	return b[0] == typ && offset == 0 && fragment == length && messageHeader+length == len(b)
}

func uint24(b []byte) int { return int(b[0])<<16 | int(b[1])<<8 | int(b[2]) }

// parseVerify reads a HelloVerifyRequest as our fronts make them.
func parseVerify(r record) (cookie []byte, ok bool) {
	if r.typ != typeHandshake || r.epoch != 0 || len(r.raw) != verifyBytes || !wholeMessage(r.body, messageVerify) {
		return nil, false
	}
	b := r.body[messageHeader:]
	if b[0] != 0xFE || b[1] != 0xFD || b[2] != cookieBytes {
		return nil, false
	}
	return b[3:], true
}

// bakery makes and checks cookies without keeping any.
type bakery struct{ key [sha256.Size]byte }

// verifyRequest appends a HelloVerifyRequest for the hello (RFC 6347 §4.2.1); its record repeats the hello's sequence number.
func (k *bakery) verifyRequest(dst []byte, now time.Time, from netip.AddrPort, h clientHello) []byte {
	dst = append(dst, typeHandshake, 0xFE, 0xFD)
	dst = append(dst, h.raw[3:11]...)
	dst = binary.BigEndian.AppendUint16(dst, verifyBytes-recordHeader)
	const length = verifyBytes - recordHeader - messageHeader
	dst = append(dst, messageVerify, 0, 0, length, 0, 0, 0, 0, 0, 0, 0, length)
	dst = append(dst, 0xFE, 0xFD, cookieBytes)
	c := k.cookie(age(now), from, h)
	return append(dst, c[:]...)
}

// fresh reports whether the cookie was made for this address and hello, of late.
func (k *bakery) fresh(now time.Time, from netip.AddrPort, h clientHello, cookie []byte) bool {
	n := age(now)
	for _, when := range []uint64{n, n - 1} {
		if c := k.cookie(when, from, h); hmac.Equal(c[:], cookie) {
			return true
		}
	}
	return false
}

func (k *bakery) cookie(when uint64, from netip.AddrPort, h clientHello) (c [cookieBytes]byte) {
	var text [8 + 16 + 2 + randomBytes]byte
	binary.BigEndian.PutUint64(text[:], when)
	a := from.Addr().As16()
	copy(text[8:], a[:])
	binary.BigEndian.PutUint16(text[24:], from.Port())
	copy(text[26:], h.random[:])
	m := hmac.New(sha256.New, k.key[:])
	m.Write(text[:])
	copy(c[:], m.Sum(nil))
	return c
}

func age(now time.Time) uint64 { return uint64(now.Unix()) / uint64(cookieLife/time.Second) } //nolint:gosec // after 1970
