package dtls_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"sallyport/links"
	"sallyport/peering"
)

// TestMessages: every message arrives once, in the order of its lane, with its bounds, over every kind of network.
func TestMessages(t *testing.T) {
	shipCert, shoreCert := certificates(t, "ship.example", "shore.example")
	rows := []struct {
		name     string
		settings settings
		method   peering.Method
	}{
		{"perfect, shared key", settings{}, peering.SharedKey},
		{"perfect, certificates", settings{ship: shipCert, shore: shoreCert}, peering.External},
		{"slow", settings{weather: weather{delay: 300 * time.Millisecond}, profile: links.Profile{RoundTrip: 600 * time.Millisecond}}, peering.SharedKey},
		{"5 % loss", settings{weather: weather{delay: 20 * time.Millisecond, drop: 0.05, seed: 3}}, peering.SharedKey},
		{"20 % loss, slow", settings{
			weather: weather{delay: 300 * time.Millisecond, drop: 0.2, seed: 4}, profile: links.Profile{RoundTrip: 600 * time.Millisecond},
		}, peering.SharedKey},
		{"reordered and doubled", settings{weather: weather{delay: 20 * time.Millisecond, jitter: 80 * time.Millisecond, twice: 0.3, seed: 5}}, peering.SharedKey},
		{"everything at once, certificates", settings{
			weather: weather{delay: 100 * time.Millisecond, jitter: 200 * time.Millisecond, twice: 0.1, drop: 0.1, seed: 6}, ship: shipCert, shore: shoreCert,
		}, peering.External},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPair(t, row.settings)
				defer p.close()
				ship, shore := p.connect()
				if ship.Peer() != "shore" || shore.Peer() != "ship" || ship.Proof().Method != row.method || shore.Proof().Method != row.method {
					t.Errorf("ship sees %q %v, shore %q %v", ship.Peer(), ship.Proof(), shore.Peer(), shore.Proof())
				}
				const n = 200
				for lane := range ship.Lanes() {
					go func() {
						for i := range n {
							if err := ship.Send(t.Context(), lane, fmt.Appendf(nil, "%d/%d%0*d", lane, i, i*20%3000+1, 0)); err != nil {
								t.Error(err)
								return
							}
						}
					}()
				}
				done := make(chan bool)
				for lane := range shore.Lanes() {
					go func() {
						defer func() { done <- true }()
						for i := range n {
							b, err := shore.Receive(lane)
							if want := fmt.Sprintf("%d/%d%0*d", lane, i, i*20%3000+1, 0); err != nil || string(b) != want {
								t.Errorf("got %.40q %v, want %.40q", b, err, want)
								return
							}
						}
					}()
				}
				for range shore.Lanes() {
					<-done
				}
			})
		})
	}
}
