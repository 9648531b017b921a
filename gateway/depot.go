package gateway

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"sallyport/gateway/config"
	"sallyport/gateway/precedence"
	"sallyport/gateway/spool"
	"sallyport/internal/disk"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/links"
	"sallyport/peering"
)

// depot is what a node keeps for peers that cannot be sent to at once: the spool, the dispatcher of each such peer, and what came
// in under custody and is not yet on disk. A node without such peers has an empty one, which costs nothing.
//
// Locks: mu is held for a moment. Then that of a dispatcher, or of a receiver; then those inside of spool and links.
type depot struct {
	g        *Gateway
	fs       disk.FS // of a test; nil: the directory of the configuration
	kept     atomic.Pointer[map[string]bool]
	urgent   atomic.Pointer[precedence.Table]
	thinners atomic.Pointer[map[string]*thinner] // by peer, of those on whose way something is spared
	ends     concluder
	quit     chan struct{} // closed by stop
	closed   chan struct{} // closed by close

	spool atomic.Pointer[spool.Spool] // nil while nobody has use for it
	first spool.Number                // of this life
	found uint64                      // the epoch that an earlier life left; 0 for none

	mu         sync.Mutex
	running    bool
	stopping   bool
	tokens     uint64
	peers      map[string]*dispatcher
	inbound    map[string]*receiver
	retired    []*dispatcher
	background sync.WaitGroup

	back setback

	endsMu sync.Mutex
	mine   map[spool.Number]struct{}         // entries that end by a conclusion
	parted map[spool.Number]map[jid.JID]bool // recipients that ended before their entry; true: delivered
	moved  map[spool.Number]struct{}         // entries that are stored anew under another number
}

var (
	_ links.Custodian = (*depot)(nil)
	_ links.Watcher   = (*depot)(nil)
	_ links.Issuer    = (*depot)(nil)
)

func newDepot(g *Gateway) *depot {
	d := &depot{
		g: g, quit: make(chan struct{}), closed: make(chan struct{}), peers: map[string]*dispatcher{}, inbound: map[string]*receiver{},
		mine: map[spool.Number]struct{}{}, parted: map[spool.Number]map[jid.JID]bool{}, moved: map[spool.Number]struct{}{},
	}
	d.ends.d = d
	d.ends.cond = sync.NewCond(&d.ends.mu)
	return d
}

// aside is where entries of a peer wait that hold nothing up. No peer has such a name.
const aside = " (aside)"

// replyBit marks the conversation of errors of ours, which are no stanzas that anybody gave us.
const replyBit = 1 << 63

// conversationOf is the same for all that has to stay in order between two people, or a room and a person, for ever.
func conversationOf(from, to jid.JID) uint64 {
	h := fnv.New64a()
	h.Write([]byte(from.Bare().String()))
	h.Write([]byte{0})
	h.Write([]byte(to.Bare().String()))
	return h.Sum64() &^ replyBit
}

// open opens the spool if the configuration has use for one and it is not open.
func (d *depot) open(cfg *config.Config) error {
	if d.store() != nil || len(spooledPeers(cfg)) == 0 {
		return nil
	}
	fs := d.fs
	if fs == nil {
		dir, err := disk.MakeDir(string(cfg.Spool.Dir))
		if err != nil {
			return fmt.Errorf("spool: %w", err)
		}
		fs = dir
	}
	s, found, err := spool.Open(fs, spool.Options{
		Limits: spool.Limits{Bytes: int64(cfg.Spool.MaxBytes), PeerBytes: int64(cfg.Spool.MaxPeerBytes), MergeWindow: cfg.Spool.MergeWindow},
		Clock:  d.g.now, Settled: d.settled, Ready: d.ready,
	})
	if err != nil {
		return err
	}
	for _, damage := range found.Damaged {
		d.g.log.Error("the spool was damaged; everything else in it is there", zap.Stringer("damage", damage))
		d.g.noteSecurity("spool-damaged", "", "", damage.String())
	}
	if found.Fresh {
		d.g.log.Info("a new spool was begun", zap.Uint64("epoch", s.Epoch()))
	}
	d.first = s.Stats().Next
	if !found.Fresh {
		d.found = s.Epoch()
	}
	d.spool.Store(s)
	d.mu.Lock()
	running := d.running
	d.mu.Unlock()
	d.adopt(s, &found)
	if running {
		d.background.Go(d.watch)
	}
	return nil
}

