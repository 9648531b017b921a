package c2s

import (
	"net/netip"

	"sallyport/internal/xmpp/jid"
)

// What happened, for an audit.
type What uint8

const (
	NothingSeen What = iota
	LoggedIn
	LoginFailed
	Downgraded     // a login that looks like one with somebody in between
	Throttled      // too many failed: the next has to wait
	TooManyPending // connections of one address that have not logged in
	Parked         // the connection was lost, the session waits
	Resumed
	Expired // not resumed in time
	Hostile // something that no honest client says, and what a stream ended by
	// BadCertificate: the client showed one that proves nothing.
	BadCertificate
	Registered // an account was made
	TLSFailed  // a handshake that we refused
)

var whatNames = [...]string{
	"none", "logged-in", "login-failed", "downgraded", "throttled", "too-many-pending", "parked", "resumed", "expired", "hostile",
	"bad-certificate", "registered", "tls-failed",
}

func (w What) String() string {
	if int(w) < len(whatNames) {
		return whatNames[w]
	}
	return "unknown"
}

// Observation is one such line. Detail is one short line without content, passwords or unescaped words of the client.
type Observation struct {
	What    What
	From    netip.Addr
	Account jid.JID // bare; whom the client meant to be, where it said so
	Detail  string
	Bytes   int // of what a stream ended by, up to the byte that decided it
}

func (s *Server) note(o Observation) {
	if s.cfg.Observe != nil {
		s.cfg.Observe(o)
	}
}
