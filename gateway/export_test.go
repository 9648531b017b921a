package gateway

import (
	"context"
	"io"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"sallyport/gateway/config"
	"sallyport/gateway/control"
	"sallyport/gateway/prom"
	"sallyport/gateway/spool"
	"sallyport/internal/disk"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/links"
	"sallyport/links/s2s"
	"sallyport/links/x2x"
	"sallyport/peering"
	"sallyport/server"
	"sallyport/server/account"
	"sallyport/server/admin"
)

// OwnState and Unheard are what is said of files of others, and of addresses that are taken.
var (
	OwnState = ownState
	Unheard  = unheard
)

// WatchedLink is what a test puts in place of the server-to-server link.
type WatchedLink = watchedLink

// NewInMemory is New with a link and an audit disk of the test, and no doors for operators.
func NewInMemory(cfg *config.Config, o Options, fs disk.FS, link func(links.Sink) WatchedLink) (*Gateway, error) {
	o.seams = seams{
		disk:     fs,
		services: func() ([]io.Closer, error) { return nil, nil },
		link: func(_ s2s.Config, sink links.Sink, _ s2s.Env) (watchedLink, error) {
			return link(sink), nil
		},
	}
	return New(cfg, o)
}

// NewBetween is NewInMemory with a spool on a disk of the test, and its network under the other links. heads is how often the head of the
// audit log is signed, which in days of virtual time is most of the work; 0 is the usual.
func NewBetween(cfg *config.Config, o Options, fs, spool disk.FS, net x2x.Env, heads time.Duration, link func(links.Sink) WatchedLink) (*Gateway, error) {
	o.seams = seams{
		disk: fs, spool: spool, carriers: net, heads: heads,
		services: func() ([]io.Closer, error) { return nil, nil },
		link: func(_ s2s.Config, sink links.Sink, _ s2s.Env) (watchedLink, error) {
			return link(sink), nil
		},
	}
	return New(cfg, o)
}

// NewServing is NewInMemory with a server of the test, and what is known of accounts.
func NewServing(cfg *config.Config, o Options, fs disk.FS, link func(links.Sink) WatchedLink, s func(server.Gate) (Serves, account.Accounts)) (*Gateway, error) {
	o.seams = seams{
		disk: fs, server: s,
		services: func() ([]io.Closer, error) { return nil, nil },
		link: func(_ s2s.Config, sink links.Sink, _ s2s.Env) (watchedLink, error) {
			return link(sink), nil
		},
	}
	return New(cfg, o)
}

// Serves is what a test puts in place of the server.
type Serves = serves

// SpoolTotals are those of the spool of a node.
func (g *Gateway) SpoolTotals() spool.Totals { return g.depot.store().Stats().Totals }

// Custodian is what links with custody are told of the spool.
func (g *Gateway) Custodian() links.Custodian { return g.depot }

// Unsettled is how many arrivals from a peer wait for their receipt.
func (g *Gateway) Unsettled(peer string) int {
	rc := g.depot.receiver(peer)
	rc.mu.Lock()
	defer rc.mu.Unlock()
	return len(rc.tickets)
}

// Awaited is how many requests that crossed wait for their answers.
func (g *Gateway) Awaited() (n int) {
	t := g.conversations
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range t.pairs {
		n += len(c.awaited)
	}
	return n
}

// OnGrants is told what a reload grants, in place of the control socket.
func (g *Gateway) OnGrants(f func([]control.Grant)) {
	g.mu.Lock()
	g.setGrants = f
	g.mu.Unlock()
}

// LinkConfig is what the link of a configuration runs by.
func LinkConfig(cfg *config.Config) (s2s.Config, error) {
	policy, err := BuildPolicy(cfg)
	if err != nil {
		return s2s.Config{}, err
	}
	return s2sConfig(cfg, policy)
}

// Numbers are what the monitoring page shows.
func (g *Gateway) Numbers(emit prom.Emit) { (*numbers)(g).Numbers(emit) }

// LinkCounters are those of the link of a running node.
func (g *Gateway) LinkCounters() *s2s.Counters { return g.link.Counters() }

// S2S is the real link of a running node.
func (g *Gateway) S2S() *s2s.Link { return g.link.(*s2s.Link) }

// For tests of what an operator is shown, and of what a configuration means.
var (
	LinkStatus = linkStatus
	ProfileOf  = profileOf
)

// Shown is what a client of the server that says nothing of labels is shown.
func (g *Gateway) Shown(e *xmlstream.Element) *xmlstream.Element {
	return g.engine.Policy().Shown(peerLocal, e, nil)
}

// Forget has an account looked up again.
func (g *Gateway) Forget(who jid.JID) { g.people.forget(who) }

// DeniedAtHome is a node that is told of a command which a client may not run.
func DeniedAtHome(ctx context.Context, book control.Recorder, log *zap.Logger, who jid.JID, verb string) error {
	desk, err := control.NewDesk(book, nil)
	if err == nil {
		(&administration{g: &Gateway{desk: desk, log: log}}).Denied(ctx, who, verb)
	}
	return err
}

// Door is a door.
type Door struct{ door }

// NewDoor, Enter, Leave and Close are those of a door.
func NewDoor() *Door { return &Door{newDoor(new(atomic.Int64))} }

func (d *Door) Enter() bool { return d.enter() }

func (d *Door) Leave() { d.leave() }

func (d *Door) Close() { d.close() }

// Excluded asks the lists of a domain about somebody who says something to it.
func Excluded(l admin.Lists, who jid.JID, component bool) (peering.Exclusion, error) {
	f, err := newFence(&l)
	return f.excludes(who, component, peering.SenderListed, peering.SenderUnlisted), err
}

// Outsiders are those that a node keeps out.
type Outsiders struct{ o outsiders }

// NewOutsiders knows none yet.
func NewOutsiders(s admin.Store) *Outsiders { return &Outsiders{outsiders{store: s}} }

// Open and Changed read the lists of a domain.
func (x *Outsiders) Open(domain string) error {
	return x.o.open(context.Background(), []jid.JID{jid.MustParse(domain)})
}

func (x *Outsiders) Changed(domain string) error {
	return x.o.changed(context.Background(), domain)
}

// Excludes reports that somebody is kept out of a domain.
func (x *Outsiders) Excludes(domain string, who jid.JID) bool {
	fences := x.o.fence.Load()
	if fences == nil {
		return false
	}
	f := (*fences)[domain]
	return f.excludes(who, false, peering.SenderListed, peering.SenderUnlisted) != peering.NotExcluded
}
