package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// world is the pair of XMPP servers this program plays.
type world struct {
	secret  []byte
	cert    []tls.Certificate
	noCert  bool        // present no certificate when dialling out
	cfg     *tls.Config // CA settings
	tlsMode string
	auth    string
	onElem  func(to string, el []byte)
	reply   string // where our domains connect to answer pings; empty: nobody answers
	// what the other side did towards our listeners
	mu       sync.Mutex
	accepted []*peerIn
	verified atomic.Int64
	dialling sync.Mutex          // held while a stream for answers is dialled; never together with mu
	answers  map[string]*xstream // streams dialled to answer pings, by domain pair
}

// peerIn is one inbound stream and what it cost.
type peerIn struct {
	x         *xstream
	from, to  string
	how       string
	openedAt  time.Time
	authedAt  time.Time
	authBytes [3]int64 // in, out, flights when authenticated
}

func (w *world) key(to, from, id string) string {
	m := hmac.New(sha256.New, w.secret)
	m.Write([]byte(to + " " + from + " " + id))
	return hex.EncodeToString(m.Sum(nil))
}

func s2sOpen(from, to, id string) string {
	s := "<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:db='jabber:server:dialback' xmlns:stream='http://etherx.jabber.org/streams' version='1.0' xml:lang='en'"
	if from != "" {
		s += " from='" + esc(from) + "'"
	}
	if to != "" {
		s += " to='" + esc(to) + "'"
	}
	if id != "" {
		s += " id='" + id + "'"
	}
	return s + ">"
}

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

func (w *world) serve(nc net.Conn) {
	x := newXstream(nc)
	defer nc.Close()
	if w.tlsMode == "direct" && x.startTLS(w.serverTLS(), true) != nil {
		return
	}
	p := &peerIn{x: x, openedAt: time.Now()}
	external := false // the last stream header came after SASL
	var id string
	for {
		el, err := x.next()
		if err != nil {
			return
		}
		switch elName(el) {
		case "stream":
			b := make([]byte, 8)
			rand.Read(b)
			id = hex.EncodeToString(b)
			from, to := attr(el, "from"), attr(el, "to")
			if from != "" {
				p.from = from
			}
			p.to = to
			f := "<stream:features>"
			switch {
			case !x.tls && w.tlsMode != "none":
				f += "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>"
			case external:
			default:
				if w.auth == "external" {
					f += "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>EXTERNAL</mechanism></mechanisms>"
				}
				f += "<dialback xmlns='urn:xmpp:features:dialback'><errors/></dialback>"
			}
			if x.send(s2sOpen(to, from, id)+f+"</stream:features>") != nil {
				return
			}
		case "starttls":
			x.send("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
			if err := x.startTLS(w.serverTLS(), true); err != nil {
				return
			}
		case "auth":
			external = true
			w.admit(p, "external")
			x.send("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
		case "result":
			from, to := attr(el, "from"), attr(el, "to")
			p.from, p.to = from, to
			w.admit(p, "dialback")
			x.send("<db:result from='" + esc(to) + "' to='" + esc(from) + "' type='valid'/>")
		case "verify":
			from, to, vid := attr(el, "from"), attr(el, "to"), attr(el, "id")
			key := strings.TrimSpace(string(childText(el, "db:verify")))
			typ := "invalid"
			if hmac.Equal([]byte(key), []byte(w.key(from, to, vid))) {
				typ = "valid"
			}
			w.verified.Add(1)
			x.send("<db:verify from='" + esc(to) + "' to='" + esc(from) + "' id='" + esc(vid) + "' type='" + typ + "'/>")
		case "message", "iq", "presence":
			w.pong(el)
			if w.onElem != nil {
				w.onElem(p.to, el)
			}
		}
	}
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

func (w *world) clientTLS(to string) *tls.Config {
	cfg := w.cfg.Clone()
	cfg.ServerName = to
	if !w.noCert {
		cfg.Certificates = w.cert
	}
	return cfg
}

func (w *world) admit(p *peerIn, how string) {
	p.how, p.authedAt = how, time.Now()
	p.authBytes = [3]int64{atomic.LoadInt64(&p.x.raw.in), atomic.LoadInt64(&p.x.raw.out), atomic.LoadInt64(&p.x.raw.flights)}
	w.mu.Lock()
	w.accepted = append(w.accepted, p)
	w.mu.Unlock()
}

// dial opens a stream as domain from to domain to and authenticates it.
func (w *world) dial(addr, from, to string, timeout time.Duration) (*xstream, error) {
	nc, err := net.DialTimeout("tcp", addr, timeout)
	if err != nil {
		return nil, err
	}
	x := newXstream(nc)
	x.deadline(timeout)
	if w.tlsMode == "direct" {
		if err := x.startTLS(w.clientTLS(to), false); err != nil {
			return nil, err
		}
		x.raw.SetDeadline(time.Now().Add(timeout))
	}
	var id string
	open := func() (string, error) {
		if err := x.send(s2sOpen(from, to, "")); err != nil {
			return "", err
		}
		for {
			el, err := x.next()
			if err != nil {
				return "", err
			}
			switch elName(el) {
			case "stream":
				id = attr(el, "id")
			case "features":
				return string(el), nil
			case "error":
				return "", fmt.Errorf("%s", el)
			}
		}
	}
	feat, err := open()
	if err != nil {
		return nil, err
	}
	if w.tlsMode == "starttls" {
		if !strings.Contains(feat, "xmpp-tls") {
			return nil, fmt.Errorf("no STARTTLS offered: %s", feat)
		}
		x.send("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
		if _, _, err := x.expect("proceed"); err != nil {
			return nil, err
		}
		if err := x.startTLS(w.clientTLS(to), false); err != nil {
			return nil, err
		}
		x.raw.SetDeadline(time.Now().Add(timeout))
		if feat, err = open(); err != nil {
			return nil, err
		}
	}
	if w.auth == "external" {
		if !strings.Contains(feat, "EXTERNAL") {
			return nil, fmt.Errorf("no EXTERNAL offered: %s", feat)
		}
		x.send("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>" + base64.StdEncoding.EncodeToString([]byte(from)) + "</auth>")
		if _, _, err := x.expect("success"); err != nil {
			return nil, err
		}
		if _, err := open(); err != nil {
			return nil, err
		}
	} else {
		x.send("<db:result from='" + esc(from) + "' to='" + esc(to) + "'>" + w.key(to, from, id) + "</db:result>")
		_, el, err := x.expect("result")
		if err != nil {
			return nil, err
		}
		if attr([]byte(el), "type") != "valid" {
			return nil, fmt.Errorf("dialback: %s", el)
		}
	}
	x.deadline(0)
	return x, nil
}

// pong answers a ping (XEP-0199), which is how a gateway learns that what it wrote before has arrived. The answer
// goes over a stream of its own, as between servers without XEP-0288.
func (w *world) pong(el []byte) {
	if w.reply == "" || elName(el) != "iq" || attr(el, "type") != "get" || !bytes.Contains(el, []byte("urn:xmpp:ping")) {
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
	x, err := w.dial(w.reply, from, to, 20*time.Second)
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
