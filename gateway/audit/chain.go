package audit

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"
)

// Hash is one link of the chain.
type Hash = [sha256.Size]byte

// kinds of entry in a frame.
const (
	headerEntry = 'H'
	recordEntry = 'R'
)

// entryPrefix is hash, sequence and kind.
const entryPrefix = sha256.Size + 8 + 1

// beginEntry appends the prefix of an entry whose hash is still that of the entry before: sealEntry hashes it in place.
func beginEntry(dst []byte, before *Hash, seq uint64, kind byte) []byte {
	dst = append(dst, before[:]...)
	dst = binary.BigEndian.AppendUint64(dst, seq)
	return append(dst, kind)
}

// sealEntry replaces the hash before by the hash of the entry, and returns it.
func sealEntry(payload []byte) Hash {
	h := sha256.Sum256(payload)
	copy(payload, h[:])
	return h
}

// entry is a parsed payload.
type entry struct {
	hash Hash
	seq  uint64
	kind byte
	body []byte
}

func parseEntry(payload []byte) (entry, error) {
	if len(payload) < entryPrefix {
		return entry{}, fmt.Errorf("%w: entry too short", ErrRecord)
	}
	return entry{
		hash: Hash(payload),
		seq:  binary.BigEndian.Uint64(payload[sha256.Size:]),
		kind: payload[entryPrefix-1],
		body: payload[entryPrefix:],
	}, nil
}

// follows tells whether the payload carries the hash it must have after before.
func follows(payload []byte, before *Hash) bool {
	h := sha256.New()
	h.Write(before[:])
	h.Write(payload[sha256.Size:])
	var sum Hash
	return Hash(h.Sum(sum[:0])) == Hash(payload)
}

// Header is the first entry of a segment. It is part of the chain like a record.
type Header struct {
	Segment uint64 // number of the file
	First   uint64 // sequence of the first record
	Before  Hash   // of the last entry of the segment before, zero for the first
	Began   time.Time
	Created time.Time
	Node    string
	Policy  string // version active when the segment was begun
}

const (
	headerVersion    = 1
	headerFixedBytes = 1 + 8 + 8 + sha256.Size + 12 + 12
	headerMaxBytes   = headerFixedBytes + 2*(MaxWord+maxVarint)
)

// AppendHeader appends the encoding of a segment header.
func AppendHeader(dst []byte, h *Header) []byte {
	dst = append(dst, headerVersion)
	dst = binary.BigEndian.AppendUint64(dst, h.Segment)
	dst = binary.BigEndian.AppendUint64(dst, h.First)
	dst = append(dst, h.Before[:]...)
	dst = appendTime(dst, h.Began)
	dst = appendTime(dst, h.Created)
	for _, s := range [...]string{h.Node, h.Policy} {
		if len(s) > MaxWord {
			s = cutText(s, MaxWord)
		}
		dst = appendText(dst, s)
	}
	return dst
}

// ParseHeader reads the header at the beginning of b and returns what follows it.
func ParseHeader(b []byte) (Header, []byte, error) {
	if len(b) < headerFixedBytes || b[0] != headerVersion {
		return Header{}, nil, fmt.Errorf("%w: segment header too short or of unknown version", ErrRecord)
	}
	h := Header{
		Segment: binary.BigEndian.Uint64(b[1:]),
		First:   binary.BigEndian.Uint64(b[9:]),
		Before:  Hash(b[17:]),
	}
	d := decoder{rest: b[headerFixedBytes:]}
	h.Began, h.Created = d.time(b[49:61]), d.time(b[61:73])
	h.Node, h.Policy = string(d.bytes(MaxWord)), string(d.bytes(MaxWord))
	if d.failed {
		return Header{}, nil, fmt.Errorf("%w: segment header out of bounds", ErrRecord)
	}
	return h, d.rest, nil
}

func appendTime(dst []byte, t time.Time) []byte {
	sec, nsec := splitTime(t)
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint64(dst, uint64(sec)), nsec)
}
