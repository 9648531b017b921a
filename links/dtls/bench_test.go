package dtls_test

import (
	"context"
	"net/netip"
	"testing"

	"sallyport/links/dtls"
)

// BenchmarkMessages is a labelled message of 350 bytes from one end to the other over loopback, all lanes busy.
func BenchmarkMessages(b *testing.B) {
	endpoint := func(peer string, at netip.AddrPort) *dtls.Endpoint {
		p := dtls.Peer{Name: peer, Address: at}
		byKey(&p)
		e, err := dtls.Open(b.Context(), dtls.Config{Local: netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 0), Peers: []dtls.Peer{p}}, dtls.Env{})
		if err != nil {
			b.Fatal(err)
		}
		return e
	}
	shore := endpoint("ship", netip.AddrPort{})
	ship := endpoint("shore", netip.MustParseAddrPort(shore.LocalAddr().String()))
	defer func() { _, _ = ship.Close(), shore.Close() }()
	accepted := make(chan *dtls.Association, 1)
	go func() {
		a, err := shore.Accept(b.Context())
		if err != nil {
			b.Error(err)
		}
		accepted <- a
	}()
	a, err := ship.Dial(context.Background(), "shore")
	if err != nil {
		b.Fatal(err)
	}
	far := <-accepted
	each := b.N/a.Lanes() + 1
	b.SetBytes(350)
	b.ReportAllocs()
	b.ResetTimer()
	done := make(chan error, a.Lanes())
	for lane := range a.Lanes() {
		go func() {
			m := make([]byte, 350)
			for range each {
				if err := a.Send(context.Background(), lane, m); err != nil {
					return
				}
			}
		}()
		go func() {
			for range each {
				if _, err := far.Receive(lane); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range a.Lanes() {
		if err := <-done; err != nil {
			b.Fatal(err)
		}
	}
}
