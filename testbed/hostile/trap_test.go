package hostile_test

import (
	"crypto/tls"
	"strings"
	"testing"

	"sallyport/gateway/audit"
)

const (
	offerTLS = "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>"
	proceed  = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
)

// trapped is a case in which the node connects to a server that misbehaves: somebody at b.example writes to its domain.
type trapped struct {
	name   string
	script func(r *raw, domain string) // after the node's header
	said   string                      // what the node must say in the end, "" for any
	never  []string                    // what it must never say
	told   string                      // what the sender hears, "" for any error
	event  string                      // audit rule that must be recorded
	reason string                      // how its reason begins
}

// never are the things that must not be said to a server that has not proven itself.
var credentials = []string{"<auth", "<message", "db:result", "db:verify"}

func trapRow(name string, cases ...trapped) row {
	return row{name, func(t *testing.T, w *world) {
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				w.spring(t, &c)
			})
		}
	}}
}

// insider is somebody at b.example who writes to domain, over a stream of his own.
func (w *world) insider(t *testing.T, domain, id string) *raw {
	t.Helper()
	r := w.dial(t, w.inside)
	r.authenticated("b.example", domain, w.bCert)
	r.say(good("b.example", domain, id))
	return r
}

func (w *world) spring(t *testing.T, c *trapped) {
	t.Helper()
	domain := w.id("t") + ".trap.example"
	heard := make(chan string, 4)
	w.trap.play(t, domain, func(r *raw) {
		r.hear(">")
		r.hear(">")
		all := r.tap.now()
		c.script(r, domain)
		r.endPolitely(closeLimit)
		select {
		case heard <- string(r.tap.since(all)):
		default:
		}
	})
	seq, id := w.audit.read(), w.id("to-trap")
	w.insider(t, domain, id)
	said := <-heard
	if c.said != "" && !strings.Contains(said, c.said) {
		t.Errorf("the node said %.600q, want %q", said, c.said)
	}
	for _, never := range append(c.never, id, "fine "+id) {
		if strings.Contains(said, never) {
			t.Errorf("the node said %q: %.600q", never, said)
		}
	}
	if c.event != "" {
		w.audit.await(t, seq, c.event+" "+c.reason, func(e *audit.Entry) bool {
			return e.Rule == c.event && e.From == domain && strings.HasPrefix(e.Reason, c.reason)
		})
	}
	// The sender is told; the message was never out, so that is no doubt.
	e := w.b.await(t, id)
	if e == nil {
		return
	}
	if cond, _, _ := errorOf(e); cond == "" || c.told != "" && cond != c.told {
		t.Errorf("the sender was told %s", canonical(e))
	}
}

// secureAs is the server side of STARTTLS, from the header on.
func (w *world) secureAs(r *raw, domain string, cert *tls.Certificate) bool {
	r.sayf(stationHeader+offerTLS, domain, "b.example")
	r.hear("<starttls")
	r.hear(">")
	r.say(proceed)
	if cert == nil {
		cert = &w.trap.cert
	}
	c := tls.Server(r.conn, &tls.Config{Certificates: []tls.Certificate{*cert}, ClientAuth: tls.RequestClientCert})
	_ = r.tcp.SetDeadline(deadline(patience))
	if err := c.Handshake(); err != nil {
		return false
	}
	r.conn, r.text = c, ""
	r.hear("<stream:stream")
	r.hear(">")
	return true
}
