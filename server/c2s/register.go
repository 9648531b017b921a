package c2s

import (
	"context"
	"net/netip"
	"time"

	"sallyport/internal/accept"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/stream"
)

// Registrar answers clients that have no account yet (XEP-0077). made is the account that was made, zero for none.
type Registrar interface {
	Register(ctx context.Context, from netip.Addr, want stream.RegisterWanted) (answer stream.Registered, made jid.JID)
}

// register asks who makes accounts. Refusals slow down those that follow from there, as failed logins do, so that neither tokens nor
// names can be tried at will.
func (l *link) register(ctx context.Context, want stream.RegisterWanted) stream.Input {
	s := l.server
	wait, barred := s.brake.before(time.Now(), l.addr, jid.JID{})
	if wait > 0 {
		l.note(Throttled, jid.JID{}, wait.String())
		if !pause(ctx, wait) {
			barred = true
		}
	}
	if barred || s.cfg.Registrar == nil {
		return stream.Registered{Condition: stanza.ResourceConstraint}
	}
	answer, made := s.cfg.Registrar.Register(ctx, accept.Network(l.addr).Addr(), want)
	switch {
	case !made.IsZero():
		l.note(Registered, made, "")
	case answer.Condition != stanza.NoCondition:
		s.brake.failed(time.Now(), l.addr, jid.JID{})
	}
	return answer
}
