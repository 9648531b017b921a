package server

import (
	"go.uber.org/zap"

	"sallyport/internal/xmpp/jid"
	"sallyport/server/account"
	"sallyport/server/roster"
)

// groupKey names a group.
type groupKey struct{ domain, name string }

// Regroup has the server look for groups that have changed, soon and not only at the next sweep.
func (s *Server) Regroup() {
	select {
	case s.regroups <- struct{}{}:
	default: // it is going to look
	}
}

// regroup puts who is new in a group into the rosters of the members that are connected, who see each other at once. seen are the
// revisions at the last look; it gives those of this one. Where the store does not answer, the next look makes up for it.
func (s *Server) regroup(seen map[groupKey]int64) map[groupKey]int64 {
	now := make(map[groupKey]int64)
	for domain := range *s.domains.Load() {
		for after := ""; ; {
			page, err := s.cfg.Directory.Store.ListGroups(s.ctx, domain, after, account.MaxPage)
			if err != nil {
				s.cfg.Log.Error("groups cannot be listed", zap.String("domain", domain), zap.Error(err))
				return seen
			}
			if len(page) == 0 {
				break
			}
			after = page[len(page)-1].Name
			for _, g := range page {
				k := groupKey{g.Domain, g.Name}
				if seen[k] != g.Revision && !s.assemble(k) {
					continue // it stays unknown
				}
				now[k] = g.Revision
			}
		}
	}
	return now
}

// assemble makes the members of one group each other's contacts: first all of them have the others in their rosters, then they see
// each other.
func (s *Server) assemble(k groupKey) bool {
	g, err := s.cfg.Directory.Store.Group(s.ctx, k.domain, k.name)
	if err != nil {
		s.cfg.Log.Error("a group cannot be read", zap.String("domain", k.domain), zap.String("group", k.name), zap.Error(err))
		return false
	}
	added := make(map[*user][]roster.Item)
	come := make(map[jid.JID]bool)
	for _, m := range g.Members {
		if !s.ours(m) || s.find(m) == nil {
			continue
		}
		u := s.hold(m)
		defer u.release()
		if list := s.gather(u); len(list) > 0 {
			added[u], come[m] = list, true
		}
	}
	for u, list := range added {
		s.meet(u, list, come)
	}
	return true
}
