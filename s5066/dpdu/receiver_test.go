package dpdu_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sallyport/s5066"
	"sallyport/s5066/dpdu"
)

// stream is all vectors one behind the other.
func stream(t testing.TB) []byte {
	t.Helper()
	var all []byte
	for _, v := range vectors {
		all = append(all, unhex(t, v.bytes)...)
	}
	return all
}

func TestFramesAreFoundHoweverTheBytesAreCut(t *testing.T) {
	t.Parallel()
	all := stream(t)
	for _, piece := range []int{1, 2, 3, 7, 20, 1000, len(all)} {
		r := dpdu.Receiver{}
		var got []dpdu.PDU
		for b := all; len(b) > 0; {
			n := min(piece, len(b))
			got = append(got, r.Feed(b[:n])...)
			b = b[n:]
			if r.Pending() > dpdu.MaxSize {
				t.Fatalf("pieces of %d: %d bytes kept", piece, r.Pending())
			}
		}
		if len(got) != len(vectors) || r.Stats.Skipped != 0 {
			t.Fatalf("pieces of %d: %d frames, want %d, %+v", piece, len(got), len(vectors), r.Stats)
		}
		for i, v := range vectors {
			if d := cmp.Diff(v.pdu, got[i], normal); d != "" {
				t.Errorf("pieces of %d: %s (-want +got):\n%s", piece, v.name, d)
			}
		}
	}
}

// Row N10: what is no header is skipped, and the next frame is found.
func TestN10BadHeaders(t *testing.T) {
	t.Parallel()
	good := unhex(t, vectors[0].bytes)
	change := func(at int, to byte) []byte {
		b := bytes.Clone(good)
		b[at] = to
		return b
	}
	for name, bad := range map[string][]byte{
		"header checksum":         change(13, 0xFF),
		"header size 0":           change(5, 0xE0),
		"header size 31":          change(5, 0xFF),
		"address size 0":          change(5, 0x09),
		"header breaks off":       good[:9],
		"sync word alone":         {0x90, 0xEB},
		"half a sync word":        {0x90},
		"sync word twice":         {0x90, 0xEB, 0x90, 0xEB},
		"type changed, no longer": change(2, 0x70),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := dpdu.Receiver{}
			got := append(r.Feed(append(bytes.Clone(bad), good...)), r.End()...)
			if len(got) == 0 || got[len(got)-1].Damaged || !bytes.Equal(got[len(got)-1].Segment, hello) {
				t.Fatalf("the frame behind it was not found: %+v", got)
			}
			if len(got) > 1 {
				t.Errorf("%d frames, want one", len(got))
			}
		})
	}
}

func TestN10DamagedSegmentKeepsItsHeader(t *testing.T) {
	t.Parallel()
	good := unhex(t, vectors[0].bytes)
	bad := bytes.Clone(good)
	bad[len(bad)-6] ^= 1
	r := dpdu.Receiver{}
	got := r.Feed(append(bad, good...))
	if len(got) != 2 || !got[0].Damaged || got[0].EOT != 10 || got[1].Damaged {
		t.Fatalf("got %+v", got)
	}
	if _, _, err := dpdu.Parse(good[:len(good)-1]); !errors.Is(err, dpdu.ErrShort) {
		t.Errorf("a frame without its last byte: %v", err)
	}
}

func TestTransmissionThatBreaksOff(t *testing.T) {
	t.Parallel()
	good := unhex(t, vectors[0].bytes)
	r := dpdu.Receiver{}
	if got := r.Feed(good[:len(good)-6]); len(got) != 0 {
		t.Fatalf("half a frame: %+v", got)
	}
	got := r.End()
	if len(got) != 1 || !got[0].Damaged || r.Pending() != 0 {
		t.Fatalf("at the end: %+v", got)
	}
	if got = r.Feed(good); len(got) != 1 || got[0].Damaged {
		t.Errorf("the next transmission: %+v", got)
	}
	// Without an End the next transmission begins inside the segment.
	r = dpdu.Receiver{}
	r.Feed(good[:len(good)-6])
	got = append(r.Feed(good), r.Feed(good)...)
	if len(got) != 3 || !got[0].Damaged || got[1].Damaged || got[2].Damaged {
		t.Errorf("without an End: %+v", got)
	}
}

