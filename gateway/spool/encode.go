package spool

import (
	"encoding/binary"
	"errors"
	"time"

	"sallyport/internal/xmpp/jid"
)

// ErrRecord is wrapped by every error of ParseRecord.
var ErrRecord = errors.New("not a spool record")

// recordKind is the first byte of every frame.
type recordKind uint8

const (
	noRecord       recordKind = iota
	headerRecord              // Header
	entryRecord               // Entry
	endRecord                 // Ends
	sendingRecord             // Numbers
	returnedRecord            // Numbers
	markRecord                // Mark
	mergeRecord               // Number, Into, To, Mark
	forgetRecord              // Mark.Peer, Mark.Epoch: only this epoch is kept
	epochRecord               // Header.Epoch, Header.Next
	numRecords
)

const (
	formVersion  = 1
	maxJIDBytes  = 3071 // RFC 7622 §3.1
	maxNumbers   = 4096 // in one record
	maxWireBytes = 16 << 20
)

// Header begins a segment.
type Header struct {
	Life    uint64 // identifies the log; segments of another do not belong here
	Epoch   uint64
	Segment uint64
	Next    Number // no entry in an older segment has this number or a higher one
	Created time.Time
}

// Record is one frame of the log. Which fields count follows from its kind.
type Record struct {
	kind    recordKind
	header  Header
	entry   Entry
	moved   bool // the entry was copied from an older segment; it changes no mark
	ends    []End
	numbers []Number
	mark    Mark
	number  Number
	into    Number
	to      jid.JID
	marked  bool
}

// AppendRecord appends the encoding of r to dst.
func AppendRecord(dst []byte, r *Record) []byte {
	dst = append(dst, byte(r.kind))
	switch r.kind {
	case noRecord, numRecords:
	case headerRecord:
		dst = append(dst, formVersion)
		dst = binary.BigEndian.AppendUint64(dst, r.header.Life)
		dst = binary.BigEndian.AppendUint64(dst, r.header.Epoch)
		dst = binary.AppendUvarint(dst, r.header.Segment)
		dst = binary.AppendUvarint(dst, uint64(r.header.Next))
		dst = appendTime(dst, r.header.Created)
	case entryRecord:
		dst = appendEntry(dst, &r.entry, r.moved)
	case endRecord:
		dst = appendEnds(dst, r.ends)
	case sendingRecord, returnedRecord:
		dst = binary.AppendUvarint(dst, uint64(len(r.numbers)))
		for _, n := range r.numbers {
			dst = binary.AppendUvarint(dst, uint64(n))
		}
	case markRecord:
		dst = appendMark(dst, &r.mark)
	case mergeRecord:
		dst = binary.AppendUvarint(dst, uint64(r.number))
		dst = binary.AppendUvarint(dst, uint64(r.into))
		dst = appendString(dst, r.to.String())
		dst = appendFlag(dst, r.marked)
		if r.marked {
			dst = appendMark(dst, &r.mark)
		}
	case forgetRecord:
		dst = appendString(dst, r.mark.Peer)
		dst = binary.BigEndian.AppendUint64(dst, r.mark.Epoch)
	case epochRecord:
		dst = binary.BigEndian.AppendUint64(dst, r.header.Epoch)
		dst = binary.AppendUvarint(dst, uint64(r.header.Next))
	}
	return dst
}

// Flags of an entry.
const (
	flagMoved = 1 << iota
	flagSending
	flagFleeting
	flagMark
	flagLatest
	flagCopy
	flagAccepted
	flagExpires
)

func appendEntry(dst []byte, e *Entry, moved bool) []byte {
	var flags byte
	for i, on := range [...]bool{
		moved, e.Sending, e.Fleeting, e.Mark != nil, e.Latest != Key{}, e.Copy != Key{},
		!e.Accepted.IsZero(), !e.Expires.IsZero(),
	} {
		if on {
			flags |= 1 << i
		}
	}
	dst = append(dst, flags, byte(e.Class), byte(e.Kind))
	dst = binary.AppendUvarint(dst, uint64(e.Number))
	dst = appendString(dst, e.Peer)
	for _, j := range [...]jid.JID{e.Local, e.Remote, e.To} {
		dst = appendString(dst, j.String())
	}
	dst = binary.BigEndian.AppendUint64(dst, e.Conversation)
	dst = binary.AppendUvarint(dst, uint64(e.Bytes))
	dst = binary.AppendUvarint(dst, uint64(e.Attempts))
	if flags&flagAccepted != 0 {
		dst = appendTime(dst, e.Accepted)
	}
	if flags&flagExpires != 0 {
		dst = appendTime(dst, e.Expires)
	}
	if flags&flagMark != 0 {
		dst = appendMark(dst, e.Mark)
	}
	if flags&flagLatest != 0 {
		dst = append(dst, e.Latest[:]...)
	}
	if flags&flagCopy != 0 {
		dst = append(dst, e.Copy[:]...)
	}
	dst = binary.AppendUvarint(dst, uint64(len(e.Also)))
	for _, j := range e.Also {
		dst = appendString(dst, j.String())
	}
	dst = appendEnds(dst, e.Ends)
	return append(dst, e.Stored...)
}

func appendEnds(dst []byte, ends []End) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(ends)))
	for _, e := range ends {
		dst = binary.AppendUvarint(dst, uint64(e.Number))
		dst = append(dst, byte(e.How))
	}
	return dst
}

func appendMark(dst []byte, m *Mark) []byte {
	dst = appendString(dst, m.Peer)
	dst = binary.BigEndian.AppendUint64(dst, m.Epoch)
	dst = append(dst, m.Lane)
	return binary.AppendUvarint(dst, m.Number)
}

func appendString(dst []byte, s string) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(s)))
	return append(dst, s...)
}

func appendFlag(dst []byte, on bool) []byte {
	if on {
		return append(dst, 1)
	}
	return append(dst, 0)
}

// appendTime writes nanoseconds since 1970, which serve until 2262.
func appendTime(dst []byte, t time.Time) []byte {
	return binary.BigEndian.AppendUint64(dst, uint64(t.UnixNano()))
}
