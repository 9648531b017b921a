package audit_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"testing"

	"sallyport/gateway/audit"
	"sallyport/internal/disk"
	"sallyport/internal/disk/faulty"
)

// tampered is a log of 60 records in several segments, and its head kept elsewhere.
type tampered struct {
	fs      *faulty.FS
	head    audit.Statement
	entries []audit.Entry // by sequence - 1
}

func newTampered(t testing.TB) *tampered {
	t.Helper()
	s := &tampered{fs: faulty.New()}
	l := openLog(t, s.fs, nil)
	fill(t, l, newTold(), 60)
	closeLog(t, l)
	for e, err := range audit.Read(s.fs, audit.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		s.entries = append(s.entries, e)
	}
	head, err := audit.ParseStatement(s.fs.Contents("head.json"))
	if err != nil || len(s.entries) != 60 || len(segments(s.fs)) < 3 {
		t.Fatalf("%d records in %v; %v", len(s.entries), segments(s.fs), err)
	}
	s.head = head
	return s
}

// at returns the segment of a record, its contents, and where the record begins and ends in it.
func (s *tampered) at(seq uint64) (name string, data []byte, from, to int64) {
	e := s.entries[seq-1]
	name = segments(s.fs)[e.Segment-1]
	data = s.fs.Contents(name)
	return name, data, e.Offset, e.Offset + disk.FrameHeaderBytes + int64(binary.BigEndian.Uint32(data[e.Offset:]))
}

// forge changes a record with change and gives it a right checksum again.
func (s *tampered) forge(seq uint64, change func(payload []byte)) {
	name, data, from, to := s.at(seq)
	f, _, err := disk.ParseFrame(data[from:to])
	if err != nil {
		return
	}
	payload := bytes.Clone(f.Payload)
	change(payload)
	copy(data[from:], disk.AppendFrame(nil, disk.Frame{Mark: f.Mark, Payload: payload}))
	s.fs.SetContents(name, data)
}

// rechain gives every record of a segment from seq on a right hash again, as one who knows the format could.
func (s *tampered) rechain(seq uint64) {
	name, data, from, _ := s.at(seq)
	before := s.entries[seq-2].Hash
	for int(from) < len(data) {
		f, rest, err := disk.ParseFrame(data[from:])
		if err != nil {
			return
		}
		payload := bytes.Clone(f.Payload)
		copy(payload, before[:])
		before = sha256.Sum256(payload)
		copy(payload, before[:])
		copy(data[from:], disk.AppendFrame(nil, disk.Frame{Mark: f.Mark, Payload: payload}))
		from = int64(len(data) - len(rest))
	}
	s.fs.SetContents(name, data)
}

func (s *tampered) swap(a, b uint64) {
	name, data, fromA, toA := s.at(a)
	_, _, fromB, toB := s.at(b)
	out := append([]byte{}, data[:fromA]...)
	out = append(out, data[fromB:toB]...)
	out = append(out, data[toA:fromB]...)
	out = append(out, data[fromA:toA]...)
	s.fs.SetContents(name, append(out, data[toB:]...))
}

