package x2x_test

import (
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/internal/resolve"
	"sallyport/links"
	"sallyport/links/x2x"
)

// rawPeer is somebody else's XEP-0361 server at a.example: it connects, and writes and reads bytes.
func rawPeer(t *testing.T, w *world) net.Conn {
	t.Helper()
	c, err := w.net.dialAs(addrA)(t.Context(), "tcp", portB)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// hear reads what there is after a while.
func hear(c net.Conn, d time.Duration) string {
	_ = c.SetReadDeadline(time.Now().Add(d))
	b, _ := io.ReadAll(c)
	return string(b)
}

// withoutA keeps our own A from getting through.
func withoutA(w *world) { w.a.cfg.Connect = []resolve.Target{{Host: addrB, Port: 1}} }

// TestRawPeer: plain and managed XEP-0361 with a peer that knows nothing of us.
func TestRawPeer(t *testing.T) {
	const presence = "<presence from='u@a.example/r' to='v@b.example'><status>n1</status></presence>"
	rows := []struct {
		name, says, hears, incident string
		mode                        x2x.Mode
		got                         []string
		delivered                   int
		stays                       bool
	}{
		{"stanzas at once, and ours back", presence + presence, "<presence from='u@b.example/r' to='v@a.example'><status>n7</status></presence>", "", x2x.Plain, []string{"n1", "n1"}, 0, true},
		{"O02 another domain", strings.Replace(presence, "u@a.", "u@c.", 1) + presence, "n7", x2x.NoticeForeign, x2x.Plain, []string{"n1"}, 0, true},
		{"O02 not ours", strings.Replace(presence, "v@b.", "v@c.", 1) + presence, "n7", "", x2x.Plain, []string{"refused", "n1"}, 0, true},
		{"O03 stream header", presence + "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams'>", "<bad-format", x2x.IncidentDown, x2x.Plain, []string{"n1"}, 0, false},
		{"O03 SASL", "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>", "<bad-format", x2x.IncidentDown, x2x.Plain, nil, 0, false},
		{"end", presence + "</stream:stream>", "</stream:stream>", x2x.IncidentDown, x2x.Plain, []string{"n1"}, 0, false},
		{"managed: question and answer", presence + "<r xmlns='urn:xmpp:sm:3'/>", "<a xmlns='urn:xmpp:sm:3' h='1'/>", "", x2x.Managed, []string{"n1"}, 0, true},
		{"M01 compression asked for", "<compress xmlns='http://jabber.org/protocol/compress'><method>zlib</method></compress>" + presence, "<unsupported-method", "", x2x.Plain, []string{"n1"}, 0, true},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			bubble(t, setup{mode: row.mode, clear: true, edit: withoutA}, func(t *testing.T, w *world) {
				c := rawPeer(t, w)
				_, _ = io.WriteString(c, row.says)
				wait(time.Second)
				if row.stays {
					w.b.send(t, 7)
				}
				if heard := hear(c, 5*time.Second); !strings.Contains(heard, row.hears) || strings.Contains(heard, "<stream:stream") || strings.Contains(heard, "<?xml") {
					t.Errorf("heard %q, want %q", heard, row.hears)
				}
				if got := w.b.arrived(); !slices.Equal(got, row.got) || !strings.Contains(w.b.kinds(), row.incident) {
					t.Errorf("got %v, incidents %s", got, w.b.kinds())
				}
				if up := w.b.link.Status().State == links.Up; up != row.stays {
					t.Errorf("the link stays %v: %+v", up, w.b.link.Status().Story)
				}
				_ = c.Close()
				wait(time.Second)
			})
		})
	}
}

// TestRawPeerConfirms: a managed peer's answers confirm; without them, the loss is in doubt.
func TestRawPeerConfirms(t *testing.T) {
	bubble(t, setup{mode: x2x.Managed, clear: true, edit: withoutA}, func(t *testing.T, w *world) {
		c := rawPeer(t, w)
		wait(time.Second)
		w.b.send(t, 1)
		w.b.send(t, 2)
		if heard := hear(c, time.Second); strings.Count(heard, "<presence") != 2 || !strings.HasSuffix(heard, "<r xmlns='urn:xmpp:sm:3'/>") {
			t.Errorf("heard %q", heard)
		}
		_, _ = io.WriteString(c, "<a xmlns='urn:xmpp:sm:3' h='1'/>")
		wait(time.Second)
		_ = c.Close()
		wait(time.Second)
		if w.b.tokens[1] != links.Delivered || w.b.tokens[2] != links.InDoubt {
			t.Errorf("%v", w.b.tokens)
		}
	})
}
