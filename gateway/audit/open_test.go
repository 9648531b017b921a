package audit_test

import (
	"crypto/ed25519"
	"errors"
	"strings"
	"testing"

	"sallyport/gateway/audit"
	"sallyport/internal/disk"
	"sallyport/internal/disk/faulty"
)

// Damage to what had been promised is no torn tail, even before a head speaks of it.
func TestOpenDoesNotCutOffWhatWasPromised(t *testing.T) {
	fs := faulty.New()
	l, d := openLog(t, fs, nil), newTold()
	d.settled = make(chan uint64, 1)
	for range 6 { // six batches
		fill(t, l, d, 1)
		<-d.settled
	}
	crashed := fs.Copy()
	closeLog(t, l)
	name := lastSegment(crashed)
	data := crashed.Contents(name)
	for e, err := range audit.Read(crashed, audit.Filter{FirstSeq: 4, LastSeq: 4}) {
		if err != nil {
			t.Fatal(err)
		}
		data[e.Offset+50] ^= 1
	}
	crashed.SetContents(name, data)
	_, err := audit.Open(audit.Options{FS: crashed, Node: "gw1", Key: testKey()})
	if !errors.Is(err, audit.ErrDamaged) || !strings.Contains(err.Error(), "record 4") {
		t.Errorf("got %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	filled := func(t *testing.T) *faulty.FS {
		fs := faulty.New()
		l := openLog(t, fs, nil)
		fill(t, l, newTold(), 40)
		closeLog(t, l)
		return fs
	}
	other := ed25519.NewKeyFromSeed([]byte(strings.Repeat("k", ed25519.SeedSize)))
	tests := []struct {
		name   string
		tamper func(*faulty.FS)
		change func(*audit.Options)
	}{
		{"another node", nil, func(o *audit.Options) { o.Node = "gw2" }},
		{"another key", nil, func(o *audit.Options) { o.Key = other }},
		{"no head", func(fs *faulty.FS) { fs.SetContents("head.json", nil) }, nil},
		{"no segments", func(fs *faulty.FS) {
			for _, f := range list(fs) {
				if f != "head.json" {
					fs.SetContents(f, nil)
				}
			}
		}, nil},
		{"last segment gone", func(fs *faulty.FS) { fs.SetContents(lastSegment(fs), nil) }, nil},
		{"last segment empty", func(fs *faulty.FS) { fs.SetContents(lastSegment(fs), []byte{}) }, nil},
		{"last record cut", func(fs *faulty.FS) {
			b := fs.Contents(lastSegment(fs))
			fs.SetContents(lastSegment(fs), b[:len(b)-1])
		}, nil},
		{"last record edited", func(fs *faulty.FS) {
			b := fs.Contents(lastSegment(fs))
			b[len(b)-1] ^= 1
			fs.SetContents(lastSegment(fs), b)
		}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fs := filled(t)
			if tt.tamper != nil {
				tt.tamper(fs)
			}
			o := audit.Options{FS: fs, Node: "gw1", Key: testKey()}
			if tt.change != nil {
				tt.change(&o)
			}
			before := fs.Copy()
			l, err := audit.Open(o)
			if !errors.Is(err, audit.ErrDamaged) {
				t.Fatalf("got %v, want ErrDamaged", err)
			}
			if l != nil {
				t.Error("a log was returned")
			}
			for _, name := range list(before) {
				if string(before.Contents(name)) != string(fs.Contents(name)) {
					t.Errorf("%s was changed", name)
				}
			}
		})
	}
}

func TestOneOwner(t *testing.T) {
	fs := faulty.New()
	l := openLog(t, fs, nil)
	defer closeLog(t, l)
	if _, err := audit.Open(audit.Options{FS: fs, Node: "gw1", Key: testKey()}); !errors.Is(err, disk.ErrLocked) {
		t.Errorf("got %v", err)
	}
}
