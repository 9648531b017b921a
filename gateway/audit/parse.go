package audit

import (
	"encoding/binary"
	"fmt"
	"time"
)

// ParseRecord reads the record at the beginning of b and returns what follows it. The record shares no memory with b.
func ParseRecord(b []byte) (Record, []byte, error) {
	if len(b) < recordFixedBytes {
		return Record{}, nil, fmt.Errorf("%w: too short", ErrRecord)
	}
	if b[0] != recordVersion {
		return Record{}, nil, fmt.Errorf("%w: version %d is unknown to this program", ErrRecord, b[0])
	}
	r := Record{
		Kind:   Kind(b[1]),
		Cut:    Cut(binary.BigEndian.Uint32(b[2:])),
		Serial: binary.BigEndian.Uint64(b[18:]),
		Of:     binary.BigEndian.Uint64(b[26:]),
		Count:  binary.BigEndian.Uint32(b[34:]),
		Size:   binary.BigEndian.Uint64(b[38:]),
		Digest: [32]byte(b[46:]),
	}
	if r.Kind == NoKind || r.Kind >= endOfKinds {
		return Record{}, nil, fmt.Errorf("%w: kind %d is unknown to this program", ErrRecord, b[1])
	}
	d := decoder{rest: b[recordFixedBytes:]}
	r.Time = d.time(b[6:18])
	for i, p := range r.texts() {
		*p = string(d.bytes(textFields[i].cap))
	}
	if n := d.length(MaxChanged); n > 0 {
		r.Changed = make([]string, n)
		for i := range r.Changed {
			r.Changed[i] = string(d.bytes(MaxWord))
		}
	}
	r.Facts = append(r.Facts, d.bytes(MaxFacts)...)
	r.Content = append(r.Content, d.bytes(MaxContent)...)
	if d.failed {
		return Record{}, nil, fmt.Errorf("%w: a field is out of bounds", ErrRecord)
	}
	return r, d.rest, nil
}

// decoder reads fields from rest; once failed it returns zero values.
type decoder struct {
	rest   []byte
	failed bool
}

// length reads a length of at most limit in its shortest form.
func (d *decoder) length(limit int) int {
	n, used := binary.Uvarint(d.rest)
	if d.failed || used <= 0 || n > uint64(limit) || used > 1 && n < 1<<(7*(used-1)) {
		d.failed = true
		return 0
	}
	d.rest = d.rest[used:]
	return int(n)
}

func (d *decoder) bytes(limit int) []byte {
	n := d.length(limit)
	if n > len(d.rest) {
		d.failed = true
	}
	if d.failed {
		return nil
	}
	b := d.rest[:n]
	d.rest = d.rest[n:]
	return b
}

// time reads seconds (8) and nanoseconds (4) from b.
func (d *decoder) time(b []byte) time.Time {
	sec, nsec := int64(binary.BigEndian.Uint64(b)), binary.BigEndian.Uint32(b[8:])
	if sec < minSeconds || sec > maxSeconds || nsec >= 1e9 {
		d.failed = true
		return time.Time{}
	}
	return time.Unix(sec, int64(nsec)).UTC()
}
