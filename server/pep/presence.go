package pep

import (
	"context"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/tree"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/server"
)

// askFor is how long a client may take to say what its caps mean.
const askFor = 2 * time.Minute

// comes sees the presence of contacts' clients.
func (s *Service) comes(ctx context.Context, p *server.Passing) error {
	from := p.Stanza.From()
	if p.Stanza.Kind() != stanza.Presence || !from.IsFull() || from.Local() == "" || from.Bare() == p.Account {
		return nil
	}
	switch p.Stanza.Type() {
	case stanza.PresenceAvailable:
		// Whether they know each other is looked up on disk.
		if s.wants.news(p.Account, from, capsOf(p.Stanza)) && s.Knows(ctx, p.Account, from.Bare()) {
			s.seen(ctx, p.Account, from, p.Stanza)
		}
	case stanza.PresenceUnavailable, stanza.PresenceError:
		s.wants.gone(p.Account, from)
	}
	return nil
}

// forget is said when an account was removed.
func (s *Service) forget(account jid.JID) {
	s.nodes.Forget(account)
	s.wants.forget(account)
}

// appears tells the clients of somebody who was let in what was published last, as if they had come now.
func (s *Service) appears(ctx context.Context, account, contact jid.JID) {
	for who, nodes := range s.wants.clientsOf(account, contact) {
		s.last(ctx, account, who, nodes)
	}
}

// available sees the own clients.
func (s *Service) available(ctx context.Context, r server.Resource, presence stanza.Stanza, _ bool) {
	s.seen(ctx, r.JID.Bare(), r.JID, presence)
}

func (s *Service) unavailable(_ context.Context, r server.Resource) {
	s.wants.gone(r.JID.Bare(), r.JID)
}

func (s *Service) seen(ctx context.Context, account, who jid.JID, presence stanza.Stanza) {
	c := capsOf(presence)
	nodes, ask := s.wants.come(account, who, c)
	if len(nodes) > 0 {
		s.last(ctx, account, who, nodes)
	}
	if ask && s.ctx.Err() == nil {
		s.asks.Go(func() { s.ask(c) })
	}
}

// ask asks those who show the same caps, one after the other, until one proves them.
func (s *Service) ask(c shown) {
	for {
		w, ok := s.wants.next(c)
		if !ok {
			return
		}
		came, nodes := s.wants.learn(c, w, s.info(w, c))
		for _, one := range came {
			s.last(s.ctx, one.account, one.client, nodes)
		}
	}
}

// info asks one client what its caps mean; nil for no answer that says anything.
func (s *Service) info(w waiter, c shown) *xmlstream.Element {
	ctx, cancel := context.WithTimeout(s.ctx, askFor)
	defer cancel()
	q, err := tree.IQ(stanza.IQGet, w.account, w.client, "caps", tree.New(nsInfo, "query", tree.Attr("node", string(c))))
	if err != nil {
		return nil
	}
	a, err := s.Core.Ask(ctx, q)
	if err != nil || a.Type() != stanza.IQResult || !a.Payload().Is(nsInfo, "query") {
		return nil
	}
	return a.Payload()
}
