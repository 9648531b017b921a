package audit

import (
	"fmt"
	"iter"
	"strings"
	"time"

	"sallyport/internal/disk"
)

// Entry is a record with its place in the log.
type Entry struct {
	Seq     uint64
	Segment uint64
	Offset  int64
	Hash    Hash
	Record
}

// Filter selects records. Zero fields select all; a record must match every other.
type Filter struct {
	FirstSeq, LastSeq uint64
	// Since and Until bound the time, Until excluded. All segments are read for it: time does not order the log.
	Since, Until time.Time
	Kind         Kind
	Peer         string // of either side
	Link         string
	Address      string // either address: the whole, its bare form, or its domain
	Outcome      string
	Stage        string
	Rule         string
	Ref          string
}

// Matches tells whether the filter selects the entry.
func (f *Filter) Matches(e *Entry) bool {
	return e.Seq >= f.FirstSeq && (f.LastSeq == 0 || e.Seq <= f.LastSeq) &&
		(f.Since.IsZero() || !e.Time.Before(f.Since)) && (f.Until.IsZero() || e.Time.Before(f.Until)) &&
		(f.Kind == NoKind || e.Kind == f.Kind) &&
		(f.Peer == "" || e.FromPeer == f.Peer || e.ToPeer == f.Peer) &&
		(f.Link == "" || e.Link == f.Link) &&
		(f.Address == "" || isAt(e.From, f.Address) || isAt(e.To, f.Address)) &&
		(f.Outcome == "" || e.Outcome == f.Outcome) &&
		(f.Stage == "" || e.Stage == f.Stage) &&
		(f.Rule == "" || e.Rule == f.Rule) &&
		(f.Ref == "" || e.Ref == f.Ref)
}

// isAt tells whether address is want, or belongs to the bare address or domain want.
func isAt(address, want string) bool {
	if address == want {
		return true
	}
	bare, _, _ := strings.Cut(address, "/")
	_, domain, found := strings.Cut(bare, "@")
	return bare == want || found && domain == want
}

// Read yields the records that the filter selects, in the order of the log. Where the log is damaged it yields a *Problem
// in place of the record and goes on; any other error ends it. It may run while the log is written.
func Read(fs disk.FS, f Filter) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		segments, err := listSegments(fs)
		if err != nil {
			yield(Entry{}, err)
			return
		}
		segments = skipBefore(fs, segments, f.FirstSeq)
		r := reader{filter: f, yield: yield}
		r.visit = r.entry
		for i, s := range segments {
			data, err := disk.ReadFile(fs, s.name, maxSegmentFile)
			if err != nil {
				yield(Entry{}, fmt.Errorf("%s: %w", s.name, err))
				return
			}
			if len(data) == 0 && i > 0 && i == len(segments)-1 {
				return // a running log has just made it and writes its header next
			}
			r.segment(s.number, data, i == len(segments)-1)
			r.problems()
			if r.stopped || f.LastSeq != 0 && r.seq >= f.LastSeq {
				return
			}
		}
	}
}

// ReadDir is Read for a directory.
func ReadDir(dir string, f Filter) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		fs, err := disk.OpenDir(dir)
		if err != nil {
			yield(Entry{}, err)
			return
		}
		defer func() { _ = fs.Close() }() // only read from
		Read(fs, f)(yield)
	}
}

// reader is a checker that yields.
type reader struct {
	checker
	filter  Filter
	yield   func(Entry, error) bool
	stopped bool
}

// entry yields one good record, after the problems found before it.
func (r *reader) entry(offset int64, e entry) {
	r.problems()
	rec, _, err := ParseRecord(e.body)
	if r.stopped || err != nil { // the checker parsed it before and noted a problem
		return
	}
	if rec.Node == "" {
		rec.Node = r.node
	}
	out := Entry{Seq: e.seq, Segment: r.number, Offset: offset, Hash: e.hash, Record: rec}
	if r.filter.Matches(&out) {
		r.stopped = !r.yield(out, nil)
	}
}

func (r *reader) problems() {
	for i := range r.report.Problems {
		if !r.stopped {
			r.stopped = !r.yield(Entry{}, &r.report.Problems[i])
		}
	}
	r.report.Problems = nil
}

// skipBefore leaves out the segments that end before the record, as the header of the next one tells. Where a header
// cannot be read nothing is left out.
func skipBefore(fs disk.FS, segments []segmentFile, seq uint64) []segmentFile {
	for len(segments) > 1 && seq > 1 {
		first, ok := firstOf(fs, segments[1].name)
		if !ok || first > seq {
			break
		}
		segments = segments[1:]
	}
	return segments
}

// firstOf reads the first sequence from the header of a segment.
func firstOf(fs disk.FS, name string) (uint64, bool) {
	r, err := fs.Open(name)
	if err != nil {
		return 0, false
	}
	defer func() { _ = r.Close() }() // only read from
	start := make([]byte, headerBound)
	n, _ := r.ReadAt(start, 0) // what is not there does not parse
	f, _, err := disk.ParseFrame(start[:n])
	if err != nil {
		return 0, false
	}
	e, err := parseEntry(f.Payload)
	return e.seq, err == nil && e.kind == headerEntry
}
