package radio_test

import (
	"bufio"
	"encoding/hex"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sallyport/s5066/capture"
	"sallyport/testbed/radio"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// vectors reads a file of hexadecimal bytes with remarks.
func vectors(t *testing.T, name string) [][]byte {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all [][]byte
	for s := bufio.NewScanner(f); s.Scan(); {
		text, _, _ := strings.Cut(s.Text(), "#")
		b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
		if err != nil {
			t.Fatalf("%s: %v", s.Text(), err)
		}
		all = append(all, b)
	}
	return all
}

// file writes a capture.
func file(t *testing.T, link capture.Link, records []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "vectors.pcap")
	if err := os.WriteFile(name, append(capture.AppendHeader(nil, link), records...), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// flawless fails if tshark finds fault with a file.
func flawless(t *testing.T, name string) {
	t.Helper()
	decoded, err := radio.Decode(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	if all := radio.Complaints(decoded); len(all) > 0 {
		t.Errorf("%s: tshark finds fault:\n%s", name, strings.Join(all, "\n"))
	}
}

// counted compares how often each value of a field occurs.
func counted(t *testing.T, name, field string, want map[string]int) {
	t.Helper()
	got, err := radio.Count(t.Context(), name, field)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: -want +got:\n%s", field, diff)
	}
}

func TestPrimitiveVectors(t *testing.T) {
	t.Parallel()
	stream := capture.NewStream(netip.MustParseAddrPort("127.0.0.2:40001"), netip.MustParseAddrPort("127.0.0.1:5066"))
	fromClient := map[byte]bool{1: true, 2: true, 6: true, 7: true, 12: true, 13: true, 17: true, 18: true, 20: true, 24: true}
	var records []byte
	want := map[string]int{}
	for _, v := range vectors(t, "sis-vectors.txt") {
		from := capture.Node
		if fromClient[v[5]] {
			from = capture.Client
		}
		records = stream.Append(records, noon, from, v)
		want[strconv.Itoa(int(v[5]))]++
	}
	if len(want) != 27 {
		t.Fatalf("vectors of %d types: %v", len(want), want)
	}
	name := file(t, capture.LinkIP, records)
	flawless(t, name)
	counted(t, name, "s5066sis.type", want)
	counted(t, name, "s5066sis.ctl.app_id", map[string]int{"0x8001": 1, "0x1002": 1})
}

// tooShort is what the dissector does not look at.
const tooShort = 15

func TestFrameVectors(t *testing.T) {
	t.Parallel()
	var air capture.Frames
	var records []byte
	want := map[string]int{}
	all := vectors(t, "dpdu-vectors.txt")
	for _, v := range all {
		records = air.Append(records, noon, v)
		if len(v) >= tooShort {
			want[strconv.Itoa(int(v[2]>>4))]++
		}
	}
	if air.Count() != uint64(len(all)) {
		t.Errorf("%d frames of %d were recorded", air.Count(), len(all))
	}
	if types := len(want); types != 10 {
		t.Fatalf("vectors of %d types: %v", types, want)
	}
	name := file(t, capture.LinkDPDU, records)
	flawless(t, name)
	counted(t, name, "s5066dts.type", want)
}

// A judge that finds nothing wrong has to be able to.
func TestTheJudgeSeesDamage(t *testing.T) {
	t.Parallel()
	for _, at := range []int{7, 24} { // in the header, in the segment
		v := append([]byte{}, vectors(t, "dpdu-vectors.txt")[6]...)
		v[at] ^= 1
		decoded, err := radio.Decode(t.Context(), file(t, capture.LinkDPDU, capture.AppendRecord(nil, noon, v)))
		if err != nil {
			t.Fatal(err)
		}
		if len(radio.Complaints(decoded)) != 1 {
			t.Errorf("byte %d damaged, and tshark finds no fault:\n%s", at, decoded)
		}
	}
}

// The one fault of tshark that Complaints forgives: confirmations to SAP 9 are well, those to SAP 6 never, whatever they return.
func TestTheJudgeIsBlindInOnePlace(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		sap, kind, malformed byte
		returned             string
	}{
		{9, 22, 0, "hello"}, {6, 22, 1, ""}, {6, 22, 1, "\x10\x07\x00\x00\x80\x01app"}, {7, 27, 1, "hello"}, {2, 23, 1, "hello"}, {9, 23, 0, ""},
	} {
		args := append([]byte{c.kind, 0x10 | c.sap, 0xE1, 2, 3, 4, 0, byte(len(c.returned))}, c.returned...)
		p := append([]byte{0x90, 0xEB, 0, 0, byte(len(args))}, args...)
		stream := capture.NewStream(netip.MustParseAddrPort("127.0.0.2:40001"), netip.MustParseAddrPort("127.0.0.1:5066"))
		decoded, err := radio.Decode(t.Context(), file(t, capture.LinkIP, stream.Append(nil, noon, capture.Node, p)))
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(decoded, "Malformed"); got != int(c.malformed) {
			t.Errorf("type %d to SAP %d: %d times malformed", c.kind, c.sap, got)
		}
		if all := radio.Complaints(decoded); len(all) > 0 {
			t.Errorf("type %d to SAP %d: %v", c.kind, c.sap, all)
		}
	}
}
