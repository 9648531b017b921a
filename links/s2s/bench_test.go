package s2s_test

import (
	"context"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"sallyport/links"
	"sallyport/links/s2s"
)

// counting is a sink and a reporter that only count, and say when all is there.
type counting struct {
	in, out atomic.Int64
	want    int64
	done    chan struct{}
}

func (c *counting) Accept(_ context.Context, in links.Inbound) {
	in.Settle()
	c.in.Add(1)
}

func (c *counting) Report(_ uint64, _ links.Disposition, _ error) {
	if c.out.Add(1) == c.want {
		close(c.done)
	}
}

func cpu() float64 {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return float64(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkThrough sends one stanza of about 350 bytes through encoder, TLS, loopback TCP, TLS, tokenizer and sink: what a relay spends on
// its two links together. cpu-ns/op counts both ends.
func BenchmarkThrough(b *testing.B) {
	for _, managed := range []bool{true, false} {
		b.Run(map[bool]string{true: "managed", false: "pinged"}[managed], func(b *testing.B) {
			w := newWorld(b, setup{edit: func(x, y *s2s.Config) {
				x.Peers[0].StreamManagement, y.Peers[0].StreamManagement = managed, managed
				x.Manage.AskEvery, y.Manage.AskEvery = 0, 0
			}})
			c := &counting{want: int64(b.N), done: make(chan struct{})}
			r := release(b, "<presence from='user@a.example/resource' to='other@b.example/resource' id='abcdef'><show>away</show><status>"+
				strings.Repeat("x", 200)+"</status><priority>5</priority></presence>")
			w.b.sink.drop.Store(true)
			w.a.send(b, "a.example", "b.example", 1, 1)
			w.a.rep.wait(b, links.Delivered, 1)
			b.ReportAllocs()
			b.SetBytes(350)
			before := cpu()
			b.ResetTimer()
			for range b.N {
				if err := w.a.Reserve(b.Context(), r.Local(), r.Remote(), 350); err != nil {
					b.Fatal(err)
				}
				w.a.Deliver(links.Consignment{Released: r, Token: 1, Reporter: c})
			}
			<-c.done
			b.ReportMetric((cpu()-before)/float64(b.N), "cpu-ns/op")
		})
	}
}
