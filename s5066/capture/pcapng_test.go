package capture_test

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sallyport/s5066/capture"
)

// shown is one packet of a pcapng file as a reader sees it.
type shown struct {
	Comment string
	Flags   uint32
	Bytes   []byte
}

// section reads what AppendSection and AppendPacket wrote.
func section(t *testing.T, b []byte) (all []shown) {
	t.Helper()
	for len(b) > 0 {
		kind, size := binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
		if size%4 != 0 || int(size) > len(b) || binary.BigEndian.Uint32(b[size-4:]) != size {
			t.Fatalf("block of %d bytes in % x", size, b)
		}
		if kind == 6 {
			all = append(all, packet(t, b[8:size-4]))
		}
		b = b[size:]
	}
	return all
}

func packet(t *testing.T, b []byte) (p shown) {
	t.Helper()
	if at := binary.BigEndian.Uint64(b[4:]); at != uint64(noon.UnixMicro()) {
		t.Errorf("at %d", at)
	}
	size := int(binary.BigEndian.Uint32(b[12:]))
	p.Bytes = b[20 : 20+size]
	for b = b[20+(size+3)&^3:]; len(b) > 0; {
		code, n := binary.BigEndian.Uint16(b), int(binary.BigEndian.Uint16(b[2:]))
		switch code {
		case 1:
			p.Comment = string(b[4 : 4+n])
		case 2:
			p.Flags = binary.BigEndian.Uint32(b[4:])
		}
		b = b[4+(n+3)&^3:]
	}
	return p
}

// TestWhatIsHeardIsRecordedAsItCame: damaged segments and headers and what breaks off too, each with what is wrong; noise is not.
func TestWhatIsHeardIsRecordedAsItCame(t *testing.T) {
	t.Parallel()
	ack, data := unhex(t, ackFrame), unhex(t, dataFrame)
	segment := append([]byte{}, data...)
	segment[20] ^= 1
	header := append([]byte{}, ack...)
	header[9] ^= 1
	prefix := filepath.Join(t.TempDir(), "day")
	var sw capture.Switch
	if err := sw.On(capture.Options{Prefix: prefix}); err != nil {
		t.Fatal(err)
	}
	sw.Frame(noon, capture.Keyed, ack)
	for _, b := range [][]byte{[]byte("noise"), segment, header, data[:21]} {
		sw.Modem(noon, capture.Heard, b)
	}
	sw.ModemEnd(noon, capture.Heard)
	sw.Modem(noon, capture.Heard, data)
	sw.ModemEnd(noon, capture.Heard)
	stats, err := sw.Off()
	if err != nil || stats.Frames != 5 {
		t.Errorf("%+v, %v", stats, err)
	}
	b, err := os.ReadFile(prefix + "-dpdu-0001.pcapng")
	if err != nil {
		t.Fatal(err)
	}
	want := []shown{
		{"", 2, ack},
		{"damaged: its segment is not as it was sent", 1<<24 | 1, segment},
		{"damaged: its header is not as it was sent", 1<<24 | 1, header},
		{"damaged: broken off", 1<<24 | 1, data[:21]},
		{"", 1, data},
	}
	if diff := cmp.Diff(want, section(t, b)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestBeginningOfASection(t *testing.T) {
	t.Parallel()
	want := unhex(t, "0a0d0d0a 0000001c 1a2b3c4d 0001 0000 ffffffffffffffff 0000001c"+"00000001 00000014 00ed 0000 00010000 00000014")
	if diff := cmp.Diff(want, capture.AppendSection(nil, capture.LinkDPDU)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
