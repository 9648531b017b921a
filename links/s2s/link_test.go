package s2s_test

import (
	"testing"

	"sallyport/links"
	"sallyport/links/s2s"
	"sallyport/peering"
)

// TestMainPath: every way to be proven, both ways to begin TLS, with and without stream management.
func TestMainPath(t *testing.T) {
	rows := []struct {
		name string
		o    setup
		want peering.Method
	}{
		{"EXTERNAL", setup{}, peering.External},
		{"direct TLS", setup{direct: true}, peering.External},
		{"dialback", setup{proofs: s2s.Proofs{Dialback: true}}, peering.Dialback},
		{"without stream management", setup{edit: func(a, b *s2s.Config) {
			a.Peers[0].StreamManagement, b.Peers[0].StreamManagement = false, false
		}}, peering.External},
		{"bidirectional", setup{edit: func(a, b *s2s.Config) { a.Peers[0].Bidi, b.Peers[0].Bidi = true, true }}, peering.External},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			if row.name == "dialback" { // certificates that name nobody: only DNS is left
				row.o.aCert, row.o.bCert = nobody(), nobody()
			}
			w := newWorld(t, row.o)
			w.a.send(t, "a.example", "b.example", 1, 50)
			got := w.b.sink.wait(t, 50)
			inOrder(t, got, 1, 50)
			if in := got[0]; in.Peer != "a" || in.Domain.String() != "a.example" || in.LocalDomain.String() != "b.example" ||
				in.Proof.Method != row.want || in.Link != "s2s" || in.Side != "net" || in.Bytes == 0 {
				t.Errorf("inbound %+v", in)
			}
			w.a.rep.wait(t, links.Delivered, 50)
			w.b.send(t, "b.example", "a.example", 1, 5)
			inOrder(t, w.a.sink.wait(t, 5), 1, 5)
			w.b.rep.wait(t, links.Delivered, 5)
			dialled := w.a.net.dialled() + w.b.net.dialled()
			switch {
			case row.name == "bidirectional" && dialled != 1:
				t.Errorf("%d connections, want one for both directions", dialled)
			case row.name == "dialback" && dialled != 4:
				t.Errorf("%d connections, want two streams and two verifications", dialled)
			}
		})
	}
}
