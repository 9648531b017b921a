package main

import "testing"

// A burst is given back once, after it; steady work and small change are left alone.
func TestQuiet(t *testing.T) {
	const mib = 1 << 20
	for _, tc := range []struct {
		name  string
		adds  []uint64 // MiB allocated between two looks
		live  uint64   // MiB
		given int      // at which look; -1: never
		times int
	}{
		{"a burst, then nothing", []uint64{50, 50, 0, 0, 0, 0}, 20, 3, 1},
		{"steady work", []uint64{5, 5, 5, 5, 5, 5}, 20, -1, 0},
		{"nothing", []uint64{0, 0, 0, 0}, 20, -1, 0},
		{"small change", []uint64{10, 0, 0, 0}, 20, -1, 0},
		{"little beside what lives", []uint64{40, 0, 0, 0}, 200, -1, 0},
		{"two bursts", []uint64{50, 0, 0, 50, 0, 0, 0}, 20, 2, 2},
		{"a pause in work", []uint64{50, 0, 50, 0, 50, 0}, 20, -1, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var q quiet
			var all uint64
			first, times := -1, 0
			for i, add := range tc.adds {
				all += add * mib
				if q.look(all, tc.live*mib) {
					times++
					if first < 0 {
						first = i
					}
				}
			}
			if first != tc.given || times != tc.times {
				t.Errorf("given back at %d, %d times; want %d, %d", first, times, tc.given, tc.times)
			}
		})
	}
}

// Four times what lives may lie about, but no more than a GiB, or than lives.
func TestGarbage(t *testing.T) {
	t.Parallel()
	const mib = 1 << 20
	for _, tc := range []struct {
		live uint64 // MiB
		want int    // percent
	}{
		{0, 400}, {1, 400}, {256, 400}, {512, 200}, {1024, 100}, {64 * 1024, 100},
	} {
		if got := percentFor(tc.live * mib); got != tc.want {
			t.Errorf("%d MiB: %d %%, want %d", tc.live, got, tc.want)
		}
	}
}
