package server

import (
	"time"

	"go.uber.org/zap"

	"sallyport/internal/xmpp/stanza"
)

// sweepEvery is how long somebody may stay whose account was disabled or removed by another process than this one.
const sweepEvery = time.Minute

// sweep ends the sessions of accounts that may not log in any more and looks for new members of groups, until Close.
func (s *Server) sweep() {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	var groups map[groupKey]int64
	for {
		select {
		case <-s.regroups:
			groups = s.regroup(groups)
			continue
		case <-tick.C:
			groups = s.regroup(groups)
		case <-s.saying.Done():
			return
		}
		for i := range s.shards {
			for _, u := range s.shards[i].all() {
				if s.saying.Err() == nil {
					s.inspect(u)
				}
			}
		}
	}
}

// inspect ends the sessions of one account. Where the store does not answer, nobody is thrown out.
func (s *Server) inspect(u *user) int {
	if len(u.some(isConnected)) == 0 {
		return 0
	}
	standing, err := s.standing(u)
	if err != nil {
		s.cfg.Log.Error("an account that is connected cannot be looked up", zap.Stringer("account", u.bare), zap.Error(err))
		return 0
	}
	if standing {
		return 0
	}
	s.cfg.Log.Info("the account may not log in any more", zap.Stringer("account", u.bare))
	return s.End(u.bare, stanza.StreamNotAuthorized, "the account is closed")
}
