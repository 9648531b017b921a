package audit

import (
	"fmt"
	"time"
)

// Why says what is wrong with a log.
type Why uint8

// What can be wrong. The zero value is not used.
const (
	NoWhy          Why = iota
	Edited             // bytes changed: a checksum or a hash does not match
	Truncated          // bytes or records are missing at the end of a segment or of the log
	Swapped            // a record or file stands where another belongs
	MissingRecord      // the sequence jumps
	MissingFile        // a segment file is gone
	HeadMismatch       // the record a head was signed for is another one
	HeadBehind         // the head in the log directory is older than the one kept elsewhere
	NoHead             // no head proves the end
	WrongSignature     // a head or start is not signed by the key
	NodeMismatch       // it belongs to another node or another log
	Unreadable         // a file cannot be read, or is of an unknown form
	endOfWhys
)

var whyNames = [endOfWhys]string{
	"none", "edited", "truncated", "swapped", "missing record", "missing file",
	"head mismatch", "head behind", "no head", "wrong signature", "node mismatch", "unreadable",
}

// String returns the words for it.
func (w Why) String() string {
	if w < endOfWhys {
		return whyNames[w]
	}
	return fmt.Sprintf("why %d", uint8(w))
}

// maxProblems bounds what a report lists; more are counted.
const maxProblems = 100

// Problem is one thing that is wrong, at the first record that shows it.
type Problem struct {
	Why     Why
	Segment uint64 // number of the file, 0 when it is not about one
	Seq     uint64 // the record expected or found there, 0 when it is not about one
	Offset  int64  // in the segment
	Detail  string
}

// Error implements error.
func (p *Problem) Error() string { return p.String() }

// String tells the problem in one line.
func (p *Problem) String() string {
	s := p.Why.String()
	if p.Seq != 0 {
		s += fmt.Sprintf(": record %d", p.Seq)
	}
	if p.Segment != 0 {
		s += fmt.Sprintf(" (%s, offset %d)", segmentName(p.Segment), p.Offset)
	}
	return s + ": " + p.Detail
}

// Report is what Verify found.
type Report struct {
	Node     string
	Began    time.Time
	Segments int
	Records  uint64
	Bytes    int64
	FirstSeq uint64 // first record that must be there: 1, or later after Prune
	LastSeq  uint64
	LastHash Hash
	// Heads counts those that were checked. HeadSeq and HeadTime are those of the newest; records after it are
	// whole and chained, but nothing yet proves that none after them is missing.
	Heads     int
	HeadSeq   uint64
	HeadTime  time.Time
	AfterHead uint64
	// Torn counts bytes at the very end that belong to no whole record: a batch interrupted by a crash, or being written now.
	Torn int64
	// Problems lists what is wrong in the order of the log; More counts those left off.
	Problems []Problem
	More     int
}

// OK tells whether nothing is wrong.
func (r *Report) OK() bool { return len(r.Problems) == 0 }

// First returns the first problem, nil when there is none.
func (r *Report) First() *Problem {
	if len(r.Problems) == 0 {
		return nil
	}
	return &r.Problems[0]
}

func (r *Report) add(p Problem) {
	if len(r.Problems) >= maxProblems {
		r.More++
		return
	}
	r.Problems = append(r.Problems, p)
}
