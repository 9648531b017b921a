package server

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"sallyport/internal/xmpp/jid"
	"sallyport/server/account"
	"sallyport/server/offline"
	"sallyport/server/roster"
)

// Limits bound what one account can make the server hold or do. Zero fields take the defaults in brackets.
type Limits struct {
	Resources  int // bound at a time, parked ones too [20]
	Deliveries int // that wait for one account [5,000]: what one client may have on the way, or its own flood came back to it
	Sayings    int // of the server for one account that wait for the gate [5,000]
	Directed   int // addresses that one resource has sent its presence to and that are not in the roster [1,000]
	Held       int // stanzas held back for a client that nobody looks at [500]
	PerMinute  int // subscriptions and first directed presences of one account (bad-inputs H11) [100]
	Presences  int // broadcasts of one account in a minute [120]
	// Stanzas of one client, one account and one address (of IPv6: one /64) in a second, on average. Zero: as many as are taken.
	PerSecond, AccountPerSecond, AddressPerSecond int
}

func (l Limits) withDefaults() Limits {
	for _, f := range []struct {
		have *int
		def  int
	}{{&l.Resources, 20}, {&l.Deliveries, 5000}, {&l.Sayings, 5000}, {&l.Directed, 1000}, {&l.Held, 500}, {&l.PerMinute, 100}, {&l.Presences, 120}} {
		if *f.have <= 0 {
			*f.have = f.def
		}
	}
	return l
}

// SetLimits has other rates of stanzas from now on, and another number of resources for those that are bound from now on. The rest stays as
// it was at the start.
func (s *Server) SetLimits(l Limits) {
	l = l.withDefaults()
	s.limits.Store(&l)
}

// Config is what a Server needs.
type Config struct {
	Gate      Gate
	Directory *account.Directory
	Book      *roster.Book
	Offline   offline.Store // nil: messages to accounts of which nobody is there are refused
	Features  []Feature
	Domains   []jid.JID // that we serve; see AddDomains
	Link      string    // by which the gate reaches us [local]
	Limits    Limits
	Now       func() time.Time // [time.Now]
	Log       *zap.Logger      // [none]
}

// New returns a server with nobody connected.
func New(cfg Config) (*Server, error) {
	if cfg.Gate == nil || cfg.Directory == nil || cfg.Book == nil || len(cfg.Domains) == 0 {
		return nil, errors.New("server: a gate, a directory, a book of rosters and a domain are needed")
	}
	if cfg.Link == "" {
		cfg.Link = "local"
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = zap.NewNop()
	}
	cfg.Limits = cfg.Limits.withDefaults()
	s := &Server{cfg: cfg, waiting: make(map[string]waiter), regroups: make(chan struct{}, 1)}
	s.SetLimits(cfg.Limits)
	s.domains.Store(&map[string]bool{})
	if err := s.AddDomains(cfg.Domains); err != nil {
		return nil, err
	}
	for i := range s.shards {
		s.shards[i].users = make(map[jid.JID]*user)
	}
	s.idle.L = &s.life
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.saying, s.hush = context.WithCancel(s.ctx)
	s.features = append([]Feature{s.rosters(), s.carbons(), legacySession()}, cfg.Features...)
	if err := s.index(); err != nil {
		s.stop()
		return nil, err
	}
	s.spawn(s.sweep)
	return s, nil
}
