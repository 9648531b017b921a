package gateway_test

import (
	"context"
	"slices"
	"testing"

	"sallyport/gateway/prom"
	"sallyport/internal/xmpp/stream"
	"sallyport/links/s2s"
)

// TestStreamsHaveADirection: what a stream is for is shown in the words of the link, to the operator and to monitoring.
func TestStreamsHaveADirection(t *testing.T) {
	in, out := stream.Inbound.String(), stream.Outbound.String()
	bubble(t, nil, func(t *testing.T, n *node) {
		for _, directions := range [][]string{{in}, {out}, {in, out}} {
			var s s2s.StreamStatus
			for _, d := range directions {
				s.Pairs = append(s.Pairs, s2s.PairStatus{Peer: "b", Direction: d})
			}
			n.link.status.Streams = append(n.link.status.Streams, s)
		}
		shown, err := n.Peer(context.Background(), "b")
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range shown.Open {
			got = append(got, s.Direction)
		}
		if want := []string{"in", "out", "both"}; !slices.Equal(got, want) {
			t.Errorf("peer show says %v, want %v", got, want)
		}
		count := map[string]float64{}
		n.Numbers(func(id prom.ID, value float64, labels ...string) {
			if id == prom.PeerStreams && labels[0] == "b" {
				count[labels[1]] = value
			}
		})
		if count["in"] != 2 || count["out"] != 2 {
			t.Errorf("monitoring counts %v, want two each", count)
		}
	})
}
