package audit

import (
	"encoding/binary"
	"errors"
	"time"
	"unicode/utf8"
)

// Version 1 of a record: version (1), kind (1), cut (4), seconds (8), nanoseconds (4), serial (8), of (8), count (4),
// size (8), digest (32); then each text of textFields as length (uvarint) and bytes; the number of changed names
// (uvarint) and each as length and bytes; facts and content as length and bytes. Big endian.
const (
	recordVersion    = 1
	recordFixedBytes = 1 + 1 + 4 + 8 + 4 + 8 + 8 + 4 + 8 + 32
	maxVarint        = 4 // no length in a record needs more
)

// Times outside these seconds (years 1 to 9999) are written as the zero time.
const (
	minSeconds = -62135596800
	maxSeconds = 253402300799
)

// ErrRecord says that bytes are not a record of a known version.
var ErrRecord = errors.New("not an audit record")

// AppendRecord appends the encoding of r, with fields cut to their caps.
func AppendRecord(dst []byte, r *Record) []byte {
	start := len(dst)
	cut := r.Cut
	sec, nsec := splitTime(r.Time)
	dst = append(dst, recordVersion, byte(r.Kind), 0, 0, 0, 0)
	dst = binary.BigEndian.AppendUint64(dst, uint64(sec))
	dst = binary.BigEndian.AppendUint32(dst, nsec)
	dst = binary.BigEndian.AppendUint64(dst, r.Serial)
	dst = binary.BigEndian.AppendUint64(dst, r.Of)
	dst = binary.BigEndian.AppendUint32(dst, r.Count)
	dst = binary.BigEndian.AppendUint64(dst, r.Size)
	dst = append(dst, r.Digest[:]...)
	for i, p := range r.texts() {
		s := *p
		if len(s) > textFields[i].cap {
			s = cutText(s, textFields[i].cap)
			cut |= firstTextCut << i
		}
		dst = appendText(dst, s)
	}
	changed := r.Changed
	if len(changed) > MaxChanged {
		changed, cut = changed[:MaxChanged], cut|CutChanged
	}
	dst = binary.AppendUvarint(dst, uint64(len(changed)))
	for _, s := range changed {
		if len(s) > MaxWord {
			s, cut = cutText(s, MaxWord), cut|CutChanged
		}
		dst = appendText(dst, s)
	}
	facts, content := r.Facts, r.Content
	if len(facts) > MaxFacts {
		facts, cut = nil, cut|CutFacts
	}
	if len(content) > MaxContent {
		content, cut = nil, cut|CutContent
	}
	dst = append(binary.AppendUvarint(dst, uint64(len(facts))), facts...)
	dst = append(binary.AppendUvarint(dst, uint64(len(content))), content...)
	binary.BigEndian.PutUint32(dst[start+2:], uint32(cut))
	return dst
}

// encodedBound returns no less than the length of the encoding.
func encodedBound(r *Record) int {
	n := recordFixedBytes + (len(textFields)+3)*maxVarint
	for i, p := range r.texts() {
		n += min(len(*p), textFields[i].cap)
	}
	for _, s := range r.Changed[:min(len(r.Changed), MaxChanged)] {
		n += min(len(s), MaxWord) + maxVarint
	}
	if len(r.Facts) <= MaxFacts {
		n += len(r.Facts)
	}
	if len(r.Content) <= MaxContent {
		n += len(r.Content)
	}
	return n
}

func appendText(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

// cutText cuts s to at most limit bytes without splitting a character.
func cutText(s string, limit int) string {
	end := limit
	for end > limit-utf8.UTFMax && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}

func splitTime(t time.Time) (sec int64, nsec uint32) {
	sec = t.Unix()
	if sec < minSeconds || sec > maxSeconds {
		return minSeconds, 0
	}
	return sec, uint32(t.Nanosecond())
}

// patchTime sets the time in an encoded record.
func patchTime(encoded []byte, t time.Time) {
	sec, nsec := splitTime(t)
	binary.BigEndian.PutUint64(encoded[6:], uint64(sec))
	binary.BigEndian.PutUint32(encoded[14:], nsec)
}
