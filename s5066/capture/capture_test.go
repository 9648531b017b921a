package capture_test

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"sallyport/s5066/capture"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, 3, 1, 12, 0, 0, 1500, time.UTC)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestFileFormat(t *testing.T) {
	t.Parallel()
	got := capture.AppendRecord(capture.AppendHeader(nil, capture.LinkDPDU), noon, []byte{0x90, 0xEB})
	want := unhex(t, "a1b2c3d4 0002 0004 00000000 00000000 00010000 000000ed"+"69a42a40 00000001 00000002 00000002 90eb")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// packets are the records of a file, without its header.
func packets(t testing.TB, b []byte) [][]byte {
	t.Helper()
	var all [][]byte
	for len(b) > 0 {
		n := binary.BigEndian.Uint32(b[8:])
		all = append(all, b[16:16+n])
		b = b[16+n:]
	}
	return all
}

// sum is 0 over a header whose checksum is right.
func sum(b []byte) uint16 {
	s := uint32(0)
	for i := 0; i < len(b); i += 2 {
		w := uint32(b[i]) << 8
		if i+1 < len(b) {
			w |= uint32(b[i+1])
		}
		s += w
	}
	for s > 0xFFFF {
		s = s>>16 + s&0xFFFF
	}
	return ^uint16(s)
}

func TestPacketsOfAConnection(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, client, node string
		ip                 int // bytes of the IP header
		pseudo             func(p []byte) []byte
	}{
		{"IPv4", "127.0.0.2:40001", "127.0.0.1:5066", 20, func(p []byte) []byte {
			return append(append([]byte{}, p[12:20]...), 0, 6, byte((len(p)-20)>>8), byte(len(p)-20))
		}},
		{"IPv6", "[::1]:40001", "[::1]:5066", 40, func(p []byte) []byte {
			return append(append([]byte{}, p[8:40]...), 0, 6, byte((len(p)-40)>>8), byte(len(p)-40))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := capture.NewStream(netip.MustParseAddrPort(c.client), netip.MustParseAddrPort(c.node))
			b := s.Append(nil, noon, capture.Client, []byte("hello"))
			b = s.Append(b, noon, capture.Node, make([]byte, 20_000))
			b = s.AppendEnd(b, noon, capture.Client)
			var got []string
			for _, p := range packets(t, b) {
				if c.ip == 20 && sum(p[:20]) != 0 {
					t.Errorf("checksum of the IP header % x", p[:20])
				}
				if sum(append(c.pseudo(p), p[c.ip:]...)) != 0 {
					t.Errorf("checksum of the TCP header % x", p[c.ip:c.ip+20])
				}
				h := p[c.ip:]
				got = append(got, fmt.Sprintf("%d>%d seq %d ack %d flags %#x: %d bytes", binary.BigEndian.Uint16(h), binary.BigEndian.Uint16(h[2:]),
					binary.BigEndian.Uint32(h[4:]), binary.BigEndian.Uint32(h[8:]), h[13], len(h)-20))
			}
			want := []string{
				"40001>5066 seq 1 ack 1 flags 0x18: 5 bytes", "5066>40001 seq 1 ack 6 flags 0x18: 16384 bytes",
				"5066>40001 seq 16385 ack 6 flags 0x18: 3616 bytes", "40001>5066 seq 6 ack 20001 flags 0x11: 0 bytes",
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// Two frames of Annex C, one with a segment.
const (
	ackFrame  = "90eb 1000 01 e7 10203045060708 01 b45f"
	dataFrame = "90eb 0000 0a e9 10203045060708 ec0900 d4c8 0006990068656c6c6f 46b373f7"
)

func TestFramesAreCutHoweverTheyCome(t *testing.T) {
	t.Parallel()
	ack, data := unhex(t, ackFrame), unhex(t, dataFrame)
	damaged := append([]byte{}, data...)
	damaged[20] ^= 1
	line := append(append(append(append([]byte("noise\x90"), ack...), data...), 0x90, 0xEB, 0xFF, 0x00), damaged...)
	line = append(line, ack...)
	want := [][]byte{ack, data, damaged, ack}
	for _, size := range []int{1, 7, len(line)} {
		var f capture.Frames
		var records []byte
		for rest := line; len(rest) > 0; {
			n := min(size, len(rest))
			records = f.Append(records, noon, rest[:n])
			rest = rest[n:]
		}
		if diff := cmp.Diff(want, packets(t, records)); diff != "" {
			t.Errorf("in pieces of %d: -want +got:\n%s", size, diff)
		}
		if f.Count() != 4 {
			t.Errorf("counted %d", f.Count())
		}
	}
}

func FuzzFrames(f *testing.F) {
	f.Add(unhex(f, ackFrame), 3)
	f.Add(unhex(f, dataFrame), 1000)
	f.Add([]byte{0x90, 0xEB, 0x90, 0xEB}, 1)
	f.Fuzz(func(t *testing.T, line []byte, size int) {
		size = max(size%2000, 1)
		var whole, cut capture.Frames
		want := whole.Append(nil, noon, line)
		var got []byte
		for rest := line; len(rest) > 0; {
			n := min(size, len(rest))
			got = cut.Append(got, noon, rest[:n])
			rest = rest[n:]
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("in pieces of %d: -whole +pieces:\n%s", size, diff)
		}
	})
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", e.Name(), info.Mode())
		}
		all = append(all, e.Name())
	}
	return all
}

func TestASeriesIsBounded(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := capture.OpenSeries(filepath.Join(dir, "air"), capture.LinkIP, 70_000, 3)
	if err != nil {
		t.Fatal(err)
	}
	record := capture.AppendRecord(nil, noon, make([]byte, 30_000))
	for range 11 {
		if _, err := s.Write(record); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"air-0004.pcap", "air-0005.pcap", "air-0006.pcap"}, names(t, dir)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for n, want := range map[int]int{5: 2, 6: 1} {
		b, err := os.ReadFile(s.Name(n))
		if err != nil {
			t.Fatal(err)
		}
		if got := len(packets(t, b[24:])); got != want {
			t.Errorf("file %d has %d packets, want %d", n, got, want)
		}
	}
	if _, err := s.Write(record); !errors.Is(err, os.ErrClosed) {
		t.Errorf("a closed series takes records: %v", err)
	}
	if _, err := capture.OpenSeries(filepath.Join(dir, "x"), capture.LinkIP, 100, 1); err == nil {
		t.Error("files that hold no packet are accepted")
	}
}

// A client says hello to a node while a capture runs, and before.
func TestSwitch(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var sw capture.Switch
	here, there := net.Pipe()
	client := sw.Tap(here, capture.Client)
	exchange := func(text string) {
		t.Helper()
		written := make(chan error, 1)
		go func() {
			_, err := client.Write([]byte(text))
			written <- err
		}()
		buf := make([]byte, 100)
		n, err := there.Read(buf)
		if err := errors.Join(err, <-written); err != nil || string(buf[:n]) != text {
			t.Fatalf("%q, %v", buf[:n], err)
		}
	}
	exchange("unseen")
	o := capture.Options{Prefix: filepath.Join(dir, "day"), StandardPort: true}
	if err := sw.On(o); err != nil {
		t.Fatal(err)
	}
	if err := sw.On(o); !errors.Is(err, capture.ErrOn) {
		t.Errorf("a second capture: %v", err)
	}
	go func() { _, _ = there.Write([]byte("bind")) }()
	buf := make([]byte, 100)
	if _, err := client.Read(buf); err != nil {
		t.Fatal(err)
	}
	sw.Modem(noon, capture.Keyed, unhex(t, ackFrame))
	sw.Modem(noon, capture.Heard, unhex(t, dataFrame)[:20])
	sw.ModemEnd(noon, capture.Heard)
	sw.Modem(noon, capture.Heard, unhex(t, ackFrame))
	stats, err := sw.Off()
	if diff := cmp.Diff(capture.Stats{Primitives: 1, Frames: 3}, stats); diff != "" || err != nil {
		t.Errorf("%v -want +got:\n%s", err, diff)
	}
	exchange("unseen again")
	if err := errors.Join(client.Close(), there.Close()); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"day-dpdu-0001.pcapng", "day-sis-0001.pcap"}, names(t, dir)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	sis, err := os.ReadFile(filepath.Join(dir, "day-sis-0001.pcap"))
	if err != nil {
		t.Fatal(err)
	}
	all := packets(t, sis[24:])
	if len(all) != 1 || !strings.HasSuffix(string(all[0]), "bind") || binary.BigEndian.Uint16(all[0][20:]) != 5066 {
		t.Errorf("recorded % x", all)
	}
	if err := sw.On(o); err == nil {
		t.Error("what was recorded is written over")
	}
}
