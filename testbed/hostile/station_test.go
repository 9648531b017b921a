package hostile_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"sallyport/internal/xmpp/xmlstream"
)

// goodKey is the only dialback key that a station calls its own.
const goodKey = "the-good-key"

// station is a server of ours that the node connects to. It believes everything, acknowledges what it gets (XEP-0198) and
// keeps what it heard.
type station struct {
	name string
	ln   net.Listener
	cert tls.Certificate
	tap  *tap
	hook func(e *xmlstream.Element, at time.Time) bool // true: not to be kept
	wg   sync.WaitGroup

	mu    sync.Mutex
	conns map[net.Conn]bool
	heard map[string][]*xmlstream.Element // by id
	order []*xmlstream.Element
	plays map[string]func(*raw) // by the domain asked for: what to do instead
	talks map[*talk]string      // ordinary connections, with the pair
	keys  []string              // dialback keys that the node made
	// verify answers for the domains of the station (XEP-0220 step 3): the type, or "" for no answer.
	verify func(domain, key string) string
	taps   *taps
	t      testing.TB
}

func newStation(t testing.TB, name string, cert tls.Certificate, all *taps) *station {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &station{
		name: name, ln: ln, cert: cert, tap: all.add("station " + name), taps: all, t: t,
		conns: map[net.Conn]bool{}, heard: map[string][]*xmlstream.Element{}, plays: map[string]func(*raw){}, talks: map[*talk]string{},
		verify: func(_, key string) string {
			if key == goodKey {
				return "valid"
			}
			return "invalid"
		},
	}
	s.wg.Go(s.accept)
	return s
}

func (s *station) address() string { return s.ln.Addr().String() }

func (s *station) accept() {
	for {
		c, err := s.ln.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.conns[c] = true
		s.mu.Unlock()
		s.wg.Go(func() {
			s.serve(c)
			_ = c.Close()
			s.mu.Lock()
			delete(s.conns, c)
			s.mu.Unlock()
		})
	}
}

func (s *station) close() {
	_ = s.ln.Close()
	s.mu.Lock()
	for c := range s.conns {
		_ = c.Close()
	}
	s.mu.Unlock()
	s.wg.Wait()
}

// play makes the station do as told on the next connections for a domain.
func (s *station) play(t testing.TB, domain string, f func(*raw)) {
	s.mu.Lock()
	s.plays[domain] = f
	s.mu.Unlock()
	t.Cleanup(func() {
		s.mu.Lock()
		delete(s.plays, domain)
		s.mu.Unlock()
	})
}

// serve looks at the first header to see whether this is a play.
func (s *station) serve(c net.Conn) {
	first := &strings.Builder{}
	b := make([]byte, 4096)
	for strings.Count(first.String(), ">") < 2 {
		n, err := c.Read(b)
		first.Write(b[:n])
		if err != nil {
			return
		}
	}
	_, to, _ := strings.Cut(first.String(), " to='")
	to, _, _ = strings.Cut(to, "'")
	s.mu.Lock()
	f := s.plays[to]
	s.mu.Unlock()
	if f == nil {
		_ = s.session(&prefixed{Conn: c, head: []byte(first.String())}, nil)
		return
	}
	r := &raw{t: s.t, tcp: c, conn: c, tap: s.tap, taps: s.taps, text: first.String()}
	f(r)
}

// prefixed gives back what was read ahead.
type prefixed struct {
	net.Conn
	head []byte
}

func (p *prefixed) Read(b []byte) (int, error) {
	if len(p.head) > 0 {
		n := copy(b, p.head)
		p.head = p.head[n:]
		return n, nil
	}
	return p.Conn.Read(b)
}

// talk is one connection of an ordinary station.
type talk struct {
	*station
	wmu     sync.Mutex
	conn    net.Conn
	dec     *xmlstream.Decoder
	secure  bool
	proven  bool
	managed bool
	count   uint32
}

var errOver = errors.New("over")

func (s *station) session(c net.Conn, state *tls.ConnectionState) error {
	w := &talk{station: s, conn: c, secure: state != nil}
	defer func() {
		s.mu.Lock()
		delete(s.talks, w)
		s.mu.Unlock()
	}()
	w.dec = xmlstream.NewDecoder(xmlstream.Options{Limits: xmlstream.ServerLimits(), ContentNS: xmlstream.NSServer})
	for {
		ev, err := w.dec.Next()
		switch {
		case err == nil:
			if err := w.event(ev); err != nil {
				return err
			}
		case errors.Is(err, xmlstream.ErrShort):
			if _, err := w.dec.Fill(tee{w.conn, s.tap}); err != nil {
				return err
			}
		default:
			return err
		}
	}
}

// tee is a reader that taps.
type tee struct {
	io.Reader
	tap *tap
}

func (r tee) Read(b []byte) (int, error) {
	n, err := r.Reader.Read(b)
	_, _ = r.tap.Write(b[:n])
	return n, err
}

