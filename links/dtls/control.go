package dtls

// A control message is application data of DTLS that is no SCTP packet: port 0 stands where the source port would (RFC 9260 §3.1 forbids
// it), and its length is no multiple of four, as that of every SCTP packet is. So the front knows it by its length, even encrypted.
const (
	controlBytes = 2 + 1 + tokenBytes + 8 // 8 octets of nothing make the length what it has to be
	// Bodies of records that hold one: inner content type, tag of 16, and with GCM or CCM an explicit nonce of 8.
	controlChaCha  = controlBytes + 1 + 16
	controlAES     = controlChaCha + 8
	challengeBytes = cidHeader + controlAES
)

// Types of control message.
const (
	controlChallenge = 1
	controlAnswer    = 2
	controlProbe     = 3 // where the neighbour is
	controlEcho      = 4
)

// isControl reports whether a record's body has the length of a control message.
func isControl(body int) bool { return body == controlChaCha || body == controlAES }

func appendControl(dst []byte, typ byte, t Token) []byte {
	dst = append(dst, 0, 0, typ)
	dst = append(dst, t[:]...)
	return append(dst, make([]byte, controlBytes-2-1-tokenBytes)...)
}

// parseControl reads a control message; ok is false for an SCTP packet.
func parseControl(b []byte) (typ byte, t Token, ok bool) {
	if len(b) != controlBytes || b[0] != 0 || b[1] != 0 {
		return 0, Token{}, false
	}
	copy(t[:], b[3:])
	return b[2], t, true
}
