package cas_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"reflect"
	"strings"
	"testing"

	"sallyport/s5066"
	"sallyport/s5066/cas"
	"sallyport/s5066/dpdu"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Verified vectors: link control inside its D_PDU, checksums included (B.1, C.3).
func TestVectorsB1(t *testing.T) {
	t.Parallel()
	a, b := s5066.Unicast(0x1020305), s5066.Unicast(0x1020304)
	for _, c := range []struct {
		hex      string
		from, to s5066.Address
		id       uint16
		want     cas.CPDU
	}{
		{"90eb 8000 02 ef 10203041020305 00 01 00 0001 0000 0004 fcd0 10 aa9c741e", a, b, 0, cas.CPDU{Type: cas.Request}},
		{"90eb 8000 02 ef 10203041020305 00 01 01 0001 0000 0004 60dd 11 6409ded0", a, b, 1, cas.CPDU{Type: cas.Request, Exclusive: true}},
		{"90eb 8000 02 ef 10203051020304 00 01 00 0001 0000 0004 d132 20 5439e93c", b, a, 0, cas.CPDU{Type: cas.Accepted}},
		{"90eb 8000 02 ef 10203051020304 00 01 01 0001 0000 0004 4d3f 33 0dd12b96", b, a, 1, cas.CPDU{Type: cas.Rejected, Reject: cas.RejectExclusive}},
		{"90eb 8000 02 ef 10203041020305 00 01 02 0001 0000 0004 c4cb 44 d2b0eb8d", a, b, 2, cas.CPDU{Type: cas.Break, Break: cas.BreakNoMoreData}},
		{"90eb 8000 02 ef 10203051020304 00 01 02 0001 0000 0004 e929 50 02eea667", b, a, 2, cas.CPDU{Type: cas.BreakConfirm}},
	} {
		raw := unhex(t, c.hex)
		p, rest, err := dpdu.Parse(raw)
		if err != nil || len(rest) != 0 || p.Damaged || p.From != c.from || p.To != c.to || p.NonARQ.ID != c.id {
			t.Errorf("%s: %+v, %v", c.hex, p, err)
			continue
		}
		got, err := cas.Parse(p.Segment)
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, %v, want %+v", c.hex, got, err, c.want)
		}
		segment, err := cas.Append(nil, c.want)
		if err != nil {
			t.Fatal(err)
		}
		p.Segment = segment
		if again, err := dpdu.Append(nil, p); err != nil || !bytes.Equal(again, raw) {
			t.Errorf("% x, %v, want % x", again, err, raw)
		}
	}
}

func TestCPDUsThatAreNone(t *testing.T) {
	t.Parallel()
	if _, err := cas.Parse(nil); !errors.Is(err, cas.ErrShort) {
		t.Error(err)
	}
	if _, err := cas.Parse([]byte{0x60}); !errors.Is(err, cas.ErrUnknown) {
		t.Error(err)
	}
	if _, err := cas.Append(nil, cas.CPDU{Type: 6}); !errors.Is(err, cas.ErrUnknown) {
		t.Error(err)
	}
	if _, err := cas.Append(nil, cas.CPDU{Type: cas.Break, Break: 16}); !errors.Is(err, cas.ErrValue) {
		t.Error(err)
	}
	if p, err := cas.Parse([]byte{0x4F, 1, 2}); err != nil || p.Break != 15 {
		t.Errorf("reasons up to 15 are taken: %+v, %v", p, err)
	}
}

func FuzzCPDU(f *testing.F) {
	for _, s := range []string{"00046600", "10", "11", "20", "33", "44", "50", "60"} {
		f.Add(unhex(f, s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := cas.Parse(b)
		if err != nil {
			return
		}
		raw, err := cas.Append(nil, p)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := cas.Parse(raw); err != nil || !reflect.DeepEqual(p, again) {
			t.Fatalf("% x: %+v became %+v (%v)", b, p, again, err)
		}
	})
}
