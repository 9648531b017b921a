package stream_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sallyport/internal/xmpp/stream"
)

// Every combination of channel, method, bidi and stream management between
// our own two roles: the pair is proven as expected, stanzas flow, the end is clean.
func TestConversations(t *testing.T) {
	methods := []struct {
		name         string
		auth         stream.Methods
		certA, certB stream.Certificate
		inbound      stream.Method
		outbound     stream.Method
	}{
		{"external", stream.AllowExternal, names{domA}, names{domB}, stream.ByExternal, stream.ByExternal},
		{"external or dialback, no certificate", stream.AllowExternal | stream.AllowDialback, nil, nil, stream.ByDialback, stream.ByDialback},
		{"certificate dialback", stream.AllowCertificateDialback, names{domA}, names{domB}, stream.ByCertificateDialback, stream.ByDialback},
		{"dialback", stream.AllowDialback, nil, nil, stream.ByDialback, stream.ByDialback},
		{"dialback, certificates of others", stream.AllowDialback, names{evil}, names{evil}, stream.ByDialback, stream.ByDialback},
	}
	for _, channel := range []string{"starttls", "direct", "plain"} {
		for _, m := range methods {
			for _, bidi := range []bool{false, true} {
				for _, manage := range []bool{false, true} {
					if channel == "plain" && m.inbound != stream.ByDialback {
						continue
					}
					t.Run(fmt.Sprintf("%s/%s/bidi=%v/sm=%v", channel, m.name, bidi, manage), func(t *testing.T) {
						p := stream.Policy{Auth: m.auth, Bidi: bidi, Manage: manage}
						if channel == "plain" {
							p.TLS = stream.AllowPlain
						}
						s := setup{certA: m.certA, certB: m.certB, policyBoth: p, direct: channel == "direct"}
						s.b.OfferTLS = channel == "starttls"
						w := newWorld(t, s)
						checkProven(t, w, m.inbound, m.outbound, bidi, manage)
						checkTraffic(t, w, bidi, manage)
						checkClose(t, w)
					})
				}
			}
		}
	}
}

func checkProven(t *testing.T, w *world, inbound, outbound stream.Method, bidi, manage bool) {
	t.Helper()
	if w.a.ready == nil || w.b.ready == nil {
		t.Fatalf("not ready: a %+v %+v, b %+v %+v", w.a.closed, w.a.notes, w.b.closed, w.b.notes)
	}
	ab, ba := pairOf(domA, domB), pairOf(domB, domA)
	if !w.a.has(ab, stream.Outbound, outbound) || !w.b.has(ba, stream.Inbound, inbound) {
		t.Errorf("pair not proven: a %+v, b %+v", w.a.auth, w.b.auth)
	}
	want := 1
	if bidi {
		want = 2
		if !w.b.has(ba, stream.Outbound, inbound) {
			t.Errorf("b may not send: %+v", w.b.auth)
		}
		reverse := stream.ByResolution
		if w.a.auth[1].RemoteProven {
			reverse = stream.ByServerCertificate
		}
		if !w.a.has(ab, stream.Inbound, reverse) {
			t.Errorf("a does not take: %+v", w.a.auth)
		}
	}
	if len(w.a.auth) != want || len(w.b.auth) != want {
		t.Errorf("%d and %d authorisations, want %d: %+v %+v", len(w.a.auth), len(w.b.auth), want, w.a.auth, w.b.auth)
	}
	if w.a.ready.Bidi != bidi || w.b.m.Bidi() != bidi || w.a.ready.Managed != manage || w.b.m.Managed() != manage {
		t.Errorf("bidi %v %v, managed %v %v; want %v, %v", w.a.ready.Bidi, w.b.m.Bidi(), w.a.m.Managed(), w.b.m.Managed(), bidi, manage)
	}
	if w.a.ready.MaxBytes != 512<<10 || w.a.ready.Idle != 7200 {
		t.Errorf("limits read: %+v", w.a.ready)
	}
	if w.a.ready.ID == "" || w.a.ready.ID != w.b.ready.ID {
		t.Errorf("ids %q and %q", w.a.ready.ID, w.b.ready.ID)
	}
}

func checkTraffic(t *testing.T, w *world, bidi, manage bool) {
	t.Helper()
	for i := range uint64(3) {
		if v := w.a.send(domA, domB, i); v != stream.SendNow {
			t.Errorf("a sends: %v", v)
		}
	}
	back := w.b.send(domB, domA, 100)
	w.run()
	if w.b.ids() != "0 1 2" {
		t.Errorf("b got %q", w.b.ids())
	}
	if bidi && (back != stream.SendNow || w.a.ids() != "100") || !bidi && (back != stream.SendNever || w.a.ids() != "") {
		t.Errorf("b sends: %v, a got %q", back, w.a.ids())
	}
	w.advance(2 * time.Second) // <r/> is due
	if manage && fmt.Sprint(w.a.acked) != "[0 1 2]" || !manage && len(w.a.acked) > 0 {
		t.Errorf("acknowledged to a: %v", w.a.acked)
	}
	if bidi && manage && fmt.Sprint(w.b.acked) != "[100]" {
		t.Errorf("acknowledged to b: %v", w.b.acked)
	}
	if v := w.a.send(domA2, domB, 7); v != stream.SendNever {
		t.Errorf("an unproven pair was sent: %v", v)
	}
}

