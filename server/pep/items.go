package pep

import (
	"context"

	"sallyport/internal/xmpp/jid"
	"sallyport/server/disco"
)

// Items are the nodes that somebody may read, as disco#items has them (XEP-0163 §6.1).
func (s *Service) Items(ctx context.Context, account, who jid.JID) []disco.Item {
	names := s.Nodes(ctx, account, who)
	list := make([]disco.Item, len(names))
	for i, n := range names {
		list[i] = disco.Item{JID: account, Node: n}
	}
	return list
}