// adopt counts what an earlier life had accepted.
func (d *depot) adopt(s *spool.Spool, found *spool.Recovered) {
	var stanzas int64
	for _, e := range s.Entries("", 0, found.Entries) {
		if e.Conversation&replyBit == 0 {
			stanzas += e.Weight()
		}
	}
	d.g.counters.Accepted.Add(stanzas)
	d.g.counters.Queued.Add(stanzas)
	if found.Entries > 0 {
		d.g.log.Info("the spool is as it was left", zap.Int("entries", found.Entries), zap.Int("in_doubt", len(found.InDoubt)))
	}
	for i := range found.InDoubt {
		e := &found.InDoubt[i]
		if p := d.g.cfg.Peer(e.Peer); p != nil && !d.g.cfg.HasCustody(p) && (p.InDoubt == config.Resend || d.unheard(e)) {
			_ = s.Requeue(e.Number) // fails only when the spool has stopped
			continue
		}
		d.ends.add(conclusion{entry: *e, how: spool.InDoubt})
	}
}

// unheard: nobody is there to be told that a message is in doubt. It is of our own people, whose clients were all lost with the last life of the
// node: an error would go nowhere, and what they were told we have would be nowhere.
func (d *depot) unheard(e *spool.Entry) bool {
	return e.Kind == stanza.Message && e.Conversation&replyBit == 0 && ofServer(d.g.engine.Policy(), e.Local)
}

func spooledPeers(cfg *config.Config) map[string]bool {
	kept := map[string]bool{}
	for i := range cfg.Peers {
		if p := &cfg.Peers[i]; !p.Refuse && cfg.Spooled(p) {
			kept[p.Name] = true
		}
	}
	return kept
}

// know learns which peers are sent to from the spool, before the policy that releases to their links.
func (d *depot) know(cfg *config.Config) {
	kept := spooledPeers(cfg)
	d.kept.Store(&kept)
	table, _ := precedence.Compile(cfg.Precedence) // what is wrong with it was found by check
	d.urgent.Store(table)
	d.spare(cfg, nil)
}

// use makes the configuration the one that dispatchers work by.
func (d *depot) use(cfg *config.Config) {
	d.mu.Lock()
	s := d.store()
	if s == nil {
		d.mu.Unlock()
		return
	}
	names := map[string]bool{}
	for name := range spooledPeers(cfg) {
		names[name] = true
	}
	var waits []string
	for _, b := range s.Backlog() {
		name := peerOf(b.Peer)
		names[name] = true
		if b.Peer == name+paced {
			waits = append(waits, name)
		}
	}
	for name := range d.peers {
		names[name] = true
	}
	running := d.running
	d.spare(cfg, waits)
	if running && !d.stopping {
		for _, t := range *d.thinners.Load() {
			t.start()
		}
	}
	d.mu.Unlock()
	if running {
		for name := range names {
			d.dispatch(cfg, name)
		}
	}
}

// keeps reports whether what goes to a peer goes to the spool first.
func (d *depot) keeps(peer string) bool {
	kept := d.kept.Load()
	return kept != nil && (*kept)[peer]
}

// start begins to send what is there.
func (d *depot) start(cfg *config.Config) {
	d.background.Go(d.ends.run)
	d.mu.Lock()
	d.running = true
	d.mu.Unlock()
	if d.store() != nil {
		d.background.Go(d.watch)
	}
	d.use(cfg)
}

// expireEvery is how often the spool is asked for what has outlived its time where nothing is sent.
const expireEvery = time.Second

