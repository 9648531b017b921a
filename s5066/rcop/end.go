package rcop

import (
	"encoding/binary"
	"errors"
)

// End watches the data of one message, segment by segment from the first, and says when it is all there.
// An error gives the message up.
type End func(segment []byte) (done bool, err error)

// ErrPrefix is why Prefixed gives a message up.
var ErrPrefix = errors.New("message differs from the length before it")

// Lone is the End of messages that are one segment.
func Lone() End { return func([]byte) (bool, error) { return true, nil } }

// Prefixed is the End of messages that begin with their length in four bytes, as
// AppendPrefixed writes them. Strip takes the length away.
func Prefixed() End {
	var head []byte
	have := 0
	return func(b []byte) (bool, error) {
		have += len(b)
		if missing := 4 - len(head); missing > 0 {
			head = append(head, b[:min(missing, len(b))]...)
		}
		if len(head) < 4 {
			return false, nil
		}
		want := 4 + int64(binary.BigEndian.Uint32(head))
		if int64(have) > want {
			return false, ErrPrefix
		}
		return int64(have) == want, nil
	}
}

// AppendPrefixed appends a message of less than 4 GiB with its length before it.
func AppendPrefixed(dst, message []byte) []byte {
	return append(binary.BigEndian.AppendUint32(dst, uint32(len(message))), message...)
}

// StripPrefix takes the length away from what Prefixed let through.
func StripPrefix(message []byte) []byte { return message[min(4, len(message)):] }
