package badnet_test

import (
	"bytes"
	"io"
	"net"
	"net/netip"
	"os/exec"
	"strings"
	"testing"
	"time"

	"sallyport/testbed/badnet"
)

// TestPath: shares, delays, order and rate come out as they were asked for, and again from the same seed.
func TestPath(t *testing.T) {
	const n = 20_000
	ms := time.Millisecond
	for _, row := range []struct {
		name       string
		w          badnet.Weather
		every      time.Duration // between packets of 1000 bytes
		arrived    [2]float64    // share, from and to
		first      time.Duration
		last       time.Duration // after the last was sent, at most
		overtaking bool
	}{
		{"perfect", badnet.Weather{}, ms, [2]float64{1, 1}, 0, 0, false},
		{"delay", badnet.Weather{Delay: 300 * ms}, ms, [2]float64{1, 1}, 300 * ms, 300 * ms, false},
		{"loss", badnet.Weather{Loss: 0.2, Seed: 1}, ms, [2]float64{0.79, 0.81}, 0, 0, false},
		{"duplicates", badnet.Weather{Duplicate: 0.1, Seed: 2}, ms, [2]float64{1.09, 1.11}, 0, 0, false},
		{"jitter keeps order", badnet.Weather{Delay: 10 * ms, Jitter: 20 * ms, Seed: 3}, ms, [2]float64{1, 1}, 10 * ms, 30 * ms, false},
		{"reordered", badnet.Weather{Delay: 40 * ms, Reorder: 0.05, Seed: 4}, ms, [2]float64{1, 1}, 40 * ms, 50 * ms, true},
		{"a rate that fits", badnet.Weather{Rate: 8_000_000}, ms, [2]float64{1, 1}, ms, ms, false},
		{"twice what fits", badnet.Weather{Rate: 4_000_000}, ms, [2]float64{0.5, 0.51}, 2 * ms, 140 * ms, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			run := func() (all []time.Duration) {
				p := badnet.NewPath(row.w, 1)
				start := time.Unix(0, 0)
				for i := range n {
					for _, at := range p.Packet(start.Add(time.Duration(i)*row.every), 1000) {
						all = append(all, at.Sub(start))
					}
				}
				return all
			}
			got := run()
			if share := float64(len(got)) / n; share < row.arrived[0] || share > row.arrived[1] {
				t.Errorf("%.3f arrived, want %v", share, row.arrived)
			}
			if got[0] < row.first || row.w.Jitter == 0 && got[0] != row.first {
				t.Errorf("the first after %v, want %v", got[0], row.first)
			}
			if last := got[len(got)-1] - (n-1)*row.every; last > row.last {
				t.Errorf("the last %v after it was sent, want %v", last, row.last)
			}
			overtaken := false
			for i := range got[1:] {
				overtaken = overtaken || got[i+1] < got[i]
			}
			if overtaken != row.overtaking {
				t.Errorf("overtaken: %v", overtaken)
			}
			for i, again := range run() {
				if again != got[i] {
					t.Fatal("another run from the same seed differs")
				}
			}
		})
	}
}

// TestNet: TCP crosses in time with what is lost, nothing of it shows outside, and nothing is left.
func TestNet(t *testing.T) {
	before := devices(t)
	n, err := badnet.Open(badnet.Weather{Delay: 20 * time.Millisecond, Loss: 0.05, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	if inside := devices(t); inside != before {
		t.Errorf("devices changed from %q to %q", before, inside)
	}
	var l net.Listener
	if err := n.Do(badnet.Far, func() error {
		l, err = net.ListenTCP("tcp4", net.TCPAddrFromAddrPort(netip.AddrPortFrom(badnet.Far.Address(), 0)))
		return err
	}); err != nil {
		t.Fatal(err)
	}
	want := bytes.Repeat([]byte("0123456789"), 20_000)
	go func() {
		c, err := l.Accept()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = c.Write(want)
		_ = c.Close()
	}()
	start := time.Now()
	var c net.Conn
	if err := n.Do(badnet.Near, func() error {
		c, err = net.DialTCP("tcp4", nil, l.Addr().(*net.TCPAddr))
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took < 40*time.Millisecond {
		t.Errorf("connected in %v", took)
	}
	got, err := io.ReadAll(c)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if s := n.Stats(badnet.Far); s.Lost == 0 || s.Sent < 100 {
		t.Errorf("%+v", s)
	}
	_ = c.Close()
	_ = l.Close()
	cmd := exec.Command("ip", "-brief", "address", "show")
	var out strings.Builder
	cmd.Stdout = &out
	if err := n.Start(badnet.Near, cmd); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil || !strings.Contains(out.String(), "10.203.0.1/24") {
		t.Errorf("inside there is %q, %v", out.String(), err)
	}
	if err := n.Close(); err != nil {
		t.Error(err)
	}
	if after := devices(t); after != before {
		t.Errorf("devices changed from %q to %q", before, after)
	}
	if err := n.Do(badnet.Near, func() error { return nil }); err == nil {
		t.Error("still there")
	}
}

// devices are those of the namespace that the test runs in.
func devices(t *testing.T) string {
	t.Helper()
	all, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, i := range all {
		names = append(names, i.Name)
	}
	return strings.Join(names, " ")
}
