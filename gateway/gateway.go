package gateway

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"sallyport/gateway/audit"
	"sallyport/gateway/config"
	"sallyport/gateway/control"
	"sallyport/internal/tlsid"
	"sallyport/links"
	"sallyport/links/s2s"
	"sallyport/peering"
)

// Options are what a node needs besides its configuration.
type Options struct {
	Log     *zap.Logger
	Version string           // of the program, for status
	Now     func() time.Time // default time.Now

	seams seams
}

// Gateway is one node. New makes it, Run runs it; the other methods may be called from
// any goroutine while it runs.
type Gateway struct {
	node        string
	state       string // directory
	version     string
	keepContent bool
	log         *zap.Logger
	now         func() time.Time
	started     time.Time

	engine        *peering.Engine
	audit         *audit.Log
	conversations *conversations
	rates         rates
	replies       *replies
	bounces       *bounces
	link          watchedLink
	carriers      carriers // all other links
	clients       *clients // the server of this node; nil without one
	people        people   // its accounts
	outsiders     outsiders
	depot         *depot
	home          home // answers in place of peers
	notes         *notes
	services      func() ([]io.Closer, error)
	desk          *control.Desk // permits and records commands
	ended         chan bool     // an administrator wants it to end; true: and to start again
	peers         atomic.Pointer[map[string]*peerCounters]
	strangers     peerCounters // for peers that the table does not have
	refusals      refusals
	throttle      audit.Throttle
	events        chan s2s.Event
	listening     atomic.Bool
	ours          atomic.Pointer[[]tlsid.KeyFact] // certificates that others are shown

	versions  atomic.Pointer[versionText]
	defaults  atomic.Pointer[map[labelDefault][]string] // see defaultWords
	unwritten atomic.Pointer[string]                    // why the audit log has failed, nil while it works
	stopping  atomic.Bool                               // somebody closes the links
	closed    chan struct{}                             // they are closed

	ctx    context.Context // ends when the node stops
	cancel context.CancelFunc

	reloading sync.Mutex // held by a reload, which may wait for the disk; taken before mu

	mu         sync.Mutex            // held for a moment; guards what follows
	cfg        *config.Config        // active
	reloaded   time.Time             // when it was read
	lastReload string                // why the latest reload changed nothing
	setGrants  func([]control.Grant) // of the control socket; nil without one

	counters *Counters
	entrance door // of what clients say
	flights  flights
}

// versionText is the text of one policy version, so that a record does not make it anew.
type versionText struct {
	version peering.Version
	text    string
}

// New opens what the configuration names and makes a node of it that does not run yet.
func New(cfg *config.Config, o Options) (*Gateway, error) {
	if o.Log == nil {
		o.Log = zap.NewNop()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if os.Geteuid() == 0 { // who may not write there is told so by the system; root would leave files that the owner may not open
		if err := ownState(string(cfg.Node.State)); err != nil {
			return nil, err
		}
	}
	policy, resolved, err := buildPolicy(cfg)
	if err != nil {
		return nil, err
	}
	g := &Gateway{
		counters: new(Counters),
		node:     cfg.Node.Name, state: string(cfg.Node.State), version: o.Version, keepContent: cfg.Audit.Content, log: o.Log, now: o.Now, cfg: cfg,
		engine: peering.NewEngine(policy), conversations: newConversations(), started: o.Now(), reloaded: o.Now(),
		events: make(chan s2s.Event, maxEvents), ended: make(chan bool, 1),
	}
	g.ctx, g.cancel = context.WithCancel(context.Background())
	g.closed, g.entrance = make(chan struct{}), newDoor(&g.counters.inside)
	g.replies, g.bounces, g.depot, g.notes = newReplies(g), newBounces(g), newDepot(g), newNotes(g)
	g.depot.fs, g.home.g = o.seams.spool, g
	g.counters.serial.Store(uint64(o.Now().UnixNano())) // unique with the node's name across restarts
	if g.services = o.seams.services; g.services == nil {
		g.services = g.openServices
	}
	if g.audit, err = openAudit(cfg, policy.Version().String(), &o); err != nil {
		return nil, unopened(g.state, err)
	}
	if err := g.forwardAtStart(cfg, policy); err != nil {
		return nil, joinClose(err, g.audit)
	}
	if err := g.loadConversations(); err != nil {
		return nil, joinClose(err, g.audit)
	}
	if err := g.makeLink(cfg, policy, &o.seams); err != nil {
		return nil, joinClose(err, g.audit)
	}
	if err := g.makeCarriers(cfg, policy, o.seams.carriers); err != nil {
		return nil, joinClose(err, g.audit)
	}
	g.depot.know(cfg)
	g.home.use(cfg)
	if err := g.depot.open(cfg); err != nil {
		return nil, joinClose(err, g.audit)
	}
	g.people.use(resolved)
	g.certificates(cfg)
	if err := errors.Join(g.openClients(cfg, &o.seams), g.openDesk()); err != nil {
		return nil, errors.Join(fmt.Errorf("server: %w", unopened(g.state, err)), g.depot.close(), g.audit.Close())
	}
	return g, nil
}

func (g *Gateway) makeLink(cfg *config.Config, policy *peering.Policy, s *seams) error {
	lc, err := s2sConfig(cfg, policy)
	if err != nil {
		return err
	}
	g.countPeers(policy)
	g.link, err = s.makeLink(lc, g, s2s.Env{Log: g.log, Observer: (*observer)(g)})
	return err
}

// outlet is the link of that name, nil if there is none.
func (g *Gateway) outlet(link string) links.Outlet {
	switch {
	case link == linkS2S:
		return g.link
	case link == linkLocal && g.clients != nil:
		return g.clients.outlet
	}
	return nil
}

// unreserve gives back the room of a Reserve that no Deliver will follow.
func (g *Gateway) unreserve(r *peering.Released, bytes int) {
	if r.Link() == linkLocal {
		g.clients.outlet.Unreserve(bytes)
		return
	}
	g.link.Unreserve(r.Local(), r.Remote())
}

// versionText is the policy version in words, made once for each.
func (g *Gateway) versionText(v peering.Version) string {
	t := g.versions.Load()
	if t == nil || t.version != v {
		t = &versionText{v, hex.EncodeToString(v[:])}
		g.versions.Store(t)
	}
	return t.text
}

var idEncoding = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

func (g *Gateway) freshID() string {
	var b [10]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "" // refused by the policy that wants one
	}
	return idEncoding.EncodeToString(b[:])
}

// auditDown stops all release: the log can take no record. What is under way is answered
// with an error, then the links are closed, and the node stays up for its operator to see
// why.
func (g *Gateway) auditDown(err error) {
	why := err.Error()
	if !g.unwritten.CompareAndSwap(nil, &why) {
		return
	}
	g.log.Error("the audit log has failed: nothing is released any more. "+
		"Make room or repair the disk, run 'sallyport audit verify', then restart the node", zap.Error(err))
	go func() {
		ctx, cancel := context.WithTimeout(g.ctx, g.active().Limits.CloseTimeout)
		defer cancel()
		g.landed(ctx) // those who wait are told why
		g.closeLinks("audit log has failed")
	}()
}

// watchAudit notices a log that fails while no stanza comes by.
func (g *Gateway) watchAudit() {
	select {
	case <-g.audit.Failed():
		g.auditDown(g.audit.Err())
	case <-g.ctx.Done():
	}
}
