package hostile_test

import (
	"crypto/tls"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sallyport/internal/tlsid/tlsidtest"
	"sallyport/internal/xmpp/xmlstream"
)

const lanes = 4

// publicLabel is the label PUBLIC of the test policy as an ESSSecurityLabel (RFC 2634 §3.2).
const publicLabel = "<securitylabel xmlns='urn:xmpp:sec-label:0'><label>" +
	"<esssecuritylabel xmlns='urn:xmpp:sec-label:ess:0'>MQoCAQEGBYg3ggIB</esssecuritylabel></label></securitylabel>"

// world is the node that most cases attack, with everybody around it.
//
//	outside                                     inside
//	*.evil.example  attackers, errors back      b.example  receives what crosses
//	c.example       bystander                   d.example  bystander
//	*.trap.example  servers that misbehave
//	*.dial.example  dialback only
type world struct {
	*node
	b, evil, trap, c, d *station
	evilCert, revoked   *tls.Certificate
	bCert               *tls.Certificate
	liar                *liar
	wide                *world // the other one
	lanes               chan *lane
	flows               []*flow
	disk                *disk
	start               baseline
	serial              atomic.Uint64
	secretsMu           sync.Mutex
	secrets             []string
}

// lane is a domain on which one case runs at a time.
type lane struct {
	domain string
	fence  *raw
}

var worldNames = []string{"b.example", "d.example", "c.example", "*.evil.example", "*.trap.example", "*.dial.example", "*.names.example", "xn--bcher-kva.example", "paypa1.example"}

func newWorld(t *testing.T, profile string) *world {
	t.Helper()
	ca := tlsidtest.Must(tlsidtest.NewCA("hostile"))
	w := &world{lanes: make(chan *lane, lanes)}
	var all taps
	cert := tlsidtest.Must(ca.Issue(tlsidtest.Options{DNS: worldNames})).TLS()
	w.b, w.evil, w.trap = newStation(t, "b", cert, &all), newStation(t, "evil", cert, &all), newStation(t, "trap", cert, &all)
	w.c, w.d = newStation(t, "c", cert, &all), newStation(t, "d", cert, &all)
	stations := []*station{w.b, w.evil, w.trap, w.c, w.d}
	t.Cleanup(func() {
		for _, s := range stations {
			s.close()
		}
	})
	gone := tlsidtest.Must(ca.Issue(tlsidtest.Options{DNS: []string{"*.evil.example", "*.trap.example"}}))
	revoked := gone.TLS()
	w.revoked = &revoked
	list := tlsidtest.Must(ca.CRL(time.Now().Add(-time.Hour), time.Now().Add(time.Hour), gone.Cert))
	w.liar = newLiar(t)
	t.Cleanup(w.liar.close)
	const ext, dial = `"external"`, `"dialback"`
	w.node = startNode(t, settings{
		profile: profile, names: worldNames, outside: fmt.Sprintf("crl = [\"revoked.pem\"]\nresolver = [%q]", w.liar.addr), files: map[string][]byte{"revoked.pem": list},
		peers: []peerText{
			{"b", "inside", `"b.example", "bücher.example", "paypa1.example"`, w.b.address(), ext, ""},
			{"d", "inside", `"d.example"`, w.d.address(), ext, ""},
			{"c", "outside", `"c.example"`, w.c.address(), ext, ""},
			{"evil", "outside", `"*.evil.example"`, w.evil.address(), ext, ""},
			{"trap", "outside", `"*.trap.example"`, w.trap.address(), ext, `queue-age = "1s"`},
			{"names", "outside", `"*.names.example"`, "", ext, `queue-age = "2s"`},
			{"dial", "outside", `"*.dial.example"`, w.trap.address(), dial, `queue-age = "1s"`},
		},
		pairs: [][2]string{{"b", "evil"}, {"b", "trap"}, {"b", "dial"}, {"b", "names"}, {"c", "d"}},
	}, ca)
	for _, s := range stations {
		w.taps.all = append(w.taps.all, s.tap)
		s.taps = &w.taps
	}
	w.evilCert = w.leaf(tlsidtest.Options{DNS: []string{"*.evil.example"}})
	w.bCert = w.leaf(tlsidtest.Options{DNS: []string{"b.example"}})
	for i := range lanes {
		l := &lane{domain: fmt.Sprintf("lane%d.evil.example", i)}
		l.fence = w.dial(t, w.outside)
		l.fence.authenticated(l.domain, "b.example", w.evilCert)
		go l.fence.discard()
		w.pass(t, l)
		w.lanes <- l
	}
	return w
}

func (w *world) startFlows(t *testing.T) {
	c := w.leaf(tlsidtest.Options{DNS: []string{"c.example"}})
	d := w.leaf(tlsidtest.Options{DNS: []string{"d.example"}})
	in := startFlow(t, "in", w.node, w.outside, "c.example", "d.example", c)
	out := startFlow(t, "out", w.node, w.inside, "d.example", "c.example", d)
	w.d.hook = in.take
	w.c.hook = out.take
	w.flows, w.disk = []*flow{in, out}, watchDisk(t, w.dir)
	for _, f := range w.flows {
		f.disk = w.disk
		f.run()
	}
}

// lane takes a lane for one case.
func (w *world) lane(t testing.TB) *lane {
	l := <-w.lanes
	t.Cleanup(func() { w.lanes <- l })
	return l
}

// id is one that nobody has had.
func (w *world) id(kind string) string { return fmt.Sprintf("%s-%d", kind, w.serial.Add(1)) }

// good is a message that crosses.
func good(from, to, id string) string {
	return fmt.Sprintf("<message from='u@%s/r' to='v@%s' type='chat' id='%s'>%s<body>fine %s</body></message>", from, to, id, publicLabel, id)
}

// pass sends a fence over the lane's own connection, in both directions: when both are there, everything that was released
// to b.example, or answered to the lane, before it is there too.
func (w *world) pass(t testing.TB, l *lane) {
	t.Helper()
	over, back := w.id("fence"), w.id("fence-back")
	l.fence.say(good(l.domain, "b.example", over) +
		fmt.Sprintf("<message from='u@%s/r' to='v@b.example' type='chat' id='%s'><body>no label</body></message>", l.domain, back))
	w.b.await(t, over)
	w.evil.await(t, back)
}

// login opens a stream of a lane from a fresh address, authenticated.
func (w *world) login(t testing.TB, l *lane) *raw {
	t.Helper()
	r := w.dial(t, w.outside)
	r.authenticated(l.domain, "b.example", w.evilCert)
	return r
}

// errorOf reads condition, type and application condition of an error stanza.
func errorOf(e *xmlstream.Element) (condition, typ, app string) {
	err := e.Child(xmlstream.NSServer, "error")
	if err == nil {
		return "", "", ""
	}
	typ, _ = err.Attr("type")
	for c := range err.Children() {
		switch {
		case c.Space() == nsStanzas && c.Local() == "text":
		case c.Space() == nsStanzas:
			condition = c.Local()
		default:
			app = c.Local()
		}
	}
	return condition, typ, app
}
