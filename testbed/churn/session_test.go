package churn_test

import (
	"fmt"
	"sync"
	"time"

	"sallyport/internal/xmpp/xmlstream"
)

const nsSM = "urn:xmpp:sm:3"

// session is what a client has logged in to: it may outlive its connection.
type session struct {
	id      int
	account string
	full    string
	managed bool
	prev    string // to resume by

	mu       sync.Mutex
	h        uint32   // stanzas that came, since management began
	sent     []*said  // stanzas that are not acknowledged by the server, in order; the book knows the messages
	taken    uint32   // of what was sent, acknowledged
	got      []string // messages, directly, in their order
	seen     map[string]bool
	gotH     []uint32 // the count with each
	told     uint32   // h in our last <a/>
	sure     uint32   // h that the server has processed for certain
	asks     map[string]*question
	closed   bool       // no connection
	reading  sync.Mutex // held by who keeps us from reading
	mute     bool       // acknowledges nothing
	wire     wire
	resumed  int
	diedHow  string
	result   func(*xmlstream.Element)
	last     string
	complete bool
}

type question struct {
	what   string
	at     time.Time
	after  func(ok bool)
	doomed bool // the connection went
}

func (s *session) String() string { return fmt.Sprintf("%s#%d", s.full, s.id) }

// ack tells the server what has come.
func (s *session) ack(h uint32) {
	s.mu.Lock()
	s.told = h
	c := s.wire
	s.mu.Unlock()
	_ = c.write(fmt.Sprintf(`<a xmlns='urn:xmpp:sm:3' h='%d'/>`, h))
}

func (s *session) alive() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.closed
}

// tracked: the server learns what its client has.
func (s *session) tracked() bool {
	_, isBOSH := s.conn().(*posts)
	return s.managed || isBOSH
}

// hears: its client was there all the time, and is.
func (s *session) hears() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.closed && s.resumed == 0
}

// sureOf reports whether the server has processed our acknowledgement of a message.
func (s *session) sureOf(body string) bool {
	for i, got := range s.got {
		if got == body {
			return s.gotH[i] <= s.sure
		}
	}
	return false
}

// unanswered is a request that a client who is there has no answer to, empty for none.
func (s *session) unanswered() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, q := range s.asks {
		if !s.closed && !q.doomed {
			return id + " of " + q.at.Format("05.000") + " " + q.what
		}
	}
	return ""
}

// listen waits while somebody keeps the client from reading.
func (s *session) listen() {
	s.reading.Lock()
	defer s.reading.Unlock()
}

// conn is its connection of the moment.
func (s *session) conn() wire {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.wire
}
