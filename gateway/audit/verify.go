package audit

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"sallyport/internal/disk"
)

// maxHeadFile bounds a file of heads: a syslog file of a month of seconds fits.
const maxHeadFile = 1 << 30

// Verify checks the log in a directory against the heads in headFile (one or many lines of JSON, as a HeadSink wrote
// them) and the head in the directory itself. The error says that checking was not possible; what is wrong with the log
// is in the report. It may run while the log is written. Without headFile ("") the end is proved only by what the
// directory says of itself.
func Verify(dir, headFile string, key ed25519.PublicKey) (Report, error) {
	fs, err := disk.OpenDir(dir)
	if err != nil {
		return Report{}, fmt.Errorf("verify audit log: %w", err)
	}
	var heads []Statement
	if headFile != "" {
		heads, err = readHeads(headFile)
	}
	var r Report
	if err == nil {
		r, err = VerifyFS(fs, heads, key)
	}
	return r, errors.Join(err, fs.Close())
}

func readHeads(path string) ([]Statement, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxHeadFile {
		return nil, fmt.Errorf("%s: %w", path, disk.ErrTooLarge)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	heads, err := parseStatements(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return heads, nil
}

// VerifyFS is Verify for a log in fs and heads already read.
func VerifyFS(fs disk.FS, heads []Statement, key ed25519.PublicKey) (Report, error) {
	v := verifier{fs: fs, key: key, wanted: map[uint64][]Statement{}}
	// The heads are read before the segments: what a head speaks of is on disk when its line can be read.
	v.statements(heads)
	segments, err := listSegments(fs)
	if err != nil {
		return Report{}, err
	}
	if v.start != nil {
		first := v.start.Segment // older files are what an interrupted Prune left behind
		segments = slices.DeleteFunc(segments, func(s segmentFile) bool { return s.number < first })
	}
	for i, s := range segments {
		if err := v.segment(s, i == len(segments)-1); err != nil {
			return Report{}, err
		}
	}
	v.end(len(segments))
	return v.report(), nil
}

// verifier checks a whole log.
type verifier struct {
	checker
	fs     disk.FS
	key    ed25519.PublicKey
	start  *Statement
	heads  []Statement
	wanted map[uint64][]Statement // heads by their record, until it was seen
	newest *Statement
	next   uint64 // number of the next segment
}

// statements reads and checks the signatures of the start, the head in the directory and those given.
func (v *verifier) statements(given []Statement) {
	v.next = 1
	var err error
	if v.start, err = v.own(startName, StartStatement); err != nil {
		v.problem(WrongSignature, 0, "%s", err)
	}
	if s := v.start; s != nil {
		v.next = s.Segment
		v.node, v.began, v.named = s.Node, s.Began, true
		v.chain, v.seq, v.hash = s.Hash, s.Seq-1, s.Hash
	}
	v.known, v.placed = true, true
	v.checker.report.FirstSeq = v.seq + 1
	local, err := v.own(headName, HeadStatement)
	if err != nil {
		v.problem(WrongSignature, 0, "%s", err)
	}
	for i := range given {
		if h := &given[i]; h.Kind != HeadStatement || h.Verify(v.key) != nil {
			v.problem(WrongSignature, h.Seq, "the head given for this record is not signed by the key")
			continue
		}
		v.head(given[i])
	}
	if newest := v.newest; newest != nil && (local == nil || local.Seq < newest.Seq) {
		v.problem(HeadBehind, newest.Seq, "%s", behind(local))
	}
	if local != nil {
		v.head(*local)
	}
}

func behind(local *Statement) string {
	if local == nil {
		return "a head for this record was signed, but there is no head in the log directory"
	}
	return fmt.Sprintf("a head for this record was signed, but the one in the log directory says %d", local.Seq)
}

// own reads a statement of the directory; nil when there is none.
func (v *verifier) own(name string, kind StatementKind) (*Statement, error) {
	s, err := readStatement(v.fs, name)
	if err != nil || s == nil {
		return nil, err
	}
	if s.Kind != kind || s.Verify(v.key) != nil {
		return nil, fmt.Errorf("%s is not signed by the key", name)
	}
	return s, nil
}

// head adds a head whose signature is good.
func (v *verifier) head(h Statement) {
	v.checker.report.Heads++
	v.heads = append(v.heads, h)
	if n := len(v.wanted[h.Seq]); n == 0 || v.wanted[h.Seq][n-1].Hash != h.Hash {
		v.wanted[h.Seq] = append(v.wanted[h.Seq], h)
	}
	v.top = max(v.top, h.Seq)
	if v.newest == nil || h.Seq > v.newest.Seq || h.Seq == v.newest.Seq && h.Time.After(v.newest.Time) {
		v.newest = &h
	}
}

// segment checks the next file and, before it, that none is missing.
func (v *verifier) segment(s segmentFile, last bool) error {
	for v.next < s.number {
		v.number, v.at = v.next, 0
		v.problem(MissingFile, v.seq+1, "the file is gone")
		v.known, v.placed = false, false
		v.next++
		if s.number-v.next > maxProblems { // a forged name must not make this long
			v.next = s.number - maxProblems
		}
	}
	v.next = s.number + 1
	data, err := disk.ReadFile(v.fs, s.name, maxSegmentFile)
	if errors.Is(err, disk.ErrTooLarge) || errors.Is(err, disk.ErrNotExist) {
		v.number, v.at, v.known, v.placed = s.number, 0, false, false
		v.problem(Unreadable, v.seq+1, "%s", err)
		return nil
	}
	if err != nil {
		return err
	}
	v.visit = v.compare
	v.checker.segment(s.number, data, last)
	v.checker.report.Torn = v.torn
	return nil
}

// compare checks a record against the heads signed for it.
func (v *verifier) compare(_ int64, e entry) {
	for _, h := range v.wanted[e.seq] {
		if h.Hash != e.hash {
			v.problem(HeadMismatch, e.seq, "the head of %s was signed for another record", h.Time.Format(time.RFC3339))
		}
	}
	delete(v.wanted, e.seq)
}

// end checks the heads that no record answered.
func (v *verifier) end(segments int) {
	if segments == 0 {
		v.number, v.at = v.next, 0
		v.problem(MissingFile, v.seq+1, "there is no segment")
		return
	}
	at := v.number
	v.number = 0 // these are not about a place
	for _, h := range v.heads {
		if h.Node != v.node || !h.Began.Equal(v.began) {
			v.problem(NodeMismatch, h.Seq, "the head is of node %q, log begun %s", h.Node, h.Began.Format(time.RFC3339))
			break
		}
	}
	if v.checker.report.Heads == 0 {
		v.problem(NoHead, 0, "no head signed by the key was found: nothing proves where the log ends")
	}
	v.number = at
	if v.top > v.seq {
		v.problem(Truncated, v.seq+1, "the log ends with record %d, but a head was signed for record %d", v.seq, v.top)
	}
}

func (v *verifier) report() Report {
	r := v.checker.report
	r.Node, r.Began, r.LastSeq, r.LastHash = v.node, v.began, v.seq, v.hash
	if v.newest != nil {
		r.HeadSeq, r.HeadTime = v.newest.Seq, v.newest.Time
		if r.LastSeq > r.HeadSeq {
			r.AfterHead = r.LastSeq - r.HeadSeq
		}
	}
	return r
}
