package x2x

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"sallyport/links"
)

// Bounds on connections that are not yet anybody's.
const (
	maxPending    = 200
	maxPerAddress = 10
	ticketLife    = 24 * time.Hour
)

// Set is all zero-handshake links of a gateway, with their listeners. All methods are safe for concurrent use.
type Set struct {
	env    Env
	sink   links.Sink
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu        sync.Mutex
	links     map[string]*Link
	listeners map[netip.AddrPort]net.Listener
	pending   map[netip.Addr]int
	waiting   int
	started   bool
	closing   bool
	tickets   [][32]byte // the newest first
	ticketed  time.Time
}

// New makes the links. Nothing runs before Start.
func New(cfgs []Config, sink links.Sink, env Env) (*Set, error) {
	if sink == nil {
		return nil, errors.New("links without a sink")
	}
	if err := validate(cfgs, env.Custodian != nil); err != nil {
		return nil, err
	}
	s := &Set{
		env: env.withDefaults(), sink: sink, links: make(map[string]*Link), listeners: make(map[netip.AddrPort]net.Listener),
		pending: make(map[netip.Addr]int),
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	for _, c := range cfgs {
		s.links[c.Name] = newLink(s, c)
	}
	return s, nil
}

func validate(cfgs []Config, custodian bool) error {
	var problems []error
	names := make(map[string]bool)
	kinds := make(map[netip.AddrPort]Security)
	for i := range cfgs {
		c := &cfgs[i]
		problems = append(problems, c.Validate())
		if names[c.Name] {
			problems = append(problems, fmt.Errorf("link %q: the name is there twice", c.Name))
		}
		names[c.Name] = true
		if c.Mode == Custody && !custodian {
			problems = append(problems, fmt.Errorf("link %q: custody without a spool", c.Name))
		}
		for _, a := range c.Listen {
			if kinds[a] != NoSecurity && kinds[a] != c.Security && a.Port() != 0 {
				problems = append(problems, fmt.Errorf("link %q: %v is listened on with TLS and in clear", c.Name, a))
			}
			kinds[a] = c.Security
		}
	}
	return errors.Join(problems...)
}

// Link returns a link by its name, or nil.
func (s *Set) Link(name string) *Link {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.links[name]
}

// Links returns all of them, by name.
func (s *Set) Links() []*Link {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []*Link
	for _, name := range slices.Sorted(maps.Keys(s.links)) {
		out = append(out, s.links[name])
	}
	return out
}

// Start opens the listeners and the links. ctx is for that alone; Shutdown ends what runs.
func (s *Set) Start(ctx context.Context) error {
	var cfgs []Config
	for _, l := range s.Links() {
		cfgs = append(cfgs, l.cfg)
	}
	opened, err := s.listen(ctx, cfgs)
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.started = true
	s.mu.Unlock()
	for _, l := range s.Links() {
		l.start()
	}
	s.serve(opened)
	return nil
}

// listen opens what is wanted and not open yet. On an error nothing new stays open.
func (s *Set) listen(ctx context.Context, cfgs []Config) (map[netip.AddrPort]net.Listener, error) {
	opened := make(map[netip.AddrPort]net.Listener)
	for _, c := range cfgs {
		for _, a := range c.Listen {
			s.mu.Lock()
			have := s.listeners[a] != nil || opened[a] != nil
			s.mu.Unlock()
			if have {
				continue
			}
			ln, err := s.env.Listen(ctx, "tcp", a.String())
			if err != nil {
				for _, o := range opened {
					_ = o.Close()
				}
				return nil, fmt.Errorf("link %q: listen on %v: %w", c.Name, a, err)
			}
			opened[a] = ln
		}
	}
	return opened, nil
}

func (s *Set) serve(opened map[netip.AddrPort]net.Listener) {
	s.mu.Lock()
	maps.Copy(s.listeners, opened)
	s.mu.Unlock()
	for a, ln := range opened {
		s.wg.Go(func() { s.accept(a, ln) })
	}
}

// Address returns where a configured address really listens; with port 0 this is how to learn the port.
func (s *Set) Address(a netip.AddrPort) net.Addr {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ln := s.listeners[a]; ln != nil {
		return ln.Addr()
	}
	return nil
}

// Prepare does everything about other configurations that can fail. One of use and drop must then be called, and cannot fail. Carriers
// stay where their link does, unless their peer would not be let in any more or the two ends' agreement changed.
func (s *Set) Prepare(cfgs []Config) (use, drop func(), err error) {
	_, none := s.env.Custodian.(nobody)
	if err := validate(cfgs, !none); err != nil {
		return nil, nil, err
	}
	opened, err := s.listen(s.ctx, cfgs)
	if err != nil {
		return nil, nil, err
	}
	use = func() { s.use(cfgs, opened) }
	drop = func() {
		for _, ln := range opened {
			_ = ln.Close()
		}
	}
	return use, drop, nil
}

func (s *Set) use(cfgs []Config, opened map[netip.AddrPort]net.Listener) {
	wanted := make(map[string]bool)
	listening := make(map[netip.AddrPort]bool)
	for _, c := range cfgs {
		wanted[c.Name] = true
		for _, a := range c.Listen {
			listening[a] = true
		}
		if l := s.Link(c.Name); l != nil {
			l.reload(c)
			continue
		}
		l := newLink(s, c)
		s.mu.Lock()
		s.links[c.Name] = l
		s.mu.Unlock()
		l.start()
	}
	s.serve(opened)
	s.mu.Lock()
	var gone []*Link
	for name, l := range s.links {
		if !wanted[name] {
			gone = append(gone, l)
			delete(s.links, name)
		}
	}
	for a, ln := range s.listeners {
		if !listening[a] {
			_ = ln.Close()
			delete(s.listeners, a)
		}
	}
	s.mu.Unlock()
	for _, l := range gone {
		s.wg.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), closeWait)
			defer cancel()
			l.shutdown(ctx)
		})
	}
}

// Shutdown closes every link in order as long as ctx allows, then at once. Every consignment has had its report when it returns.
func (s *Set) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	s.closing = true
	for a, ln := range s.listeners {
		_ = ln.Close()
		delete(s.listeners, a)
	}
	s.mu.Unlock()
	var wg sync.WaitGroup
	for _, l := range s.Links() {
		wg.Go(func() { l.shutdown(ctx) })
	}
	wg.Wait()
	s.cancel()
	s.wg.Wait()
	return ctx.Err()
}

// ticketKeys are the keys of session tickets, made anew each day; the one before still opens what it sealed.
func (s *Set) ticketKeys(now time.Time) ([][32]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.tickets) > 0 && now.Sub(s.ticketed) < ticketLife {
		return s.tickets, nil
	}
	var key [32]byte
	if _, err := rand.Read(key[:]); err != nil {
		return nil, err
	}
	s.tickets = append([][32]byte{key}, s.tickets[:min(len(s.tickets), 1)]...)
	s.ticketed = now
	return s.tickets, nil
}
