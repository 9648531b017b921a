package gateway_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sallyport/links"
)

// TestNotTakenForDelivered: something ends undelivered, its sender cannot be told yet, what was sent after it is confirmed by
// the other gateway, and the node is killed. The mark of the later one covers the number of the first, which was never there: its sender
// is told after the restart.
func TestNotTakenForDelivered(t *testing.T) {
	rows := []struct {
		name string
		do   func(e *ends, first, later func())
	}{
		{"refused on the way out", func(e *ends, first, later func()) {
			e.wires.cut(sat)
			e.wires.cut(hf)
			first()
			e.shore.site.rules = oneRule(`when = { to = ["w@b.example"] }` + "\naction = \"refuse\"")
			e.shore.site.write(e.t)
			e.shore.reloads <- struct{}{}
			later()
			e.mend()
		}},
		{"over its time", func(e *ends, first, later func()) {
			e.wires.cut(sat)
			e.wires.cut(hf)
			first()
			e.settle(11 * time.Minute)
			later()
			e.mend()
		}},
		{"too large for the link", func(e *ends, _, later func()) {
			e.shore.arrive("<message id='first' from='u@a.example/r' to='w@b.example' type='chat'><body>" + strings.Repeat("hello ", 4000) + "</body></message>")
			later()
		}},
	}
	for _, row := range rows {
		for _, pick := range []int{0, 1 << 20} { // nothing that was not synced is there after the kill, or all
			t.Run(fmt.Sprintf("%s, %d", row.name, pick), func(t *testing.T) {
				between(t, func(shore, _ *site) {
					shore.more = strings.ReplaceAll(shore.more, "peer = ", "max-stanza-bytes = \"16 KiB\"\npeer = ") + "\n[spool]\nlifetime = \"10m\"\n"
				}, func(t *testing.T, e *ends) {
					e.settle(time.Second)
					e.shore.node.link.setFate(func(d *delivery) fate { // the error for the sender does not get there
						return fate{keep: d.condition() != "", d: links.Delivered}
					})
					row.do(e, func() {
						e.shore.arrive("<message id='first' from='u@a.example/r' to='w@b.example' type='chat'><body>hello</body></message>")
						e.settle(time.Second)
					}, func() {
						e.shore.arrive(message("later", "a.example", "b.example"))
						e.settle(time.Second)
					})
					e.settle(4 * time.Minute)
					wantSame(t, e.ship.got("b.example"), []string{"later"})
					e.kill(e.shore, func(n int) int { return min(pick, n-1) })
					e.mend()
					e.shore.start(t, e.shore.site)
					e.settle(5 * time.Minute)
					wantSame(t, e.ship.got("b.example"), []string{"later"})
					told := e.shore.node.link.to("a.example")
					if len(told) != 1 || told[0].id != "first" || told[0].condition() == "" {
						t.Errorf("the sender was told %d times: %v", len(told), ids(told))
					}
					if c := e.counts(e.shore); c.Queued != 0 {
						t.Errorf("%+v", c)
					}
				})
			})
		}
	}
}