// P13: last segment truncated; a record edited; two swapped; file deleted: the verifier names the first bad record.
func TestP13Verify(t *testing.T) {
	flip := func(payload []byte) { payload[60] ^= 1 } // in its serial number
	tests := []struct {
		name   string
		tamper func(s *tampered)
		why    audit.Why
		seq    uint64
	}{
		{"last segment cut inside a record", func(s *tampered) {
			name, data, _, to := s.at(58)
			s.fs.SetContents(name, data[:to-5])
		}, audit.Truncated, 58},
		{"last segment cut between records", func(s *tampered) {
			name, data, from, _ := s.at(58)
			s.fs.SetContents(name, data[:from])
		}, audit.Truncated, 58},
		{"segment in the middle cut between records", func(s *tampered) {
			name, data, from, _ := s.at(lastOf(s, 2))
			s.fs.SetContents(name, data[:from])
		}, audit.Truncated, 0},
		{"segment in the middle cut inside a record", func(s *tampered) {
			name, data, _, to := s.at(lastOf(s, 2))
			s.fs.SetContents(name, data[:to-1])
		}, audit.Truncated, 0},
		{"byte of a record flipped", func(s *tampered) {
			name, data, _, to := s.at(20)
			data[to-1] ^= 1
			s.fs.SetContents(name, data)
		}, audit.Edited, 20},
		{"byte of the very last record flipped", func(s *tampered) {
			name, data, _, to := s.at(60)
			data[to-1] ^= 1
			s.fs.SetContents(name, data)
		}, audit.Edited, 60},
		{"length of a record changed", func(s *tampered) {
			name, data, from, _ := s.at(20)
			data[from+3]++
			s.fs.SetContents(name, data)
		}, audit.Edited, 20},
		{"record edited, checksum right", func(s *tampered) { s.forge(20, flip) }, audit.Edited, 20},
		{"last record edited, checksum right", func(s *tampered) { s.forge(60, flip) }, audit.Edited, 60},
		{"record edited, its hash right", func(s *tampered) {
			s.forge(20, func(p []byte) {
				flip(p)
				copy(p, s.entries[18].Hash[:])
				h := sha256.Sum256(p)
				copy(p, h[:])
			})
		}, audit.Edited, 21},
		{"last segment rewritten from a record on", func(s *tampered) {
			s.forge(58, flip)
			s.rechain(58)
		}, audit.HeadMismatch, 60},
		{"number of a record changed", func(s *tampered) {
			s.forge(20, func(p []byte) { p[sha256.Size+7]++ })
		}, audit.MissingRecord, 20},
		{"two neighbours swapped", func(s *tampered) { s.swap(20, 21) }, audit.Swapped, 20},
		{"two others swapped", func(s *tampered) { s.swap(18, 21) }, audit.Swapped, 18},
		{"record removed", func(s *tampered) {
			name, data, from, to := s.at(20)
			s.fs.SetContents(name, append(data[:from:from], data[to:]...))
		}, audit.MissingRecord, 20},
		{"record repeated", func(s *tampered) {
			name, data, from, to := s.at(20)
			out := append(bytes.Clone(data[:to]), data[from:]...)
			s.fs.SetContents(name, out)
		}, audit.Swapped, 20},
		{"segment header edited", func(s *tampered) {
			name := segments(s.fs)[1]
			data := s.fs.Contents(name)
			f, rest, _ := disk.ParseFrame(data)
			payload := bytes.Clone(f.Payload)
			payload[len(payload)-1] ^= 1
			s.fs.SetContents(name, append(disk.AppendFrame(nil, disk.Frame{Payload: payload}), rest...))
		}, audit.Edited, 0},
		{"first file deleted", func(s *tampered) { s.fs.SetContents(segments(s.fs)[0], nil) }, audit.MissingFile, 1},
		{"file in the middle deleted", func(s *tampered) { s.fs.SetContents(segments(s.fs)[1], nil) }, audit.MissingFile, 0},
		{"last file deleted", func(s *tampered) { s.fs.SetContents(lastSegment(s.fs), nil) }, audit.Truncated, 0},
		{"last file emptied", func(s *tampered) { s.fs.SetContents(lastSegment(s.fs), []byte{}) }, audit.Truncated, 0},
		{"all files deleted", func(s *tampered) {
			for _, name := range segments(s.fs) {
				s.fs.SetContents(name, nil)
			}
		}, audit.MissingFile, 1},
		{"two files swapped", func(s *tampered) {
			a, b := segments(s.fs)[1], segments(s.fs)[2]
			dataA, dataB := s.fs.Contents(a), s.fs.Contents(b)
			s.fs.SetContents(a, dataB)
			s.fs.SetContents(b, dataA)
		}, audit.Swapped, 0},
		{"head of the directory forged", func(s *tampered) {
			s.fs.SetContents("head.json", bytes.Replace(s.fs.Contents("head.json"), []byte(`"seq":60`), []byte(`"seq":59`), 1))
		}, audit.WrongSignature, 0},
		{"whole log set back", func(s *tampered) {
			old := faulty.New()
			l := openLog(t, old, nil)
			closeLog(t, l)
			for _, name := range segments(s.fs) {
				s.fs.SetContents(name, nil)
			}
			for _, name := range list(old) {
				s.fs.SetContents(name, old.Contents(name))
			}
		}, audit.HeadBehind, 60},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newTampered(t)
			if r := verify(t, s.fs, s.head); !r.OK() {
				t.Fatalf("before: %v", r.First())
			}
			tt.tamper(s)
			r := verify(t, s.fs, s.head)
			p := r.First()
			if p == nil || p.Why != tt.why || tt.seq != 0 && p.Seq != tt.seq {
				t.Fatalf("got %v, want %v at record %d", p, tt.why, tt.seq)
			}
			if tt.seq != 0 && p.Segment != 0 && p.Why != audit.MissingFile {
				if e := s.entries[tt.seq-1]; p.Segment != e.Segment {
					t.Errorf("%v: record is in segment %d", p, e.Segment)
				}
			}
		})
	}
}

// lastOf returns the last record of a segment.
func lastOf(s *tampered, segment uint64) uint64 {
	last := uint64(0)
	for _, e := range s.entries {
		if e.Segment == segment {
			last = e.Seq
		}
	}
	return last
}

