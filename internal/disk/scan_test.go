package disk_test

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sallyport/internal/disk"
)

// threeBatches returns a file with frames 0-1, 2-3 and 4-5 in batches, and the offset of each frame.
func threeBatches() (data []byte, at []int64) {
	for range 3 {
		mark := uint32(len(data))
		for range 2 {
			at = append(at, int64(len(data)))
			data = disk.AppendFrame(data, disk.Frame{Mark: mark, Payload: bytes.Repeat([]byte{byte(len(at))}, 40)})
		}
	}
	return data, at
}

func TestScan(t *testing.T) {
	data, at := threeBatches()
	size := int64(len(data))
	damage := func(offsets ...int64) []byte {
		b := bytes.Clone(data)
		for _, o := range offsets {
			b[o+disk.FrameHeaderBytes] ^= 0xff
		}
		return b
	}
	tests := []struct {
		name string
		in   []byte
		want disk.Found
	}{
		{"whole", data, disk.Found{Frames: 6, End: size}},
		{"empty", nil, disk.Found{}},
		{"cut inside the last frame", data[:size-3], disk.Found{Frames: 5, End: at[5], Torn: size - 3 - at[5]}},
		{"cut inside the last batch", data[:at[5]-1], disk.Found{Frames: 4, End: at[4], Torn: at[5] - 1 - at[4]}},
		{"cut inside a header", data[:at[5]+4], disk.Found{Frames: 5, End: at[5], Torn: 4}},
		{"zeros after the end", append(bytes.Clone(data), make([]byte, 100)...), disk.Found{Frames: 6, End: size, Torn: 100}},
		{"hole in the last batch, its other frame whole", damage(at[4]), disk.Found{Frames: 4, End: at[4], Torn: size - at[4]}},
		{"damage in the first batch", damage(at[0]), disk.Found{Frames: 5, End: size, Gaps: []disk.Gap{{0, at[1]}}}},
		{"damage in the middle batch", damage(at[3]), disk.Found{Frames: 5, End: size, Gaps: []disk.Gap{{at[3], at[4]}}}},
		{"damage and a torn tail", damage(at[1], at[5]), disk.Found{Frames: 4, End: at[5], Torn: size - at[5], Gaps: []disk.Gap{{at[1], at[2]}}}},
		{"nothing but noise", bytes.Repeat([]byte{0xa5}, 500), disk.Found{Torn: 500}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			visited := 0
			got := disk.Scan(tt.in, func(int64, disk.Frame) { visited++ })
			if got.Frames != tt.want.Frames || got.End != tt.want.End || got.Torn != tt.want.Torn || !slices.Equal(got.Gaps, tt.want.Gaps) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
			if visited != got.Frames {
				t.Errorf("%d visits for %d frames", visited, got.Frames)
			}
		})
	}
}

func TestScanRestFindsWhatScanHoldsForTorn(t *testing.T) {
	data, at := threeBatches()
	data[at[4]+20] ^= 1
	found := disk.ScanRest(data, at[4], nil)
	if found.Frames != 1 || found.Torn != 0 || !slices.Equal(found.Gaps, []disk.Gap{{at[4], at[5]}}) {
		t.Errorf("got %+v", found)
	}
}

// A forged file with a likely length at every second offset must not cost the square of its size.
func TestScanOfForgedLengthsEnds(t *testing.T) {
	data := make([]byte, 32<<20)
	for i := 0; i+1 < len(data); i += 2 {
		binary.BigEndian.PutUint16(data[i:], 0x00ff)
	}
	began := time.Now()
	found := disk.Scan(data, nil)
	if took := time.Since(began); took > 5*time.Minute {
		t.Errorf("took %v", took)
	}
	if found.Frames != 0 || found.Torn != 0 {
		t.Errorf("got %+v; what cannot be searched must count as damage, not as torn", found)
	}
}

// Whatever happens to the bytes of the last batch, the batches before it are found whole and nothing is called damage.
func TestScanKeepsWhatWasPromised(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var data []byte
		frames, promised, mark := 0, 0, 0
		for range rapid.IntRange(1, 5).Draw(t, "batches") {
			promised, mark = frames, len(data)
			for range rapid.IntRange(1, 4).Draw(t, "frames") {
				payload := rapid.SliceOfN(rapid.Byte(), 1, 60).Draw(t, "payload")
				data = disk.AppendFrame(data, disk.Frame{Mark: uint32(mark), Payload: payload})
				frames++
			}
		}
		tail := data[mark:]
		for range rapid.IntRange(0, 5).Draw(t, "holes") {
			tail[rapid.IntRange(0, len(tail)-1).Draw(t, "hole")] = 0
		}
		data = data[:mark+rapid.IntRange(0, len(tail)).Draw(t, "cut")]
		found := disk.Scan(data, nil)
		if found.Frames < promised || len(found.Gaps) > 0 || found.End < int64(mark) {
			t.Fatalf("%d frames were promised in %d bytes; found %+v", promised, mark, found)
		}
	})
}
