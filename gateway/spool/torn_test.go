package spool_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sallyport/gateway/spool"
)

// A new segment repeats all marks, so that older ones may go. However much of its first write got to the disk before the power went,
// no mark is lost with the segment before it.
func TestTornFirstWriteOfASegment(t *testing.T) {
	const second = "segment-00000002.spool"
	begin := func() *bed {
		b := newBed(t, spool.Options{SegmentBytes: 4096})
		for lane := range uint8(spool.NumClasses) {
			e := marked(int(lane)+1, 5)
			e.Mark.Lane = lane
			b.put(e)
		}
		for id := 150; b.fs.Contents(second) == nil; id++ {
			b.put(entry("p", id))
		}
		return b
	}
	good := begin()
	want, written := good.s.Marks("far"), good.fs.Contents(second)
	for size := range len(written) {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			b := begin()
			b.fs.SetContents(second, written[:size])
			b.open()
			if size%3 == 0 { // at first there is no room for anything
				b.fs.SetCapacity(1)
			}
			for e, ok := b.s.Next("p", "link", b.now); ok; e, ok = b.s.Next("p", "link", b.now) {
				if err := b.s.Done(e.Number, spool.Delivered); err != nil {
					t.Fatal(err)
				}
			}
			b.s.Step()
			b.fs.SetCapacity(0)
			b.now = b.now.Add(time.Minute)
			b.s.Step()
			b.s.Step()
			b.open()
			if diff := cmp.Diff(want, b.s.Marks("far")); diff != "" {
				t.Errorf("marks: %s", diff)
			}
			if b.fs.Contents("segment-00000001.spool") != nil {
				t.Error("the first segment is still there: nothing was tried")
			}
		})
	}
}
