package spdu

import (
	"time"

	"sallyport/s5066"
)

// SessionConfig is how long soft links live. The standard gives no figures.
type SessionConfig struct {
	Idle   time.Duration // without data in either direction, before the node that made it ends it
	Called time.Duration // the same at the node that did not make it: longer, so that the other one goes first
	Max    time.Duration // while data waits for nodes that there is no room for
}

// Session is a soft link, or a call for one.
type Session struct {
	Remote s5066.Address
	Called bool // the other node made it
	Since  time.Time
	Used   time.Time // data passed
	Busy   bool      // data waits or is under way
	Leave  bool      // others wait: nothing more is begun
}

// Sessions are the soft links of a node (A.10): open as soon as the channel access sublayer has a link, closed after a silence. They cost no
// S_PDU. The zero value ends every session at once. One goroutine owns it.
type Sessions struct {
	Config SessionConfig
	all    []*Session
}

// Made says that there is a link; made again it starts anew.
func (s *Sessions) Made(now time.Time, remote s5066.Address, called bool) {
	s.Ended(remote)
	s.all = append(s.all, &Session{Remote: remote, Called: called, Since: now, Used: now})
}

// Ended says that there is none any more.
func (s *Sessions) Ended(remote s5066.Address) {
	for i, v := range s.all {
		if v.Remote == remote {
			s.all = append(s.all[:i], s.all[i+1:]...)
			return
		}
	}
}

// Open reports whether there is a session; Leave whether it only waits for its end.
func (s *Sessions) Open(remote s5066.Address) (open, leave bool) {
	if v := s.at(remote); v != nil {
		return true, v.Leave
	}
	return false, false
}

// Used says that data has passed, and whether more waits or is under way.
func (s *Sessions) Used(now time.Time, remote s5066.Address) {
	if v := s.at(remote); v != nil {
		v.Used = now
	}
}

// Busy says whether data waits for a remote or is under way.
func (s *Sessions) Busy(now time.Time, remote s5066.Address, busy bool) {
	if v := s.at(remote); v != nil {
		if v.Busy && !busy {
			v.Used = now
		}
		v.Busy = busy
	}
}

// Crowded says that data waits for a node and there are too many links to make another one: the oldest session, if it has lasted long
// enough, begins nothing more.
func (s *Sessions) Crowded(now time.Time) {
	var oldest *Session
	for _, v := range s.all {
		if v.Leave {
			return
		}
		if oldest == nil || v.Since.Before(oldest.Since) {
			oldest = v
		}
	}
	if oldest != nil && !now.Before(oldest.Since.Add(s.Config.Max)) {
		oldest.Leave = true
	}
}

// Due lists the remotes whose session is to be ended now.
func (s *Sessions) Due(now time.Time) (due []s5066.Address) {
	for _, v := range s.all {
		if at, ok := s.ends(v); ok && !now.Before(at) {
			due = append(due, v.Remote)
		}
	}
	return due
}

// Deadline is when Due has something.
func (s *Sessions) Deadline() (first time.Time, ok bool) {
	for _, v := range s.all {
		if at, has := s.ends(v); has && (!ok || at.Before(first)) {
			first, ok = at, true
		}
	}
	return first, ok
}

// List is a copy of all sessions, for a status.
func (s *Sessions) List() []Session {
	list := make([]Session, 0, len(s.all))
	for _, v := range s.all {
		list = append(list, *v)
	}
	return list
}

func (s *Sessions) ends(v *Session) (time.Time, bool) {
	switch {
	case v.Busy:
		return time.Time{}, false
	case v.Leave:
		return v.Used, true
	case v.Called:
		return v.Used.Add(s.Config.Called), true
	}
	return v.Used.Add(s.Config.Idle), true
}

func (s *Sessions) at(remote s5066.Address) *Session {
	for _, v := range s.all {
		if v.Remote == remote {
			return v
		}
	}
	return nil
}
