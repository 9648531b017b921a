package dts_test

import (
	"fmt"
	"testing"
	"time"

	"sallyport/s5066/dts"
)

// seeds is how many lines a test tries.
func seeds(short, long int) uint64 {
	if testing.Short() {
		return uint64(short)
	}
	return uint64(long)
}

func TestEverythingOnceAndInOrderOverABadLine(t *testing.T) {
	t.Parallel()
	for seed := range seeds(200, 2000) {
		l := newLine(t, seed, shortTiming(2400), nil)
		l.loss, l.cut, l.repeat = l.random.Float64()*0.3, l.random.Float64()*0.1, l.random.Float64()*0.1
		want := make([][][]byte, 2)
		for i := range 12 {
			from := l.random.IntN(2)
			s, other := l.stations[from], l.stations[1-from]
			c := numbered(uint32(i), 4+l.random.IntN(1500))
			want[1-from] = append(want[1-from], c)
			l.send(s, dts.Request{ID: uint64(i), Remote: other.addr, Mode: dts.ARQ, CPDU: c})
			if l.random.IntN(3) == 0 {
				l.run(time.Duration(l.random.IntN(20_000)) * time.Millisecond)
			}
		}
		l.run(12 * time.Hour)
		for i, s := range l.stations {
			if len(s.delivered) != len(want[i]) {
				t.Fatalf("seed %d, loss %.2f, after %v: %s has %d of %d: %+v\n%v", seed, l.loss, l.now.Sub(epoch), s.addr, len(s.delivered), len(want[i]), l.stations[1-i].m.Status(), l.stations[1-i].fates)
			}
			l.want(s, want[i])
			for id, f := range s.fates {
				if len(f) != 1 || f[0] != "confirmed" {
					t.Fatalf("seed %d: C_PDU %d of %s: %v", seed, id, s.addr, f)
				}
			}
		}
	}
}

// The share of the loss-adjusted line rate that 100 kB reach while a transmission is on the air; what turns cost is logged beside it.
func TestGoodputOfLargeTransfers(t *testing.T) {
	t.Parallel()
	for _, rate := range []int{2400, 9600} {
		for _, loss := range []float64{0, 0.05, 0.1, 0.3} {
			t.Run(fmt.Sprintf("%d bit/s, %.0f %% lost", rate, loss*100), func(t *testing.T) {
				t.Parallel()
				keyed, wall := 0.0, 0.0
				const tries = 10
				for seed := range uint64(tries) {
					k, w := goodput(t, seed, rate, loss)
					keyed += k / tries
					wall += w / tries
				}
				t.Logf("%.1f %% while keyed, %.1f %% with turns", keyed*100, wall*100)
				if keyed < 0.9 {
					t.Errorf("goodput is %.1f %% of the loss-adjusted line, want 90", keyed*100)
				}
			})
		}
	}
}

func goodput(t *testing.T, seed uint64, rate int, loss float64) (keyed, wall float64) {
	t.Helper()
	l := newLine(t, seed, shortTiming(rate), nil)
	l.loss = loss
	a, b := l.stations[0], l.stations[1]
	total := 0
	for i := range 50 {
		c := numbered(uint32(i), 2054)
		total += len(c)
		l.send(a, dts.Request{ID: uint64(i), Remote: b.addr, Mode: dts.ARQ, CPDU: c})
	}
	l.run(12 * time.Hour)
	if len(b.delivered) != 50 {
		t.Fatalf("%d of 50 delivered after %v: %+v", len(b.delivered), l.now.Sub(epoch), a.m.Status())
	}
	line := float64(rate) / 8 * (1 - loss)
	return float64(total) / (a.aired.Seconds() * line), float64(total) / (l.now.Sub(epoch).Seconds() * line)
}

func TestBothKeyAtOnce(t *testing.T) {
	t.Parallel()
	for seed := range seeds(20, 200) {
		l := newLine(t, seed, shortTiming(300), nil)
		a, b := l.stations[0], l.stations[1]
		var toA, toB [][]byte
		for i := range 5 {
			toA, toB = append(toA, numbered(uint32(i), 60)), append(toB, numbered(uint32(i), 60))
			l.send(a, dts.Request{ID: uint64(i), Remote: b.addr, Mode: dts.ARQ, CPDU: toB[i]})
			l.send(b, dts.Request{ID: uint64(i), Remote: a.addr, Mode: dts.ARQ, CPDU: toA[i]})
			l.run(15 * time.Minute)
		}
		if l.overlaps == 0 {
			t.Fatalf("seed %d: nobody collided", seed)
		}
		l.want(a, toA)
		l.want(b, toB)
		if l.overlaps > 25 {
			t.Errorf("seed %d: %d collisions for five beginnings", seed, l.overlaps)
		}
	}
}
