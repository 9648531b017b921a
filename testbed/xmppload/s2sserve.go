package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"net"
	"strings"
	"time"
)

// listen answers the streams that others open to our domains.
func (w *world) listen(addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go w.serve(c)
		}
	}()
	return l, nil
}

// serving is one inbound stream.
type serving struct {
	*peerIn
	w        *world
	external bool // the last stream header came after SASL
}

func (w *world) serve(nc net.Conn) {
	defer nc.Close()
	x := newXstream(nc)
	if w.tlsMode == "direct" && x.startTLS(w.serverTLS(), true) != nil {
		return
	}
	s := &serving{peerIn: &peerIn{x: x, openedAt: time.Now()}, w: w}
	for {
		el, err := x.next()
		if err != nil || !s.take(el) {
			return
		}
	}
}

// take answers one element; false ends the stream.
func (s *serving) take(el []byte) bool {
	switch elName(el) {
	case "stream":
		return s.open(el)
	case "starttls":
		s.x.send("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
		return s.x.startTLS(s.w.serverTLS(), true) == nil
	case "auth":
		s.external = true
		s.w.admit(s.peerIn, "external")
		s.x.send("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
	case "result":
		s.from, s.to = attr(el, "from"), attr(el, "to")
		s.w.admit(s.peerIn, "dialback")
		s.x.send("<db:result from='" + esc(s.to) + "' to='" + esc(s.from) + "' type='valid'/>")
	case "verify":
		s.verify(el)
	case "message", "iq", "presence":
		s.w.pong(el)
		if s.w.onElem != nil {
			s.w.onElem(s.to, el)
		}
	}
	return true
}

func (s *serving) open(el []byte) bool {
	b := make([]byte, 8)
	rand.Read(b)
	from, to := attr(el, "from"), attr(el, "to")
	if from != "" {
		s.from = from
	}
	s.to = to
	f := "<stream:features>"
	switch {
	case !s.x.tls && s.w.tlsMode != "none":
		f += "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>"
	case s.external:
	default:
		if s.w.auth == "external" {
			f += "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>EXTERNAL</mechanism></mechanisms>"
		}
		f += "<dialback xmlns='urn:xmpp:features:dialback'><errors/></dialback>"
	}
	return s.x.send(s2sOpen(to, from, hex.EncodeToString(b))+f+"</stream:features>") == nil
}

func (s *serving) verify(el []byte) {
	from, to, vid := attr(el, "from"), attr(el, "to"), attr(el, "id")
	key := strings.TrimSpace(string(childText(el, "db:verify")))
	typ := "invalid"
	if hmac.Equal([]byte(key), []byte(s.w.key(from, to, vid))) {
		typ = "valid"
	}
	s.w.verified.Add(1)
	s.x.send("<db:verify from='" + esc(to) + "' to='" + esc(from) + "' id='" + esc(vid) + "' type='" + typ + "'/>")
}

func (w *world) serverTLS() *tls.Config {
	cfg := w.cfg.Clone()
	cfg.Certificates = w.cert
	cfg.ClientAuth = tls.RequestClientCert
	if cfg.RootCAs != nil {
		cfg.ClientCAs = cfg.RootCAs
		cfg.ClientAuth = tls.VerifyClientCertIfGiven
	}
	return cfg
}

// pong answers a ping (XEP-0199), which is how a gateway learns that what it wrote before has arrived. The answer
// goes over a stream of its own, as between servers without XEP-0288.
func (w *world) pong(el []byte) {
	if w.reply == nil || elName(el) != "iq" || attr(el, "type") != "get" || !bytes.Contains(el, []byte("urn:xmpp:ping")) {
		return
	}
	us, them := attr(el, "to"), attr(el, "from")
	answer := "<iq type='result' from='" + esc(us) + "' to='" + esc(them) + "' id='" + esc(attr(el, "id")) + "'/>"
	go func() {
		x, err := w.answering(domainOf(us), domainOf(them))
		if err == nil {
			x.send(answer)
		}
	}()
}

func (w *world) answering(from, to string) (*xstream, error) {
	w.dialling.Lock()
	defer w.dialling.Unlock()
	if x := w.answers[from+" "+to]; x != nil {
		return x, nil
	}
	x, err := w.dial(w.reply[from], from, to, 20*time.Second)
	if err != nil {
		return nil, err
	}
	if w.answers == nil {
		w.answers = map[string]*xstream{}
	}
	w.answers[from+" "+to] = x
	go func() {
		for {
			if _, err := x.next(); err != nil {
				return
			}
		}
	}()
	return x, nil
}

func domainOf(jid string) string {
	jid, _, _ = strings.Cut(jid, "/")
	if _, domain, ok := strings.Cut(jid, "@"); ok {
		return domain
	}
	return jid
}