func TestVerifyHeads(t *testing.T) {
	s := newTampered(t)
	another := newTampered(t)
	forged := s.head
	forged.Seq++
	tests := []struct {
		name  string
		heads []audit.Statement
		local bool // leave the head of the directory
		why   audit.Why
	}{
		{"both", []audit.Statement{s.head}, true, audit.NoWhy},
		{"only in the directory", nil, true, audit.NoWhy},
		{"none", nil, false, audit.NoHead},
		{"directory lost its head", []audit.Statement{s.head}, false, audit.HeadBehind},
		{"forged", []audit.Statement{forged}, true, audit.WrongSignature},
		{"of another log", []audit.Statement{another.head}, true, audit.HeadMismatch},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fs := s.fs.Copy()
			if !tt.local {
				fs.SetContents("head.json", nil)
			}
			r := verify(t, fs, tt.heads...)
			why := audit.NoWhy
			if p := r.First(); p != nil {
				why = p.Why
			}
			if why != tt.why {
				t.Errorf("got %v (%v), want %v", why, r.First(), tt.why)
			}
		})
	}
}

func TestVerifyReportsRecordsAfterTheHead(t *testing.T) {
	fs := faulty.New()
	l, d := openLog(t, fs, nil), newTold()
	d.settled = make(chan uint64, 100)
	fill(t, l, d, 15)
	for <-d.settled < 15 {
		continue
	}
	copied := fs.Copy() // as after kill -9: the last head is that of Open
	closeLog(t, l)
	r := verify(t, copied)
	if !r.OK() || r.HeadSeq != 0 || r.AfterHead != 15 {
		t.Errorf("%+v", r)
	}
}

// P13: disk full; fsync EIO: no release, acceptance refused, alarm.
func TestP13Failures(t *testing.T) {
	onSegment := func(k faulty.Kind, f faulty.Fault) faulty.Plan {
		return func(op faulty.Op) faulty.Fault {
			if op.Kind == k && op.Name != "head.json.new" {
				return f
			}
			return faulty.Fault{}
		}
	}
	tests := []struct {
		name  string
		plan  faulty.Plan
		cause error
	}{
		{"sync EIO", onSegment(faulty.Sync, faulty.Fault{Err: faulty.ErrIO}), faulty.ErrIO},
		{"write EIO", onSegment(faulty.Write, faulty.Fault{Err: faulty.ErrIO}), faulty.ErrIO},
		{"short write ENOSPC", onSegment(faulty.Write, faulty.Fault{Err: faulty.ErrFull, Short: 100}), faulty.ErrFull},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fs := faulty.New()
			l, d := openLog(t, fs, nil), newTold()
			d.settled = make(chan uint64, 100)
			fill(t, l, d, 1)
			<-d.settled
			fs.SetPlan(tt.plan)
			if _, err := l.Append(numbered(2, 0), d, 1002); err != nil {
				t.Fatalf("the failure cannot be known yet: %v", err)
			}
			<-d.settled
			<-l.Failed()
			fs.SetPlan(nil) // the disk works again; the log must not
			_, err := l.Append(numbered(3, 0), d, 1003)
			for _, err := range []error{err, d.bad[2], l.Err(), l.Stats().Err} {
				if !errors.Is(err, audit.ErrFailed) || !errors.Is(err, tt.cause) {
					t.Errorf("got %v, want ErrFailed with %v", err, tt.cause)
				}
			}
			if err := l.Close(); !errors.Is(err, audit.ErrFailed) {
				t.Errorf("close: %v", err)
			}
			if len(d.good) != 1 || !d.good[1] {
				t.Errorf("told of %v", d.good)
			}
			d.check(t)
		})
	}
}

// P13, disk full: the size limit of the log acts before the disk is full.
func TestP13Full(t *testing.T) {
	fs := faulty.New()
	const limit = 20_000
	l, d := openLog(t, fs, func(o *audit.Options) { o.MaxBytes = limit }), newTold()
	var err error
	for n := uint64(1); err == nil; n++ {
		_, err = l.Append(numbered(n, 0), d, n+1000)
	}
	if !errors.Is(err, audit.ErrFull) {
		t.Fatal(err)
	}
	<-l.Failed()
	s := l.Stats()
	closeLog(t, l)
	if uint64(len(d.good)) != s.Appended || s.Appended == 0 {
		t.Errorf("%d of %d records became durable", len(d.good), s.Appended)
	}
	if used := sizes(t, fs); used > limit || used < limit*3/4 {
		t.Errorf("%d bytes used of %d", used, limit)
	}
	if r := verify(t, fs); !r.OK() {
		t.Error(r.First())
	}
	// Opened again it is still full.
	l = openLog(t, fs, func(o *audit.Options) { o.MaxBytes = limit })
	if _, err := l.Append(numbered(0, 500), nil, 0); !errors.Is(err, audit.ErrFull) {
		t.Errorf("after opening again: %v", err)
	}
	closeLog(t, l)
}

func sizes(t *testing.T, fs disk.FS) (sum int64) {
	t.Helper()
	infos, err := fs.List()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range infos {
		if f.Name != "head.json" {
			sum += f.Size
		}
	}
	return sum
}
