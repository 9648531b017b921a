package ping

import (
	"bytes"
	"encoding/binary"
)

// HeaderBytes is the least size of a message.
const HeaderBytes = 8

var (
	question = []byte("SPPG")
	answer   = []byte("SPPR")
)

// AppendQuestion appends a question of at least size bytes.
func AppendQuestion(dst []byte, number uint32, size int) []byte {
	start := len(dst)
	dst = binary.BigEndian.AppendUint32(append(dst, question...), number)
	for i := len(dst) - start; i < size; i++ {
		dst = append(dst, 'a'+byte(i%26))
	}
	return dst
}

// AppendAnswer appends the answer to a question, and says whether it is one.
func AppendAnswer(dst, b []byte) ([]byte, bool) {
	if len(b) < HeaderBytes || !bytes.HasPrefix(b, question) {
		return dst, false
	}
	return append(append(dst, answer...), b[len(question):]...), true
}

// ParseAnswer reads the number of an answer, and says whether it is one.
func ParseAnswer(b []byte) (number uint32, ok bool) {
	if len(b) < HeaderBytes || !bytes.HasPrefix(b, answer) {
		return 0, false
	}
	return binary.BigEndian.Uint32(b[len(answer):]), true
}
