package server

import (
	"context"
	"hash/maphash"
	"sync"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/stream"
	"sallyport/internal/xmpp/xmlstream"
)

// Server knows who is connected and routes. Any goroutine may call its exported methods.
//
// Locks, in this order: user.rosters, resource.sending, the lock of a session, user.mu; those of shards and queues are the
// innermost. None but the first two is held while somebody else is called.
type Server struct {
	cfg      Config
	domains  map[jid.JID]bool
	features []Feature // ours first
	routes   map[routeKey]func(context.Context, *Request) Answer
	shards   [64]shard

	ctx     context.Context //nolint:containedctx // of what goes on until Close, whoever began it
	stop    context.CancelFunc
	life    sync.RWMutex // held for reading while something begins
	over    bool
	running sync.WaitGroup

	asking  sync.Mutex
	waiting map[string]waiter // by the id of the request
}

// shard is a part of the accounts, so that they do not share one lock.
type shard struct {
	mu    sync.Mutex
	users map[jid.JID]*user
}

// seed spreads accounts over shards.
var seed = maphash.MakeSeed()

// session is a *c2s.Session.
type session interface {
	Address() jid.JID
	Send(e *xmlstream.Element, token uint64) stream.Verdict
	Settled(a stream.Arrival)
	Close(in stream.Close)
	// Managed: what is sent will come out in Acked, Unconfirmed or Closed.
	Managed() bool
}

// Close ends all sessions, and returns when nothing that the server began goes on.
func (s *Server) Close() {
	s.life.Lock()
	s.over = true
	s.life.Unlock()
	for i := range s.shards {
		for _, u := range s.shards[i].all() {
			for _, r := range u.all() {
				r.session.Close(stream.Close{Condition: stanza.StreamSystemShutdown})
			}
		}
	}
	s.stop()
	s.running.Wait()
}

// spawn runs a function on a goroutine that Close waits for. False: it is too late.
func (s *Server) spawn(f func()) bool {
	s.life.RLock()
	defer s.life.RUnlock()
	if s.over {
		return false
	}
	s.running.Go(f)
	return true
}

func (h *shard) all() []*user {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := make([]*user, 0, len(h.users))
	for _, u := range h.users {
		list = append(list, u)
	}
	return list
}

func (s *Server) shard(bare jid.JID) *shard {
	return &s.shards[maphash.String(seed, bare.String())%uint64(len(s.shards))]
}

// find gives a user that somebody holds, or nil. It may end at once; only what it says now is of use.
func (s *Server) find(bare jid.JID) *user {
	h := s.shard(bare)
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.users[bare]
}

// hold gives the user of an address, who exists until it is let go as often.
func (s *Server) hold(bare jid.JID) *user {
	h := s.shard(bare)
	h.mu.Lock()
	defer h.mu.Unlock()
	u := h.users[bare]
	if u == nil {
		u = &user{bare: bare.Clone(), server: s}
		h.users[u.bare] = u
	}
	u.refs++
	return u
}

func (u *user) release() {
	h := u.server.shard(u.bare)
	h.mu.Lock()
	defer h.mu.Unlock()
	if u.refs--; u.refs == 0 {
		delete(h.users, u.bare)
	}
}

// ours reports whether a domain is served here.
func (s *Server) ours(j jid.JID) bool { return s.domains[j.DomainJID()] }