func checkClose(t *testing.T, w *world) {
	t.Helper()
	w.a.step(stream.Close{})
	w.run()
	if w.a.closed == nil || w.b.closed == nil {
		t.Fatalf("not closed: %v %v", w.a.closed, w.b.closed)
	}
	if w.a.closed.Cause != stream.Finished || w.b.closed.Cause != stream.ClosedByPeer || !w.a.closed.Clean || !w.b.closed.Clean {
		t.Errorf("ends: a %+v, b %+v", *w.a.closed, *w.b.closed)
	}
	if len(w.a.unsure)+len(w.b.unsure) > 0 {
		t.Errorf("unconfirmed after a clean end: %v %v", w.a.unsure, w.b.unsure)
	}
	for _, s := range []*side{w.a, w.b} {
		if n := strings.Count(s.sent, "</stream:stream>"); n != 1 {
			t.Errorf("%s sent %d close tags", s.name, n)
		}
		if len(s.notes) > 0 {
			t.Errorf("%s noted %+v", s.name, s.notes)
		}
	}
}

// What must not be possible, by policy.
func TestRefusals(t *testing.T) {
	all := stream.AllowExternal | stream.AllowCertificateDialback | stream.AllowDialback
	for _, tc := range []struct {
		name         string
		a, b         stream.Policy
		certA, certB stream.Certificate
		offerTLS     bool
	}{
		{"zero policy of the responder", stream.Policy{Auth: all}, stream.Policy{}, names{domA}, names{domB}, true},
		{"zero policy of the initiator", stream.Policy{}, stream.Policy{Auth: all}, names{domA}, names{domB}, true},
		{"E03 no starttls on offer", stream.Policy{Auth: all}, stream.Policy{Auth: all, TLS: stream.AllowPlain}, names{domA}, names{domB}, false},
		{"responder requires TLS and has none", stream.Policy{Auth: all, TLS: stream.AllowPlain}, stream.Policy{Auth: all}, names{domA}, names{domB}, false},
		{"certificate of the responder names another", stream.Policy{Auth: stream.AllowExternal}, stream.Policy{Auth: all}, names{domA}, names{evil}, true},
		{"certificate of the initiator names another", stream.Policy{Auth: all}, stream.Policy{Auth: stream.AllowExternal}, names{evil}, names{domB}, true},
		{"dialback only against certificate only", stream.Policy{Auth: stream.AllowDialback}, stream.Policy{Auth: stream.AllowExternal}, names{domA}, names{domB}, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := setup{certA: tc.certA, certB: tc.certB}
			s.a.Policy, s.b.Policy, s.b.OfferTLS = policyOf(tc.a), policyOf(tc.b), tc.offerTLS
			w := newWorld(t, s)
			w.advance(3 * time.Minute)
			for _, x := range []*side{w.a, w.b} {
				if x.ready != nil || len(x.auth) > 0 || x.closed == nil {
					t.Errorf("%s: ready %v, auth %+v, closed %v", x.name, x.ready, x.auth, x.closed)
				}
			}
			if v := w.a.send(domA, domB, 1); v != stream.SendClosed {
				t.Errorf("send: %v", v)
			}
			if strings.Contains(w.a.sent, "<message") {
				t.Error("a stanza left")
			}
			if fmt.Sprint(w.a.closed.Pending) != fmt.Sprint([]stream.Pair{pairOf(domA, domB)}) && len(w.a.reject) != 1 {
				t.Errorf("nobody was told that the pair failed: %+v", w.a.closed)
			}
		})
	}
}

// A handshake that never ends, or fails, ends the stream without another byte in clear.
func TestHandshakeFails(t *testing.T) {
	for _, failed := range []bool{true, false} {
		w := rawInitiator(t, everything, nil)
		w.b.inject(helloFromB + startTLS)
		w.b.inject(`<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>`)
		if !w.a.wantTLS {
			t.Fatalf("no handshake after proceed; sent %s", w.a.sent)
		}
		before := w.a.sent
		if failed {
			w.a.step(stream.SecureFailed{Cause: "alert"})
		} else {
			w.advance(10 * time.Second)
		}
		if w.a.closed == nil || w.a.closed.Cause != stream.TLSFailed || w.a.sent != before {
			t.Errorf("closed %+v, sent %q since", w.a.closed, w.a.sent[len(before):])
		}
	}
}
