package server

import (
	"context"
	"errors"
	"fmt"

	"go.uber.org/zap"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/stream"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/peering"
)

// cleared is a stanza that an account may see: only released and kept make one, and only cleared ones are written.
type cleared struct {
	stanza stanza.Stanza
	form   *xmlstream.Written // may hold what was written of it; nobody looks at it once it is said what became of the stanza
}

// released is what the gate let through.
func released(r *peering.Released) cleared { return cleared{stanza: r.Stanza()} }

// errHidden: the reader must not see it today.
var errHidden = errors.New("the reader is not cleared for it")

// kept is a message that was released to the reader's account before, and was kept or changed by us since.
func (s *Server) kept(m stanza.Stanza, reader jid.JID) (cleared, error) {
	if !s.cfg.Gate.MayRead(m, reader) {
		return cleared{}, errHidden
	}
	return cleared{stanza: m}, nil
}

// Tokens of what is sent, so that it is known again when the client has acknowledged it, or never will.
const (
	tokenNothing uint64 = iota // lost with its session
	tokenMessage               // goes to somebody else
	tokenKept                  // and the entry of the offline store above it
	tokenRequest               // who asks is told
)

const tokenBits = 2

// give writes to a client, or holds it back for one that nobody looks at.
func (s *Server) give(r *resource, c cleared, token uint64) stream.Verdict {
	r.sending.Lock()
	defer r.sending.Unlock()
	if s.holdBack(r, c) {
		return stream.SendKept
	}
	s.giveHeld(r)
	return s.write(r, c, token)
}

// write is the only place where anything is written to a client. r.sending is held.
func (s *Server) write(r *resource, c cleared, token uint64) stream.Verdict {
	var v stream.Verdict
	if again, ok := r.session.(interface {
		SendWritten(e *xmlstream.Element, form *xmlstream.Written, token uint64) stream.Verdict
	}); ok && c.form != nil {
		v = again.SendWritten(c.stanza.Element(), c.form, token)
	} else {
		v = r.session.Send(c.stanza.Element(), token)
	}
	if v == stream.SendFull { // D18: what it holds comes out in Closed
		r.session.Close(stream.Close{Condition: stanza.StreamResourceConstraint, Text: "does not read, or does not acknowledge"})
	}
	return v
}

// handed reports whether a session has taken responsibility.
func handed(v stream.Verdict) bool { return v == stream.SendNow || v == stream.SendKept }

// tell judges what we say and writes it to a client.
func (s *Server) tell(r *resource, m stanza.Stanza) bool {
	rel, err := s.cfg.Gate.Release(m)
	if err != nil {
		s.cfg.Log.Debug("not released", zap.Stringer("to", r.jid), zap.Error(err))
		return false
	}
	return handed(s.give(r, released(&rel), tokenNothing))
}

// Tell is Core.
func (s *Server) Tell(_ context.Context, m stanza.Stanza) error {
	rel, err := s.cfg.Gate.Release(m)
	if err != nil {
		return fmt.Errorf("tell %s: %w", m.To(), err)
	}
	u := s.find(m.To().Bare())
	if u == nil {
		return fmt.Errorf("tell %s: %w", m.To(), errGone)
	}
	r := u.named(m.To())
	if r == nil || !handed(s.give(r, released(&rel), tokenNothing)) {
		return fmt.Errorf("tell %s: %w", m.To(), errGone)
	}
	return nil
}

var errGone = errors.New("nobody is connected there")

// Submit is Core.
func (s *Server) Submit(_ context.Context, m stanza.Stanza) {
	u := s.hold(m.From().Bare())
	defer u.release()
	u.submit(m)
}

// submit says something for the account, behind what we said before. What is too much is not said.
func (u *user) submit(m stanza.Stanza) {
	s := u.server
	if !u.say(func() { s.cfg.Gate.Submit(s.saying, m, 0, func() {}) }) {
		s.cfg.Log.Warn("too much waits to be said for an account, some of it is left out", zap.Stringer("account", u.bare))
	}
}
