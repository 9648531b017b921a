package dpdu_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"sallyport/s5066/dpdu"
)

func FuzzParse(f *testing.F) {
	for _, v := range vectors {
		f.Add(unhex(f, v.bytes))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, rest, err := dpdu.Parse(b)
		if err != nil || p.Damaged {
			return
		}
		if len(rest) > len(b) {
			t.Fatalf("%d bytes left of %d", len(rest), len(b))
		}
		again, err := dpdu.Append(nil, p)
		if err != nil {
			t.Fatalf("%x: %+v: %v", b, p, err)
		}
		if len(again) != p.Size() {
			t.Fatalf("Size %d, %d bytes", p.Size(), len(again))
		}
		q, _, err := dpdu.Parse(again)
		if d := cmp.Diff(p, q, normal); d != "" || err != nil {
			t.Fatalf("%x: %v (-first +second)\n%s", b, err, d)
		}
	})
}

// FuzzReceiver feeds any bytes in two ways of cutting them, with a good frame behind: it is found, and memory stays small.
func FuzzReceiver(f *testing.F) {
	f.Add(stream(f), uint8(3))
	f.Add([]byte("\x90\xeb\x90\xeb"), uint8(1))
	f.Fuzz(func(t *testing.T, b []byte, piece uint8) {
		whole, cut := dpdu.Receiver{}, dpdu.Receiver{}
		want := append(whole.Feed(b), whole.End()...)
		var got []dpdu.PDU
		for rest := b; len(rest) > 0; {
			n := min(int(piece)+1, len(rest))
			got = append(got, cut.Feed(rest[:n])...)
			rest = rest[n:]
			if cut.Pending() > dpdu.MaxSize {
				t.Fatalf("%d bytes kept", cut.Pending())
			}
		}
		got = append(got, cut.End()...)
		if d := cmp.Diff(want, got, normal); d != "" {
			t.Fatalf("the cut changed what was found:\n%s", d)
		}
		good := unhex(t, vectors[0].bytes)
		if got := cut.Feed(good); len(got) != 1 || got[0].Damaged {
			t.Fatalf("a frame after the end of %x was not found: %+v", b, got)
		}
	})
}
