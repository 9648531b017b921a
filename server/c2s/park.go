package c2s

import (
	"sync"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stream"
)

// ParkLimits bound the sessions that wait to be resumed. Zero fields take the defaults in brackets.
type ParkLimits struct {
	Sessions   int // of all accounts [10,000]
	PerAccount int // beyond it the one parked first goes [10]
	Bytes      int // of the stanzas that wait for all of them [256 MiB]
}

func (l ParkLimits) withDefaults() ParkLimits {
	for _, f := range []struct {
		have *int
		def  int
	}{{&l.Sessions, 10_000}, {&l.PerAccount, 10}, {&l.Bytes, 256 << 20}} {
		if *f.have <= 0 {
			*f.have = f.def
		}
	}
	return l
}

// park is the table of sessions that can be resumed, those with a connection too. Its lock is the innermost one.
type park struct {
	limits ParkLimits

	mu     sync.Mutex
	byID   map[string]*Session
	parked map[jid.JID][]*Session // by account, the one parked first in front
	count  int
	bytes  int
}

func newPark(l ParkLimits) *park {
	return &park{limits: l.withDefaults(), byID: make(map[string]*Session), parked: make(map[jid.JID][]*Session)}
}

// list makes a session with a connection known by its id.
func (p *park) list(x *Session, id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.byID[id] = x
	x.id = id
}

func (p *park) find(id string) *Session {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.byID[id]
}

// put parks a session. False: there is no room.
func (p *park) put(x *Session, s *stream.Session) bool {
	_, bytes := s.Unacked()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.byID[s.ID()] != x || p.count >= p.limits.Sessions || p.bytes+bytes > p.limits.Bytes {
		return false
	}
	account := x.Address().Bare()
	same := p.parked[account]
	if len(same) >= p.limits.PerAccount {
		first := same[0]
		first.server.spawn(first.expireNow)
	}
	p.parked[account] = append(same, x)
	p.count++
	p.bytes += bytes
	x.bytes = bytes
	return true
}

// grow counts a stanza more for a parked session.
func (p *park) grow(x *Session, n int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bytes+n > p.limits.Bytes {
		return false
	}
	p.bytes += n
	x.bytes += n
	return true
}

// take makes a session one with a connection again.
func (p *park) take(x *Session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.unpark(x)
}

// forget removes a session that is over.
func (p *park) forget(x *Session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.unpark(x)
	if p.byID[x.id] == x {
		delete(p.byID, x.id)
	}
}

func (p *park) unpark(x *Session) {
	if x.timer != nil {
		x.timer.Stop()
		x.timer = nil
	}
	account := x.Address().Bare()
	same := p.parked[account]
	for i, s := range same {
		if s != x {
			continue
		}
		p.parked[account] = append(same[:i:i], same[i+1:]...)
		if len(same) == 1 {
			delete(p.parked, account)
		}
		p.count--
		p.bytes -= x.bytes
		x.bytes = 0
		return
	}
}

// all are the parked sessions.
func (p *park) all() []*Session {
	p.mu.Lock()
	defer p.mu.Unlock()
	var list []*Session
	for _, same := range p.parked {
		list = append(list, same...)
	}
	return list
}
