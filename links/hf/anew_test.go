package hf_test

import (
	"testing"
	"time"

	"sallyport/links/hf"
	"sallyport/s5066"
	"sallyport/s5066/sis"
)

// TestBegunAnew: of a stream whose first bytes never came, what came behind them is no part of the one that the peer opens in its place
// (found by simulation: it stood where that one's second U_PDU belonged, and a stanza was refused as damaged).
func TestBegunAnew(t *testing.T) {
	bubble(t, hf.Stream, nil, func(t *testing.T, p *pair) {
		time.Sleep(10 * time.Second)
		p.a.offer(0, 1, 2, 3)
		for offset := range uint32(600) { // at once: what has a hole is given up after a while
			p.b.node.indicate(addresses["a.example"], 6, sis.UnidataRequest{
				SAP: 6, Destination: p.b.node.address, Data: []byte(chunk(0, 1, 77, offset+1, "\x00\x00x")), Delivery: s5066.DeliveryMode{Mode: s5066.TxARQ},
			})
		}
		time.Sleep(20 * time.Second)
		p.from(addresses["a.example"], 6, chunk(0, 1, 77, 0, "\x00\x00x")) // late, when another is open already
		time.Sleep(10 * time.Minute)
		p.a.offer(0, 4)
		time.Sleep(10 * time.Minute)
		if got := p.b.came(); len(got) < 4 || got[len(got)-1] != "n4" || p.b.noted("link-down") > 0 || p.b.noted(hf.NoticeReset) > 2 || p.b.noted(hf.NoticeRepeated) == 0 {
			t.Errorf("b got %v, %v", got, p.b.kinds)
		}
	})
}
