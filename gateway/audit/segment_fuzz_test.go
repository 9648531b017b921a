package audit_test

import (
	"testing"

	"sallyport/gateway/audit"
	"sallyport/internal/disk"
	"sallyport/internal/disk/faulty"
)

// FuzzSegment gives arbitrary bytes for the last of two segments to all who read segments. What Open accepts it must be
// able to go on with.
func FuzzSegment(f *testing.F) {
	base := faulty.New()
	l := openLog(f, base, nil)
	fill(f, l, newTold(), 24)
	closeLog(f, l)
	name := lastSegment(base)
	good := base.Contents(name)
	f.Add(good, true)
	f.Add(good, false)
	f.Add(good[:len(good)-3], false)
	f.Add([]byte{}, true)
	f.Add(disk.AppendFrame(nil, disk.Frame{Mark: 9, Payload: []byte("x")}), false)
	f.Fuzz(func(t *testing.T, data []byte, head bool) {
		fs := base.Copy()
		fs.SetContents(name, append([]byte{}, data...))
		if !head { // as if the crash came before the first head after Open
			old := faulty.New()
			closeLog(t, openLog(t, old, nil))
			fs.SetContents("head.json", old.Contents("head.json"))
		}
		for range audit.Read(fs, audit.Filter{}) {
			continue
		}
		before := verify(t, fs)
		l, err := audit.Open(audit.Options{FS: fs, Node: "gw1", Key: testKey(), SegmentBytes: 4096})
		if err != nil {
			return
		}
		fill(t, l, newTold(), 3)
		closeLog(t, l)
		if after := verify(t, fs); before.OK() && !after.OK() {
			t.Fatalf("opening and appending broke a good log: %v", after.First())
		}
	})
}
