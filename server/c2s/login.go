package c2s

import (
	"context"
	"time"

	"go.uber.org/zap"

	"sallyport/internal/sasl"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stream"
)

// lookUp asks for an account, later where logins have failed. It is the reader who waits, and nobody else.
func (l *link) lookUp(ctx context.Context, q stream.LookUp) stream.Input {
	l.mu.Lock()
	l.asked = q.Account
	l.mu.Unlock()
	wait, barred := l.server.brake.before(time.Now(), l.addr, q.Account)
	if wait > 0 {
		l.note(Throttled, q.Account, wait.String())
		if !pause(ctx, wait) {
			return stream.LookUpFailed{}
		}
	}
	if barred {
		return stream.LookUpFailed{}
	}
	r, err := l.server.find(ctx, q)
	if err != nil {
		l.server.cfg.Log.Error("look up an account", zap.Error(err))
		return stream.LookUpFailed{}
	}
	return stream.Found{Reply: r}
}

// find asks the directory and, where tokens are wanted, those who keep them: both always, whoever is known.
func (s *Server) find(ctx context.Context, q stream.LookUp) (sasl.Reply, error) {
	r, err := s.cfg.Accounts.LookUp(ctx, q)
	if err != nil || q.Want != sasl.WantTokens {
		return r, err
	}
	r.Tokens = nil
	if s.cfg.Tokens != nil {
		r.Tokens, err = s.cfg.Tokens.Tokens(ctx, q)
	}
	return r, err
}

func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// token does what is to be done with tokens (XEP-0484). The login does not fail for it.
func (l *link) token(ctx context.Context, o stream.Output) stream.Input {
	tokens := l.server.cfg.Tokens
	switch o := o.(type) {
	case stream.Authenticated:
		if err := tokens.Used(ctx, o); err != nil {
			l.server.cfg.Log.Error("void used tokens", zap.Error(err))
		}
		return nil
	case stream.TokenWanted:
		if tokens == nil {
			return stream.TokenGranted{}
		}
		granted, err := tokens.Grant(ctx, o)
		if err != nil {
			l.server.cfg.Log.Error("grant a token", zap.Error(err))
			return stream.TokenGranted{}
		}
		return granted
	}
	return nil
}

// outcome remembers how an attempt to log in ended; mu is held.
func (l *link) outcome(what What, account jid.JID, detail string) {
	if l.asked.IsZero() {
		l.asked = account.Bare()
	}
	if what == LoggedIn {
		l.server.brake.succeeded(account)
	} else {
		l.server.brake.failed(time.Now(), l.addr, l.asked)
	}
	l.note(what, l.asked, detail)
	l.asked = jid.JID{}
}