func (w *talk) say(format string, args ...any) error {
	w.wmu.Lock()
	defer w.wmu.Unlock()
	_, err := fmt.Fprintf(w.conn, format, args...)
	return err
}

func (w *talk) event(ev xmlstream.Event) error {
	switch ev.Kind {
	case xmlstream.HeaderEvent:
		return w.header(ev.Header)
	case xmlstream.EndEvent:
		_ = w.say(goodbye)
		return errOver
	case xmlstream.ElementEvent:
		return w.element(ev.Element)
	}
	return nil
}

const stationHeader = "<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' " +
	"xmlns:db='jabber:server:dialback' version='1.0' id='station-stream' from='%s' to='%s'>"

func (w *talk) header(h xmlstream.Header) error {
	w.mu.Lock()
	w.talks[w] = h.From + " " + h.To
	w.mu.Unlock()
	features := "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>"
	switch {
	case w.proven:
		features = "<sm xmlns='urn:xmpp:sm:3'/>"
	case w.secure:
		features = "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>EXTERNAL</mechanism></mechanisms>" +
			"<dialback xmlns='urn:xmpp:features:dialback'><errors/></dialback>"
	}
	return w.say(stationHeader+"<stream:features>%s</stream:features>", h.To, h.From, features)
}

func (w *talk) element(e *xmlstream.Element) error {
	switch e.Space() + " " + e.Local() {
	case xmlstream.NSTLS + " starttls":
		if err := w.say("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"); err != nil {
			return err
		}
		c := tls.Server(w.conn, &tls.Config{Certificates: []tls.Certificate{w.cert}, ClientAuth: tls.RequestClientCert})
		if err := c.Handshake(); err != nil {
			return err
		}
		w.wmu.Lock()
		w.conn, w.secure = c, true
		w.wmu.Unlock()
		w.dec.Restart(xmlstream.ServerLimits())
	case xmlstream.NSSASL + " auth":
		w.proven = true
		w.dec.Restart(xmlstream.ServerLimits())
		return w.say("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
	case "urn:xmpp:sm:3 enable":
		w.managed = true
		return w.say("<enabled xmlns='urn:xmpp:sm:3'/>")
	case "urn:xmpp:sm:3 r":
		return w.say("<a xmlns='urn:xmpp:sm:3' h='%d'/>", w.count)
	case xmlstream.NSDialback + " result": // whatever is claimed is believed
		from, _ := e.Attr("from")
		to, _ := e.Attr("to")
		w.mu.Lock()
		w.keys = append(w.keys, e.Text())
		w.mu.Unlock()
		return w.say("<db:result from='%s' to='%s' type='valid'/>", to, from)
	case xmlstream.NSDialback + " verify":
		from, _ := e.Attr("from")
		to, _ := e.Attr("to")
		id, _ := e.Attr("id")
		w.mu.Lock()
		verify := w.verify
		w.mu.Unlock()
		if answer := verify(to, e.Text()); answer != "" {
			return w.say("<db:verify from='%s' to='%s' id='%s' type='%s'/>", to, from, id, answer)
		}
	default:
		if e.Space() == xmlstream.NSServer {
			w.stanza(e)
		}
	}
	return nil
}

func (w *talk) stanza(e *xmlstream.Element) {
	w.count++
	if w.hook != nil && w.hook(e, time.Now()) {
		return
	}
	id, _ := e.Attr("id")
	w.mu.Lock()
	w.heard[id] = append(w.heard[id], e)
	w.order = append(w.order, e)
	w.mu.Unlock()
}

// times is how often a stanza with that id has been heard.
func (s *station) times(id string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.heard[id])
}

// await returns the stanza with that id as soon as it is there.
func (s *station) await(t testing.TB, id string) *xmlstream.Element {
	t.Helper()
	if !eventually(t, patience, "station "+s.name+" hears "+id, func() bool { return s.times(id) > 0 }) {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.heard[id][0]
}

// count is how many stanzas were heard altogether, and last the stanzas after the first n.
func (s *station) counted() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.order)
}

func (s *station) after(n int) []*xmlstream.Element {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]*xmlstream.Element(nil), s.order[n:]...)
}

// inject says something on every ordinary connection for a domain.
func (s *station) inject(domain, text string) {
	s.mu.Lock()
	var list []*talk
	for w, pair := range s.talks {
		if strings.HasSuffix(pair, " "+domain) {
			list = append(list, w)
		}
	}
	s.mu.Unlock()
	for _, w := range list {
		_ = w.say("%s", text)
	}
}

// dismiss ends, in order, the connections of pairs that are not to be kept.
func (s *station) dismiss(keep func(pair string) bool) {
	s.mu.Lock()
	var gone []*talk
	for w, pair := range s.talks {
		if !keep(pair) {
			gone = append(gone, w)
		}
	}
	s.mu.Unlock()
	for _, w := range gone {
		_ = w.say(goodbye)
	}
}

// forget gives the memory back.
func (s *station) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard, s.order = map[string][]*xmlstream.Element{}, nil
	s.tap.forget()
}
