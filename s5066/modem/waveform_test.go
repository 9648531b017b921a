package modem_test

import (
	"errors"
	"testing"
	"time"

	"sallyport/s5066/modem"

	"pgregory.net/rapid"
)

func parse(t testing.TB, name string) modem.Waveform {
	t.Helper()
	w, err := modem.ParseWaveform(name)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// The figures of the published tables: whole bytes of a block, preambles, what 127.5 s carry.
func TestFiguresOfWaveforms(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		blockBytes float64
		block      time.Duration
		preamble   time.Duration
		in1275     int
	}{
		{"110a-75-short", 5.625, 600 * time.Millisecond, 600 * time.Millisecond, 1195},
		{"110a-75-long", 45, 4800 * time.Millisecond, 4800 * time.Millisecond, 1195},
		{"110a-300-short", 22.5, 600 * time.Millisecond, 600 * time.Millisecond, 4781},
		{"110a-300-long", 180, 4800 * time.Millisecond, 4800 * time.Millisecond, 4781},
		{"110a-600-short", 45, 600 * time.Millisecond, 600 * time.Millisecond, 9562},
		{"110a-1200-short", 90, 600 * time.Millisecond, 600 * time.Millisecond, 19125},
		{"110a-1200-long", 720, 4800 * time.Millisecond, 4800 * time.Millisecond, 19125},
		{"110a-2400-long", 1440, 4800 * time.Millisecond, 4800 * time.Millisecond, 38250},
		{"110a-4800-zero", 120, 200 * time.Millisecond, 600 * time.Millisecond, 76500},
		{"4285-75-short", 8, 853333333, 213333333, 1195},
		{"4285-2400-long", 3072, 10240 * time.Millisecond, 213333333, 38250},
		{"4539-9600-ultrashort", 144, 120 * time.Millisecond, 200 * time.Millisecond, 153000},
		{"4539-9600-verylong", 10368, 8640 * time.Millisecond, 200 * time.Millisecond, 153000},
		{"4539-3200-short", 432, 1080 * time.Millisecond, 200 * time.Millisecond, 51000},
		{"wb24-120000-long", 115200, 7680 * time.Millisecond, 240 * time.Millisecond, 1912500},
	} {
		w := parse(t, c.name)
		if got := float64(w.BlockBits()) / 8; got != c.blockBytes {
			t.Errorf("%s: block of %v bytes, want %v", c.name, got, c.blockBytes)
		}
		if w.Block() != c.block || w.Preamble() != c.preamble {
			t.Errorf("%s: block %v, preamble %v, want %v, %v", c.name, w.Block(), w.Preamble(), c.block, c.preamble)
		}
		if got := w.Bytes(modem.MaxDuration); got != c.in1275 {
			t.Errorf("%s: %d bytes in 127.5 s, want %d", c.name, got, c.in1275)
		}
	}
}

// Eleven segments of 200 bytes, as published: 2294 bytes on the bare line.
func TestBareLine(t *testing.T) {
	t.Parallel()
	for rate, want := range map[int]float64{75: 244.7, 300: 61.2, 600: 30.6, 1200: 15.3, 2400: 7.65, 4800: 3.8, 9600: 1.9} {
		w, err := modem.ForRate(rate, modem.Short)
		if err != nil {
			t.Fatal(err)
		}
		if got := w.Bare(2294).Seconds(); got < want-0.05 || got > want+0.05 {
			t.Errorf("%d bit/s: %.2f s, want %v", rate, got, want)
		}
	}
}

