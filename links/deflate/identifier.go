package deflate

import (
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"strings"
)

// Identifiers are what DEFLATE can do least about: a random UUID takes 36 bytes of it. So those of the usual kinds are said beside the
// frame, in a byte and as many as they have digits for:
//
//	0            a UUID (RFC 9562 §4, lower case), in 16 bytes
//	6 to 63      so many lower-case hexadecimal digits, two in a byte, the last byte of an odd number filled with 0
//	the same | 0x80   then a hyphen and a number, which follows as a varint
const (
	uuidBytes  = 16
	uuidText   = 36
	minDigits  = 6
	maxDigits  = 63
	bitCounted = 0x80
	maxCounted = 1 << 32
)

// AppendIdentifier appends an identifier; false when it is of no kind that there is a form for.
func AppendIdentifier(dst []byte, id string) ([]byte, bool) {
	if b, ok := uuid(id); ok {
		return append(append(dst, 0), b...), true
	}
	digits, count, counted := strings.Cut(id, "-")
	if len(digits) < minDigits || len(digits) > maxDigits || strings.Trim(digits, "0123456789abcdef") != "" {
		return dst, false
	}
	head, number := byte(len(digits)), uint64(0)
	if counted {
		var err error
		if number, err = strconv.ParseUint(count, 10, 32); err != nil || strconv.FormatUint(number, 10) != count {
			return dst, false
		}
		head |= bitCounted
	}
	b, _ := hex.DecodeString(digits + "0"[:len(digits)%2]) // they are digits
	dst = append(append(dst, head), b...)
	if counted {
		dst = binary.AppendUvarint(dst, number)
	}
	return dst, true
}

func uuid(id string) ([]byte, bool) {
	if len(id) != uuidText || id[8] != '-' || id[13] != '-' || id[18] != '-' || id[23] != '-' {
		return nil, false
	}
	digits := id[:8] + id[9:13] + id[14:18] + id[19:23] + id[24:]
	b, err := hex.DecodeString(digits)
	return b, err == nil && hex.EncodeToString(b) == digits
}

// Identifier takes one off the front of b. There is one way to write each.
func Identifier(b []byte) (id string, rest []byte, ok bool) {
	if len(b) == 0 {
		return "", nil, false
	}
	head, n := b[0], int(b[0]&^bitCounted)
	b = b[1:]
	if head == 0 {
		return UUID(b)
	}
	size := (n + 1) / 2
	if n < minDigits || n > maxDigits || len(b) < size {
		return "", nil, false
	}
	d := hex.EncodeToString(b[:size])
	if n%2 != 0 && d[n] != '0' {
		return "", nil, false
	}
	id, b = d[:n], b[size:]
	if head&bitCounted != 0 {
		number, used := binary.Uvarint(b)
		if used <= 0 || used > 1 && b[used-1] == 0 || number >= maxCounted {
			return "", nil, false
		}
		id, b = id+"-"+strconv.FormatUint(number, 10), b[used:]
	}
	return id, b, true
}

// UUID takes one without its first byte off the front of b.
func UUID(b []byte) (id string, rest []byte, ok bool) {
	if len(b) < uuidBytes {
		return "", nil, false
	}
	d := hex.EncodeToString(b[:uuidBytes])
	return strings.Join([]string{d[:8], d[8:12], d[12:16], d[16:20], d[20:]}, "-"), b[uuidBytes:], true
}
