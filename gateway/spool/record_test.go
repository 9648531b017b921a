package spool

import (
	"bytes"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/disk"
	"sallyport/internal/disk/faulty"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
)

// records are one of each kind, with every field in use somewhere.
func records() map[string]Record {
	at := time.Date(2026, 3, 1, 12, 0, 0, 5, time.UTC)
	mark := Mark{"far", 0xfeed, 3, 77}
	a, b := jid.MustParse("a.example"), jid.MustParse("b.example")
	full := Entry{
		Number: 12, Peer: "p", Class: Flash, Local: a, Remote: b, To: jid.MustParse("x@b.example/r"), Kind: stanza.IQ,
		Conversation: 1 << 63, Stored: []byte("stored"), Bytes: 700, Accepted: at, Expires: at.Add(time.Hour), Mark: &mark,
		Latest: KeyOf("a", "b"), Fleeting: true, Copy: KeyOf("c"), Also: []jid.JID{jid.MustParse("y@b.example")},
		Ends: []End{{3, Superseded}}, Sending: true, Attempts: 4,
	}
	return map[string]Record{
		"header":          {kind: headerRecord, header: Header{1, 2, 3, 4, at}},
		"smallest entry":  {kind: entryRecord, entry: Entry{Number: 1, Peer: "p", Kind: stanza.Message, Stored: []byte("s")}},
		"full entry":      {kind: entryRecord, entry: full, moved: true},
		"ends":            {kind: endRecord, ends: []End{{1, Delivered}, {2, InDoubt}}},
		"sending":         {kind: sendingRecord, numbers: []Number{1, 2, 1 << 40}},
		"returned":        {kind: returnedRecord, numbers: []Number{9}},
		"mark":            {kind: markRecord, mark: mark},
		"merge":           {kind: mergeRecord, number: 9, into: 8, to: b},
		"merge with mark": {kind: mergeRecord, number: 9, into: 8, to: b, mark: mark, marked: true},
		"forget":          {kind: forgetRecord, mark: Mark{Peer: "far", Epoch: 5}},
		"epoch":           {kind: epochRecord, header: Header{Epoch: 6, Next: 7}},
	}
}

var compare = cmp.AllowUnexported(Record{}, jid.JID{})

func TestRecords(t *testing.T) {
	for name, r := range records() {
		t.Run(name, func(t *testing.T) {
			b := AppendRecord(nil, &r)
			got, err := ParseRecord(b)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(r, got, compare); diff != "" {
				t.Error(diff)
			}
			for n := range b {
				if _, err := ParseRecord(b[:n]); err == nil && r.kind != entryRecord {
					t.Errorf("taken when cut to %d bytes", n)
				}
			}
			if _, err := ParseRecord(append(bytes.Clone(b), 0)); err == nil && r.kind != entryRecord {
				t.Error("taken with a byte after it")
			}
		})
	}
}

func TestBadRecords(t *testing.T) {
	for name, change := range map[string]func(*Entry){
		"no number": func(e *Entry) { e.Number = 0 }, "number beyond all": func(e *Entry) { e.Number = 1 << 63 },
		"no peer": func(e *Entry) { e.Peer = "" }, "no class": func(e *Entry) { e.Class = numClasses },
		"no kind": func(e *Entry) { e.Kind = stanza.NoKind }, "nothing stored": func(e *Entry) { e.Stored = nil },
		"mark of nobody": func(e *Entry) { e.Mark = &Mark{Number: 1} }, "mark 0": func(e *Entry) { e.Mark = &Mark{Peer: "x"} },
		"end without outcome": func(e *Entry) { e.Ends = []End{{1, NoOutcome}} },
	} {
		t.Run(name, func(t *testing.T) {
			e := Entry{Number: 1, Peer: "p", Kind: stanza.Message, Stored: []byte("s")}
			change(&e)
			if _, err := ParseRecord(AppendRecord(nil, &Record{kind: entryRecord, entry: e})); err == nil {
				t.Error("taken")
			}
		})
	}
}

// FuzzRecord: what is parsed, is appended and parsed again, and is the same.
func FuzzRecord(f *testing.F) {
	for _, r := range records() {
		f.Add(AppendRecord(nil, &r))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := ParseRecord(b)
		if err != nil {
			return
		}
		again, err := ParseRecord(AppendRecord(nil, &r))
		if err != nil {
			t.Fatalf("%x: %v", b, err)
		}
		if diff := cmp.Diff(r, again, compare); diff != "" {
			t.Fatalf("%x: %s", b, diff)
		}
	})
}

// FuzzRecovery puts arbitrary bytes into one of two segments: over what is there, in between, instead of the rest, or as a
// record in a good frame. Whatever comes of it, the spool opens, takes an entry, and has it after the next start; the sum
// law holds.
func FuzzRecovery(f *testing.F) {
	good := faulty.New()
	fill(f, good, 100)
	names := []string{segments.Name(1), segments.Name(2)}
	for _, r := range records() {
		f.Add(true, uint16(0), AppendRecord(nil, &r), framed)
		f.Add(false, uint16(777), disk.AppendFrame(nil, disk.Frame{Payload: AppendRecord(nil, &r)}), inserted)
	}
	for how := range numHow {
		f.Add(how%2 == 0, uint16(how)*300, []byte{0, 0, 0, 9}, how)
		f.Add(true, uint16(0), []byte{}, how)
	}
	f.Fuzz(func(t *testing.T, second bool, at uint16, data []byte, how uint8) {
		fs, name := good.Copy(), names[0]
		if second {
			name = names[1]
		}
		fs.SetContents(name, spoil(fs.Contents(name), int(at), data, how%numHow))
		n := fill(t, fs, 1)
		s, _, err := Open(unlockedFS{fs}, Options{SegmentBytes: 4096, Stepped: true})
		if err != nil {
			t.Fatal(err)
		}
		if sum := s.Stats().Totals; sum.Balance() != 0 {
			t.Fatalf("%+v", sum)
		}
		if stored, err := s.Stored(n); err != nil || string(stored) != "fill" {
			t.Fatalf("entry %d: %q, %v", n, stored, err)
		}
	})
}

// What FuzzRecovery does with its bytes.
const (
	over uint8 = iota
	inserted
	instead
	framed
	numHow
)

func spoil(file []byte, at int, data []byte, how uint8) []byte {
	at %= len(file) + 1
	switch how {
	case over:
		copy(file[at:], data)
		return file
	case inserted:
		return slices.Insert(file, at, data...)
	case instead:
		return append(file[:at], data...)
	}
	if len(data) == 0 {
		return file
	}
	return disk.AppendFrame(file, disk.Frame{Mark: uint32(len(file)), Payload: data})
}

type unlockedFS struct{ *faulty.FS }

// Lock keeps none: a killed process leaves none behind.
func (unlockedFS) Lock(string) (io.Closer, error) { return nothing{}, nil }

type nothing struct{}

func (nothing) Close() error { return nil }

func fill(t testing.TB, fs *faulty.FS, entries int) (last Number) {
	t.Helper()
	s, _, err := Open(unlockedFS{fs}, Options{SegmentBytes: 4096, Stepped: true})
	if err != nil {
		t.Fatal(err)
	}
	for range entries {
		e := Entry{Peer: "filler", Kind: stanza.Message, Class: Flash, Stored: []byte("fill"), Mark: nil}
		if err := s.Append(e, func(n Number, err error) { last = n }); err != nil {
			t.Fatal(err)
		}
		s.Step()
	}
	return last
}
