package disk_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"sallyport/internal/disk"
)

func TestParseFrame(t *testing.T) {
	good := disk.AppendFrame(nil, disk.Frame{Mark: 7, Payload: []byte("payload")})
	length := func(n uint32) []byte {
		b := bytes.Clone(good)
		binary.BigEndian.PutUint32(b, n)
		return b
	}
	flip := func(at int) []byte {
		b := bytes.Clone(good)
		b[at] ^= 1
		return b
	}
	tests := []struct {
		name string
		in   []byte
		want error
	}{
		{"whole", good, nil},
		{"followed by more", append(bytes.Clone(good), 1, 2, 3), nil},
		{"empty", nil, disk.ErrShort},
		{"half a header", good[:5], disk.ErrShort},
		{"half a payload", good[:len(good)-1], disk.ErrShort},
		{"length 0", length(0), disk.ErrFrame},
		{"length beyond the limit", length(disk.MaxFrameBytes + 1), disk.ErrFrame},
		{"length too small", length(6), disk.ErrFrame},
		{"mark changed", flip(7), disk.ErrFrame},
		{"checksum changed", flip(8), disk.ErrFrame},
		{"payload changed", flip(len(good) - 1), disk.ErrFrame},
		{"zeros", make([]byte, 64), disk.ErrFrame},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, rest, err := disk.ParseFrame(tt.in)
			if !errors.Is(err, tt.want) {
				t.Fatalf("got %v, want %v for % x", err, tt.want, tt.in)
			}
			if err == nil && (f.Mark != 7 || string(f.Payload) != "payload" || len(rest) != len(tt.in)-len(good)) {
				t.Errorf("got %d %q and %d bytes after it", f.Mark, f.Payload, len(rest))
			}
		})
	}
}

func FuzzParseFrame(f *testing.F) {
	f.Add([]byte{})
	f.Add(disk.AppendFrame(nil, disk.Frame{Payload: []byte("x")}))
	f.Fuzz(func(t *testing.T, b []byte) {
		v, rest, err := disk.ParseFrame(b)
		if err != nil {
			return
		}
		again, _, err := disk.ParseFrame(disk.AppendFrame(nil, v))
		if err != nil || again.Mark != v.Mark || !bytes.Equal(again.Payload, v.Payload) {
			t.Fatalf("% x: %v != %v (%v)", b, again, v, err)
		}
		if len(rest)+len(v.Payload)+disk.FrameHeaderBytes != len(b) {
			t.Fatalf("% x: %d bytes left", b, len(rest))
		}
	})
}
