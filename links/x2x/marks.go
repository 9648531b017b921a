package x2x

import (
	"encoding/binary"

	"sallyport/links"
)

// Acknowledgements as a record: a byte with a bit for each lane, the lowest for lane 0, then for each of these lanes its number as a
// varint, the lowest lane first. The epoch is the one that the greeting of who is acknowledged has said.

// appendMarks appends the body. The marks are of different lanes, in their order, as custody.Carried gives them.
func appendMarks(dst []byte, marks []links.Mark) []byte {
	at := len(dst)
	dst = append(dst, 0)
	for _, m := range marks {
		dst[at] |= 1 << m.Lane
		dst = binary.AppendUvarint(dst, m.Number)
	}
	return dst
}

// parseMarks reads it. There is one way to write a set of marks: no lane that does not exist, no number zero, no varint longer than it
// needs to be, nothing behind the last.
func parseMarks(b []byte, epoch uint64) (marks []links.Mark, ok bool) {
	if len(b) == 0 || b[0] == 0 || b[0]>>links.Lanes != 0 {
		return nil, false
	}
	lanes := b[0]
	b = b[1:]
	for lane := range uint8(links.Lanes) {
		if lanes&(1<<lane) == 0 {
			continue
		}
		number, n := binary.Uvarint(b)
		if n <= 0 || number == 0 || n > 1 && b[n-1] == 0 {
			return nil, false
		}
		marks = append(marks, links.Mark{Epoch: epoch, Lane: lane, Number: number})
		b = b[n:]
	}
	return marks, len(b) == 0
}
