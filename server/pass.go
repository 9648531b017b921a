package server

import (
	"errors"
	"sync"

	"go.uber.org/zap"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
)

// passage is what passes together, in memory that is used again.
type passage struct {
	list []Passing
	to   []destination // where what comes goes, passing or not
	errs []error       // or why it does not
	got  []*resource   // room for those who were given one of them
	// later are those of what comes that are kept together, and data what is kept of them.
	later []int
	data  [][]byte
}

var somePassage = sync.Pool{New: func() any { return new(passage) }}

func (p *passage) free() {
	clear(p.list)
	clear(p.to)
	clear(p.errs)
	clear(p.got[:cap(p.got)])
	p.list, p.to, p.errs = p.list[:0], p.to[:0], p.errs[:0]
	somePassage.Put(p)
}

// passOut asks the features about what an account sends.
func (s *Server) passOut(account jid.JID, out stanza.Stanza) (stanza.Stanza, error) {
	p := [...]Passing{{Account: account, Stanza: out, Out: true, Self: out.To().Bare() == account}}
	s.pass(p[:])
	return p[0].Stanza, p[0].Err
}

// passIn asks the features about what comes to an account.
func (s *Server) passIn(account jid.JID, in stanza.Stanza) (stanza.Stanza, error) {
	p := [...]Passing{{Account: account, Stanza: in, Self: in.From().Bare() == account}}
	s.pass(p[:])
	return p[0].Stanza, p[0].Err
}

// pass shows the features what passes through one account in one direction: each feature all of it, before the next sees any.
func (s *Server) pass(list []Passing) {
	if len(list) == 0 {
		return
	}
	messages := list[0].Stanza.Kind() == stanza.Message // all are, or it is one
	for i := range s.features {
		f := &s.features[i]
		ask := f.Comes
		if list[0].Out {
			ask = f.Sends
		}
		switch {
		case messages && f.Together != nil:
			f.Together(s.ctx, list)
		case ask != nil:
			for j := range list {
				if list[j].Err == nil {
					list[j].Err = s.noted(f.Name, ask(s.ctx, &list[j]))
				}
			}
		}
	}
}

// noted logs what is a fault and no decision.
func (s *Server) noted(feature string, err error) error {
	if err == nil {
		return nil
	}
	var b *Bounce
	if !errors.Is(err, ErrTaken) && !errors.As(err, &b) {
		s.cfg.Log.Error("a feature of the server could not do its part", zap.String("feature", feature), zap.Error(err))
	}
	return err
}