// Row N11: a mebibyte of junk with false sync words.
func TestN11FalseSyncWords(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	junk := make([]byte, 1<<20)
	for i := range junk {
		junk[i] = byte(random.Uint32())
		if i%10 == 1 {
			junk[i-1], junk[i] = 0x90, 0xEB
		}
	}
	r := dpdu.Receiver{}
	start := len(r.Feed(junk))
	got := r.Feed(unhex(t, vectors[0].bytes+" 00"))
	got = append(got, r.End()...)
	if len(got) == 0 || !bytes.Equal(got[len(got)-1].Segment, hello) {
		t.Fatalf("the frame behind the junk was not found (%d false ones)", start)
	}
	if r.Stats.False < 90_000 {
		t.Errorf("only %d false sync words", r.Stats.False)
	}
}

func TestAppendRefusesWhatHasNoForm(t *testing.T) {
	t.Parallel()
	ok := vectors[0].pdu
	for name, change := range map[string]func(*dpdu.PDU){
		"no destination":       func(p *dpdu.PDU) { p.To = s5066.Address{} },
		"group in ARQ":         func(p *dpdu.PDU) { p.To = s5066.AllStations() },
		"group as source":      func(p *dpdu.PDU) { p.From = s5066.AllStations() },
		"address does not fit": func(p *dpdu.PDU) { p.AddressSize = 3 },
		"segment too long":     func(p *dpdu.PDU) { p.Segment = make([]byte, 1024) },
		"segment in a WARNING": func(p *dpdu.PDU) { p.Type = dpdu.Warning },
		"extended too long": func(p *dpdu.PDU) {
			p.Type, p.Segment, p.Management.Extended = dpdu.Management, nil, string(make([]byte, 24))
		},
		"type 16":                  func(p *dpdu.PDU) { p.Type = 16 },
		"C_PDU ID of five bits":    func(p *dpdu.PDU) { p.Data.CPDU = 16 },
		"non-ARQ ID of 13 bits":    func(p *dpdu.PDU) { p.NonARQ.ID = 4096 },
		"warning reason of 5 bits": func(p *dpdu.PDU) { p.Type, p.Segment, p.Warning.Reason = dpdu.Warning, nil, 16 },
	} {
		p := ok
		change(&p)
		if b, err := dpdu.Append([]byte{1}, p); !errors.Is(err, dpdu.ErrUnsendable) || len(b) != 1 {
			t.Errorf("%s: %x, %v", name, b, err)
		}
	}
}

func TestSelectiveAcknowledgements(t *testing.T) {
	t.Parallel()
	a := acks(250, 252, 253, 0)
	for f, want := range map[uint8]bool{249: false, 250: false, 251: false, 252: true, 253: true, 255: false, 0: true, 1: false} {
		if a.Has(f) != want {
			t.Errorf("%d acknowledged: %t", f, !want)
		}
	}
	if h, ok := a.Highest(); h != 0 || !ok || a.Count() != 3 {
		t.Errorf("highest %d, %d in all", h, a.Count())
	}
	if _, ok := acks(9, 9, 8, 138).Highest(); ok {
		t.Error("numbers were taken that no list can hold")
	}
}

func TestEOT(t *testing.T) {
	t.Parallel()
	for left, want := range map[time.Duration]uint8{
		-1: 0, 0: 0, 1: 1, 500 * time.Millisecond: 1, 501 * time.Millisecond: 2, dpdu.MaxTransmission: 255, time.Hour: 255,
	} {
		if got := dpdu.EOT(left); got != want {
			t.Errorf("%v: %d, want %d", left, got, want)
		}
	}
}

func TestOrderWire(t *testing.T) {
	t.Parallel()
	for _, v := range vectors {
		if v.pdu.EOW.Type() == dpdu.RateRequest {
			o := v.pdu.EOW.Rate()
			if o.EOW() != v.pdu.EOW {
				t.Errorf("%s: %+v", v.name, o)
			}
		}
	}
	h := dpdu.HighRate{Waveform: 3, Channels: 8, Rate: 9600, Interleaver: 1080 * time.Millisecond}
	e, x := h.Message()
	if got, ok := dpdu.ParseHighRate(e, x); !ok || got != h {
		t.Errorf("%+v, want %+v", got, h)
	}
	if _, ok := dpdu.ParseHighRate(e, x[1:]); ok {
		t.Error("five bytes were taken for a high-rate request")
	}
	if _, ok := (dpdu.RateOrder{Code: 12}).BitsPerSecond(); ok {
		t.Error("code 12 has a rate")
	}
}
