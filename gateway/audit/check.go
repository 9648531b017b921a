package audit

import (
	"errors"
	"fmt"
	"time"

	"sallyport/internal/disk"
)

// checker follows the chain through the segments given to it in order. The zero value begins anywhere: it takes the
// first header for true, and whoever needs more (Verify) sets next, chain and known beforehand.
type checker struct {
	report Report

	node  string
	began time.Time
	chain Hash   // of the last entry
	known bool   // chain is that of the entry before; false at the beginning and after damage
	seq   uint64 // of the last record, or the one before the first
	hash  Hash   // of that record
	top   uint64 // highest record that a head proves durable

	named  bool // node and began are known
	placed bool // seq is known

	number uint64 // of the segment being checked
	first  uint64 // sequence its header names, 0 before the header
	at     int64  // where in it
	mark   uint32 // of its last frame
	end    int64  // of its good part
	torn   int64  // bytes after that
	data   []byte
	// visit, when set, sees each record that is where it belongs.
	visit func(offset int64, e entry)
}

func (c *checker) problem(why Why, seq uint64, format string, args ...any) {
	c.report.add(Problem{why, c.number, seq, c.at, fmt.Sprintf(format, args...)})
}

// segment checks one file. Only the last file of a log may end in a torn batch, and only after what a head proves.
func (c *checker) segment(number uint64, data []byte, last bool) {
	c.number, c.at, c.first, c.data, c.mark, c.torn = number, 0, 0, data, 0, 0
	before := len(c.report.Problems)
	found := disk.Scan(data, c.frame)
	switch {
	case found.Torn > 0 && last && c.seq >= c.top && c.at > 0:
		c.torn = found.Torn
	case found.Torn > 0:
		disk.ScanRest(data, found.End, c.frame)
		c.tail()
	default:
		c.tail()
	}
	c.end = c.at
	c.report.Segments++
	c.report.Bytes += int64(len(data))
	if c.first == 0 && len(c.report.Problems) == before {
		c.at = 0
		c.problem(Truncated, c.seq+1, "the segment has no header")
	}
	c.data = nil
}

// tail notes bytes after the last whole frame.
func (c *checker) tail() {
	rest := c.data[c.at:]
	if len(rest) == 0 {
		return
	}
	if _, _, err := disk.ParseFrame(rest); errors.Is(err, disk.ErrShort) {
		c.problem(Truncated, c.seq+1, "the segment ends inside a record")
		c.known, c.placed = false, false
		return
	}
	c.gap(int64(len(c.data)))
}

// frame checks one frame of the segment.
func (c *checker) frame(offset int64, f disk.Frame) {
	if offset > c.at {
		c.gap(offset)
	}
	c.mark = uint32(min(int64(f.Mark), offset)) // it is outside the chain
	e, err := parseEntry(f.Payload)
	switch {
	case err != nil || e.kind != headerEntry && e.kind != recordEntry:
		c.problem(Edited, c.seq+1, "not an entry")
		c.known = false
	case offset == 0 != (e.kind == headerEntry):
		c.problem(Edited, c.seq+1, "the header must be the first entry of a segment and only that")
		c.known = false
	case e.kind == headerEntry:
		c.header(e, f.Payload)
	default:
		c.record(e, f.Payload)
	}
	c.at = offset + disk.FrameHeaderBytes + int64(len(f.Payload))
}

// gap notes bytes from c.at to end that are no frame.
func (c *checker) gap(end int64) {
	c.problem(Edited, c.seq+1, "%d bytes from here on are not what was written: checksum or length is wrong", end-c.at)
	c.known, c.placed, c.at = false, false, end
}

func (c *checker) header(e entry, payload []byte) {
	h, rest, err := ParseHeader(e.body)
	if err != nil || len(rest) > 0 || h.First != e.seq || h.First == 0 {
		c.problem(Edited, 0, "segment header unreadable")
		c.known = false
		return
	}
	if h.Segment != c.number {
		c.problem(Swapped, h.First, "this file holds segment %d", h.Segment)
	}
	if !c.named {
		c.node, c.began, c.named = h.Node, h.Began, true
	}
	if !c.placed {
		c.seq, c.hash, c.placed = h.First-1, h.Before, true // a segment is only begun after a record
	}
	if h.Node != c.node || !h.Began.Equal(c.began) {
		c.problem(NodeMismatch, h.First, "segment belongs to node %q (log begun %s), the log to %q (begun %s)",
			h.Node, h.Began.Format(time.RFC3339), c.node, c.began.Format(time.RFC3339))
	}
	switch {
	case h.First > c.seq+1:
		c.problem(Truncated, c.seq+1, "records %d to %d are missing at the end of the segment before", c.seq+1, h.First-1)
	case h.First < c.seq+1:
		c.problem(Swapped, h.First, "record %d is expected next", c.seq+1)
	case c.known && h.Before != c.chain:
		c.problem(Edited, h.First, "the segment does not follow the one before it")
	}
	if !follows(payload, &h.Before) {
		c.problem(Edited, h.First, "segment header changed")
	}
	c.first, c.seq = h.First, h.First-1
	c.chain, c.known = e.hash, true
}

func (c *checker) record(e entry, payload []byte) {
	if !c.placed { // after damage
		c.seq, c.placed = max(e.seq, 1)-1, true
	}
	good := e.seq == c.seq+1
	switch {
	case good && c.known && !follows(payload, &c.chain):
		c.problem(Edited, e.seq, "the record does not match its hash or does not follow record %d", c.seq)
		good = false
	case e.seq > c.seq+1 && c.later(c.seq+1):
		c.problem(Swapped, c.seq+1, "record %d stands in its place", e.seq)
	case e.seq > c.seq+1:
		c.problem(MissingRecord, c.seq+1, "record %d follows record %d", e.seq, c.seq)
	case e.seq <= c.seq:
		c.problem(Swapped, e.seq, "record %d is expected here", c.seq+1)
	}
	if _, rest, err := ParseRecord(e.body); err != nil || len(rest) > 0 {
		c.problem(Unreadable, e.seq, "not a record of a known version")
		good = false
	}
	c.report.Records++
	c.seq, c.hash = e.seq, e.hash
	c.chain, c.known = e.hash, true
	if good && c.visit != nil {
		c.visit(c.at, e)
	}
}

// later tells whether the record with this sequence stands further on in the segment.
func (c *checker) later(seq uint64) bool {
	rest := c.data[c.at:]
	for len(rest) > 0 {
		f, after, err := disk.ParseFrame(rest)
		if err != nil {
			return false
		}
		if e, err := parseEntry(f.Payload); err == nil && e.kind == recordEntry && e.seq == seq {
			return true
		}
		rest = after
	}
	return false
}
