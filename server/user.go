package server

import (
	"slices"
	"sync"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
)

// user is an account of which somebody is connected, or for which something is under way; also a domain that is asked from outside.
type user struct {
	bare   jid.JID
	server *Server
	refs   int // under the lock of the shard

	in       queue[coming]   // what comes to the account, and what changes who gets it
	out      queue[func()]   // what we say for it to others
	messages messages        // owned by in
	flights  map[uint64]bool // of the offline store, written and not acknowledged; owned by in
	// undropped are those of flights that clients have, and that the store has not forgotten when it was told to; owned by in.
	undropped []uint64

	rosters sync.Mutex // held while its roster is read or changed

	mu        sync.Mutex
	resources []*resource
	leaving   []*resource // out of resources, with a session that has not ended
	contacts  contacts    // who sees whom; nil until it is needed
	bucket    bucket      // of what Limits.PerMinute counts
	changes   bucket      // of what Limits.Presences counts
	pace      pace        // of what Limits.AccountPerSecond counts
}

// resource is one connected client.
type resource struct {
	user    *user
	jid     jid.JID
	agent   string
	session session
	bound   time.Time

	line    line       // what the client has sent and waits for what is before it
	telling sync.Mutex // held while its presence goes to somebody of this server
	sending sync.Mutex
	held    held

	// Under user.mu.
	ready      bool // the client knows its address
	gone       bool
	inactive   bool
	parked     bool // it has no connection, and may come back
	open       bool // takes what is for the bare address; set behind what waited for it
	strained   bool // has to acknowledge some of that before it is given more
	interested bool // has asked for the roster
	carbons    bool
	priority   int8
	presence   stanza.Stanza // the last broadcast; zero: not available
	word       stanza.Stanza // the same, or what it said when it left
	directed   map[jid.JID]struct{}
	way        onWay
	pace       pace // of what Limits.PerSecond counts
	refused    int  // in a row, because there were too many
}

// receive has something done among what comes to the account. False: it was not taken.
func (u *user) receive(task func()) bool { return u.in.add(0, coming{do: task}, u) }

// say appends to what we say for the account.
func (u *user) say(task func()) bool {
	return u.out.add(u.server.cfg.Limits.Sayings, task, sayings{u})
}

// sayings is the dealer of what we say for an account.
type sayings struct{ *user }

func (sayings) deal(list []func()) {
	for _, do := range list {
		do()
	}
}

// spawn is Server.spawn for who works on the account, which exists as long.
func (u *user) spawn(f func()) bool {
	held := u.server.hold(u.bare)
	ok := u.server.spawn(func() {
		defer held.release()
		f()
	})
	if !ok {
		held.release()
	}
	return ok
}

// all are the resources that are bound.
func (u *user) all() []*resource {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.Clone(u.resources)
}

// some are those of which is says so. It is called under the lock.
func (u *user) some(is func(*resource) bool) []*resource {
	u.mu.Lock()
	defer u.mu.Unlock()
	var list []*resource
	for _, r := range u.resources {
		if r.ready && is(r) {
			list = append(list, r)
		}
	}
	return list
}

func isAvailable(r *resource) bool { return !r.presence.IsZero() }

func isInterested(r *resource) bool { return r.interested }

func isConnected(*resource) bool { return true }

func isOpen(r *resource) bool { return r.open }

// available are the resources that have said so.
func (u *user) available() []*resource { return u.some(isAvailable) }

// named finds a resource that is connected.
func (u *user) named(full jid.JID) *resource {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, r := range u.resources {
		if r.ready && r.jid == full {
			return r
		}
	}
	return nil
}

// of finds the resource of a session.
func (u *user) of(x session) *resource {
	u.mu.Lock()
	defer u.mu.Unlock()
	is := func(r *resource) bool { return r.session == x }
	if i := slices.IndexFunc(u.resources, is); i >= 0 {
		return u.resources[i]
	}
	if i := slices.IndexFunc(u.leaving, is); i >= 0 {
		return u.leaving[i]
	}
	return nil
}

// facts are what features know of a resource; user.mu is held.
func (r *resource) facts() Resource {
	return Resource{JID: r.jid, Priority: r.priority, Active: !r.inactive && !r.parked}
}

func (r *resource) snapshot() Resource {
	r.user.mu.Lock()
	defer r.user.mu.Unlock()
	return r.facts()
}

// Resources is Core.
func (s *Server) Resources(account jid.JID) []Resource { return s.list(account, isAvailable) }

// Connected is Core.
func (s *Server) Connected(account jid.JID) []Resource { return s.list(account, isConnected) }

func (s *Server) list(account jid.JID, is func(*resource) bool) []Resource {
	u := s.find(account.Bare())
	if u == nil {
		return nil
	}
	var list []Resource
	for _, r := range u.some(is) {
		list = append(list, r.snapshot())
	}
	return list
}

// bucket counts what is rare. The zero value is full.
type bucket struct {
	left float64
	at   time.Time
}

// take takes one of perMinute.
func (b *bucket) take(now time.Time, perMinute int) bool {
	most := float64(perMinute)
	if b.at.IsZero() {
		b.left = most
	} else {
		b.left = min(most, b.left+most*now.Sub(b.at).Minutes())
	}
	b.at = now
	if b.left < 1 {
		return false
	}
	b.left--
	return true
}
