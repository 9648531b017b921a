package dtls

import (
	"bytes"
	"net"
	"sync/atomic"
	"time"

	"github.com/pion/dtls/v3"
)

// secure is what SCTP sees of DTLS: its packets, without our control messages, and the handshake in the order that pion needs.
type secure struct {
	*dtls.Conn
	a     *Association
	whole atomic.Bool // the association is made
	// Owned by SCTP's reader.
	heard    bool
	answered bool   // an INIT of ours was
	early    []byte // the neighbour's COOKIE ECHO, while it was not
}

// Types of the chunk that comes first in a packet (RFC 9260 §3.2), after the common header.
const (
	sctpHeader      = 12
	chunkInit       = 1
	chunkInitAck    = 2
	chunkCookieEcho = 10
)

var _ net.Conn = (*secure)(nil)

// Read implements net.Conn for SCTP's one reader.
func (s *secure) Read(b []byte) (int, error) {
	for {
		if s.answered && s.early != nil {
			n := copy(b, s.early)
			s.early = nil
			return n, nil
		}
		n, err := s.Conn.Read(b)
		if err != nil {
			return n, err
		}
		s.a.heard.Store(time.Now().UnixNano())
		if !s.heard {
			s.heard = true // whoever sends under keys has finished the handshake
			s.a.endpoint.settled(s.a.key)
		}
		if typ, t, ok := parseControl(b[:n]); ok {
			s.a.controlled(typ, t)
			continue
		}
		if s.passes(b[:n]) {
			s.a.tally.heard(b[:n])
			return n, nil
		}
	}
}

// passes holds back what would make pion worse. An INIT that comes late would end the association. A COOKIE ECHO before the answer to our
// own INIT would make the association without a slow start: it waits for that answer, which is just behind it, or is sent again.
func (s *secure) passes(packet []byte) bool {
	if len(packet) <= sctpHeader {
		return true
	}
	switch packet[sctpHeader] {
	case chunkInit:
		return !s.whole.Load()
	case chunkInitAck:
		s.answered = true
	case chunkCookieEcho:
		if !s.answered {
			s.early = bytes.Clone(packet)
			return false
		}
	}
	return true
}

// Write implements net.Conn: not between the two halves of a challenge.
func (s *secure) Write(b []byte) (int, error) {
	s.a.tally.sent(b)
	s.a.control.Lock()
	defer s.a.control.Unlock()
	return s.Conn.Write(b)
}
