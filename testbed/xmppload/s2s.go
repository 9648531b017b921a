package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
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
	reply   map[string]string // where each of our domains connects to answer pings; nil: nobody answers
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

func (w *world) admit(p *peerIn, how string) {
	p.how, p.authedAt = how, time.Now()
	p.authBytes = [3]int64{atomic.LoadInt64(&p.x.raw.in), atomic.LoadInt64(&p.x.raw.out), atomic.LoadInt64(&p.x.raw.flights)}
	w.mu.Lock()
	w.accepted = append(w.accepted, p)
	w.mu.Unlock()
}