// watch looks after the spool until the depot closes.
func (d *depot) watch() {
	tick := time.NewTicker(expireEvery)
	defer tick.Stop()
	s := d.store()
	for {
		select {
		case <-d.closed:
			return
		case <-s.Failed():
			if err := s.Err(); !errors.Is(err, spool.ErrClosed) {
				d.failed(err)
			}
			return
		case <-tick.C:
			s.Expire(d.g.now())
		}
	}
}

func (d *depot) store() *spool.Spool { return d.spool.Load() }

// failed stops all release: what is accepted could not be kept.
func (d *depot) failed(err error) {
	d.g.auditDown(fmt.Errorf("the spool: %w", err))
}

// stop ends all sending. What links have is reported by them; nothing new is given to them.
func (d *depot) stop() {
	d.mu.Lock()
	if !d.stopping {
		d.stopping = true
		close(d.quit)
	}
	all := make([]*dispatcher, 0, len(d.peers))
	for _, p := range d.peers {
		all = append(all, p)
	}
	d.mu.Unlock()
	for _, p := range all {
		p.stop()
	}
}

// close ends everything, after the links have reported all they had.
func (d *depot) close() error {
	d.ends.close()
	close(d.closed)
	d.mu.Lock()
	all := slices.Clone(d.retired)
	for _, p := range d.peers {
		all = append(all, p)
	}
	d.mu.Unlock()
	for _, p := range all {
		p.wait()
	}
	d.background.Wait()
	if s := d.store(); s != nil {
		return s.Close()
	}
	return nil
}

// dispatcher returns the one of a peer and makes it when there is none, or when the links of the peer are others now.
func (d *depot) dispatch(cfg *config.Config, name string) *dispatcher {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.store() == nil || d.stopping {
		return nil
	}
	plan := planFor(d.g, cfg, name)
	old := d.peers[name]
	if old != nil && old.plan.same(&plan) {
		old.wakeUp()
		return old
	}
	if old != nil {
		old.retire()
		d.retired = append(d.retired, old)
	}
	d.tokens++
	p := newDispatcher(d, name, plan, fmt.Sprintf("dispatcher %d", d.tokens))
	d.peers[name] = p
	p.start()
	return p
}

// ready is called by the spool when there is something to hand out.
func (d *depot) ready(peer string) {
	name := peerOf(peer)
	if peer == name+paced {
		if t := d.thinner(name); t != nil {
			t.wakeUp()
		}
		return
	}
	d.mu.Lock()
	p := d.peers[name]
	d.mu.Unlock()
	if p != nil {
		p.wakeUp()
		return
	}
	d.background.Go(func() { d.dispatch(d.g.active(), name) })
}

// Changed implements links.Watcher.
func (d *depot) Changed(link string, _ bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, p := range d.peers {
		if p.plan.uses(link) {
			p.wakeUp()
		}
	}
}

// Epoch implements links.Custodian.
func (d *depot) Epoch() uint64 {
	if s := d.store(); s != nil {
		return s.Epoch()
	}
	return 0
}

// class is how urgent a stanza is where it has to wait.
func (d *depot) class(v *peering.Verdict, s stanza.Stanza) spool.Class {
	given := d.urgent.Load().Of(v.Precedence, v.PrecedesBy, v.LabelOut, s)
	return spool.Class(max(given.Precedence, 1) - 1)
}

// expires is when a stanza has no more use: after the lifetime of its class, or when the policy says.
func expires(cfg *config.Config, class spool.Class, accepted, policy time.Time) time.Time {
	end := accepted.Add(cfg.Spool.Of(uint8(class)))
	if !policy.IsZero() && policy.Before(end) {
		return policy
	}
	return end
}

// room waits until the spool can take more, and says why it cannot.
func (d *depot) room(ctx context.Context, peer string, class spool.Class, bytes int) error {
	s := d.store()
	if s == nil {
		return spool.ErrClosed
	}
	if err := s.Room(ctx); err != nil {
		return err
	}
	return s.Admit(peer, class, bytes)
}
