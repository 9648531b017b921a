package server_test

import (
	"net/netip"
	"testing"
	"time"

	"sallyport/server"
)

func TestPaces(t *testing.T) {
	t.Parallel()
	const rate, burst = 2, 20
	var p server.Paces
	now := time.Unix(1_800_000_000, 0)
	one, near, far := netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::2"), netip.MustParseAddr("2001:db8:0:1::1")
	four, other := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	takes := func(from netip.Addr, most int) (n int) {
		for n < most && p.Take(now, from, rate) {
			n++
		}
		return n
	}
	for _, step := range []struct {
		name string
		from netip.Addr
		wait time.Duration
		want int
	}{
		{"what may come at once", one, 0, burst},
		{"its neighbour is the same customer", near, 0, 0},
		{"another network", far, 0, burst},
		{"IPv4", four, 0, burst},
		{"another of it", other, 0, burst},
		{"a second later", near, time.Second, rate},
		{"never more than at once", one, time.Hour, burst},
		{"when the clock goes back", one, -time.Hour, 0},
	} {
		now = now.Add(step.wait)
		if got := takes(step.from, 1000); got != step.want {
			t.Errorf("%s: %d, want %d", step.name, got, step.want)
		}
	}
	for range 1000 {
		if !p.Take(now, one, 0) {
			t.Fatal("no rate is a limit")
		}
	}
}