func TestDurations(t *testing.T) {
	t.Parallel()
	radio := modem.Radio{KeyUp: 200 * time.Millisecond, KeyDown: 100 * time.Millisecond, Decode: 50 * time.Millisecond}
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	for _, c := range []struct {
		name            string
		bytes           int
		blocks          int
		duration, quiet time.Duration
		last            time.Duration // when the last byte has arrived
	}{
		{"110a-1200-short", 86, 1, ms(200 + 600 + 600 + 100), ms(200 + 600 + 1200 + 50), ms(200 + 600 + 1200 + 50)},
		{"110a-1200-short", 87, 2, ms(200 + 600 + 1200 + 100), ms(200 + 600 + 1800 + 50), ms(200 + 600 + 1200 + 50)}, // end of message alone in the second
		{"110a-75-short", 1, 1, ms(200 + 600 + 600 + 100), ms(200 + 600 + 1200 + 50), ms(200 + 600 + 1200 + 50)},
		{"110a-75-short", 6, 2, ms(200 + 600 + 1200 + 100), ms(200 + 600 + 1800 + 50), ms(200 + 600 + 1800 + 50)}, // 45 bits are no whole bytes
		{"110a-300-long", 176, 1, ms(200 + 4800 + 4800 + 100), ms(200 + 4800 + 9600 + 50), ms(200 + 4800 + 9600 + 50)},
		{"4539-9600-ultrashort", 140, 1, ms(200 + 200 + 120 + 100), ms(200 + 200 + 240 + 50), ms(200 + 200 + 240 + 50)},
	} {
		tm := modem.Timing{Waveform: parse(t, c.name), Radio: radio}
		if got := tm.Waveform.Blocks(c.bytes); got != c.blocks {
			t.Errorf("%s, %d bytes: %d blocks, want %d", c.name, c.bytes, got, c.blocks)
		}
		if d, q, a := tm.Duration(c.bytes), tm.Quiet(c.bytes), tm.Arrival(c.bytes-1); d != c.duration || q != c.quiet || a != c.last {
			t.Errorf("%s, %d bytes: %v, quiet %v, last %v, want %v, %v, %v", c.name, c.bytes, d, q, a, c.duration, c.quiet, c.last)
		}
	}
}

func TestWhatFitsFits(t *testing.T) {
	t.Parallel()
	all := modem.Waveforms()
	rapid.Check(t, func(t *rapid.T) {
		tm := modem.Timing{Waveform: rapid.SampledFrom(all).Draw(t, "waveform"), Radio: modem.DefaultRadio()}
		d := time.Duration(rapid.Int64Range(0, int64(modem.MaxDuration)).Draw(t, "time"))
		n := tm.Fit(d)
		if n > 0 && tm.Duration(n) > d {
			t.Fatalf("%s: %d bytes take %v, more than %v", tm.Waveform, n, tm.Duration(n), d)
		}
		if tm.Duration(n+1) <= d {
			t.Fatalf("%s: %d bytes take %v and would fit %v", tm.Waveform, n+1, tm.Duration(n+1), d)
		}
		if n = tm.FitEOT(); n == 0 || tm.Remaining(n, 0) > modem.MaxDuration || tm.Remaining(n+1, 0) <= modem.MaxDuration {
			t.Fatalf("%s: %d bytes for one EOT, %v", tm.Waveform, n, tm.Remaining(n, 0))
		}
		off := rapid.IntRange(0, n-1).Draw(t, "offset")
		if end := tm.Lead() + tm.Waveform.Bare(off) + tm.Remaining(n, off); end != tm.Quiet(n) {
			t.Fatalf("%s: the end moves to %v, %v", tm.Waveform, end, tm.Quiet(n))
		}
		if tm.Arrival(off) > tm.Quiet(n) {
			t.Fatalf("%s: byte %d arrives after the carrier's end", tm.Waveform, off)
		}
	})
}

func TestNamesOfWaveforms(t *testing.T) {
	t.Parallel()
	for _, w := range modem.Waveforms() {
		got, err := modem.ParseWaveform(w.String())
		if err != nil || got != w {
			t.Errorf("%s: %v, %v", w, got, err)
		}
		if w.BlockBits() < 1 || w.Block() <= 0 || w.Preamble() < w.Detect() {
			t.Errorf("%s: %d bits in %v", w, w.BlockBits(), w.Block())
		}
	}
	for _, name := range []string{
		"", "none", "none-0-none", "110a-1200", "110a-1200-short-", "110a-01200-short", "110a-+1200-short", "110a-4800-short",
		"110a-1201-short", "110A-1200-short", "4539-2400-short", "4539-9600-zero", "110a-4294968496-short", "110a-1200-none",
	} {
		if w, err := modem.ParseWaveform(name); !errors.Is(err, modem.ErrWaveform) {
			t.Errorf("%q: %v, %v", name, w, err)
		}
	}
	none := modem.Timing{}
	if none.Waveform.Valid() || none.Fit(time.Hour) != 0 || none.Waveform.Blocks(10) != 0 || none.Waveform.BlockOf(10) != 0 {
		t.Error("no waveform carries bytes")
	}
}
