package modem_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"sallyport/s5066/modem"

	"github.com/google/go-cmp/cmp"
)

func equal(a, b any) string { return cmp.Diff(a, b, cmp.AllowUnexported(modem.Waveform{})) }

func TestFramesOnTheWire(t *testing.T) {
	t.Parallel()
	radio := modem.Radio{KeyUp: 200 * time.Millisecond, KeyDown: 50 * time.Millisecond, Decode: time.Millisecond}
	short := parse(t, "110a-75-long")
	for _, c := range []struct {
		frame modem.Frame
		want  string
	}{
		{modem.Hello{"shore", radio, 60}, "01 000011 01 00c8 0032 0001 0000ea60 05 73686f7265"},
		{modem.Hello{Name: "ship"}, "01 000010 01 0000 0000 0000 00000000 04 73686970"},
		{modem.Key{7, short, []byte{0x90, 0xeb}}, "02 000013 00000007 0c 313130612d37352d6c6f6e67 90eb"},
		{modem.Abort{7}, "03 000004 00000007"},
		{modem.Keyed{1 << 31}, "04 000004 80000000"},
		{modem.Sent{2}, "05 000004 00000002"},
		{modem.Lost{3, modem.Gone}, "06 000005 00000003 05"},
		{modem.Carrier{true, short, -3}, "07 00000f 01 fd 0c 313130612d37352d6c6f6e67"},
		{modem.Carrier{SNR: modem.SNRUnknown}, "07 000003 00 80 00"},
		{modem.Data{[]byte("ab")}, "08 000002 6162"},
		{modem.Ping{9}, "09 000004 00000009"},
		{modem.Pong{9}, "0a 000004 00000009"},
	} {
		b, err := modem.AppendFrame([]byte("x"), c.frame)
		if got := hex.EncodeToString(b[1:]); err != nil || got != strings.ReplaceAll(c.want, " ", "") {
			t.Errorf("%#v: %s, %v, want %s", c.frame, got, err, c.want)
		}
		f, rest, err := modem.ParseFrame(append(b[1:], 0xff))
		if d := equal(c.frame, f); d != "" || err != nil || !bytes.Equal(rest, []byte{0xff}) {
			t.Errorf("%#v: rest % x, %v\n%s", c.frame, rest, err, d)
		}
	}
}

func TestFramesThatAreRefused(t *testing.T) {
	t.Parallel()
	for name, wire := range map[string]string{
		"type 0":                       "00 000001 00",
		"type 11":                      "0b 000004 00000000",
		"hello of another version":     "01 00000c 02 0000 0000 0000 00000000 00",
		"hello without its name":       "01 00000c 01 0000 0000 0000 00000000 01",
		"hello with bytes left":        "01 00000d 01 0000 0000 0000 00000000 00 00",
		"hello with a line break":      "01 00000d 01 0000 0000 0000 00000000 01 0a",
		"key without data":             "02 000011 00000007 0c 313130612d37352d6c6f6e67",
		"key with an unknown waveform": "02 000007 00000007 01 78 00",
		"key larger than any":          "02 ffffff",
		"abort too long":               "03 000005",
		"lost for no reason we know":   "06 000005 00000003 07",
		"carrier half on":              "07 000003 02 00 00",
		"carrier with bytes left":      "07 000004 01 00 00 00",
		"no data":                      "08 000000",
		"data larger than a block":     "08 040001",
		"ping too short":               "09 000003",
	} {
		b, err := hex.DecodeString(strings.ReplaceAll(wire, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		f, _, err := modem.ParseFrame(b)
		if !errors.Is(err, modem.ErrFrame) {
			t.Errorf("%s: %#v, %v", name, f, err)
		}
	}
	for name, f := range map[string]modem.Frame{
		"nothing": nil, "a number": 7, "no waveform": modem.Key{1, modem.Waveform{}, []byte{1}}, "no data": modem.Data{},
		"a long name": modem.Hello{Name: strings.Repeat("a", 65)}, "radio too slow": modem.Hello{Radio: modem.Radio{KeyUp: 66 * time.Second}},
		"negative speed": modem.Hello{Speed: -1}, "unknown reason": modem.Lost{1, 99},
		"too much": modem.Key{1, parse(t, "110a-75-long"), make([]byte, modem.MaxTransmission+1)},
	} {
		if b, err := modem.AppendFrame([]byte("kept"), f); !errors.Is(err, modem.ErrFrame) || string(b) != "kept" {
			t.Errorf("%s: %q, %v", name, b, err)
		}
	}
}

// Whatever the pieces, the decoder yields the same frames as the whole.
func FuzzDecoder(f *testing.F) {
	for _, frame := range []modem.Frame{
		modem.Hello{"shore", modem.DefaultRadio(), 1},
		modem.Key{7, parse(f, "4539-9600-short"), []byte("data")},
		modem.Abort{1},
		modem.Lost{3, modem.Busy},
		modem.Carrier{On: true, Waveform: parse(f, "110a-1200-zero")},
		modem.Data{[]byte{1}},
		modem.Ping{2},
	} {
		b, err := modem.AppendFrame(nil, frame)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(append(b, b...), uint8(3))
	}
	f.Add([]byte{2, 0xff, 0xff, 0xff}, uint8(1))
	f.Fuzz(func(t *testing.T, b []byte, piece uint8) {
		var d modem.Decoder
		var again []byte
		fail := error(nil)
		for rest := b; len(rest) > 0 && fail == nil; {
			n := min(len(rest), int(piece)+1)
			if _, err := d.Write(rest[:n]); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
			var frame modem.Frame
			for frame, fail = d.Next(); frame != nil; frame, fail = d.Next() {
				out, err := modem.AppendFrame(again, frame)
				if err != nil {
					t.Fatalf("%#v was read and cannot be written: %v", frame, err)
				}
				back, _, err := modem.ParseFrame(out[len(again):])
				if diff := equal(frame, back); err != nil || diff != "" {
					t.Fatalf("%v\n%s", err, diff)
				}
				again = out
			}
		}
		if !bytes.HasPrefix(b, again) {
			t.Fatalf("read % x, written again % x", b, again)
		}
	})
}
