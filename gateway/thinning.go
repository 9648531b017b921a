package gateway

import (
	"slices"
	"sync"

	"sallyport/gateway/config"
	"sallyport/gateway/spool"
	"sallyport/gateway/thin"
	"sallyport/internal/xmpp/stanza"
	"sallyport/peering"
)

// thinner is what is spared on the way to one peer. Presence that waits for its time is in a queue of the spool that no link
// empties, and goes from there into that of the peer; everything else is cut where it leaves. Of what the far side has heard it
// remembers what it can: after a restart the first change of everybody is news.
type thinner struct {
	d    *depot
	peer string
	wake chan struct{}

	mu       sync.Mutex
	running  bool
	opts     thin.Options
	rooms    bool // copies are merged
	presence *thin.Presence
	caps     *thin.Caps
	stats    thin.Stats
	spared   map[string]uint64      // bytes, by the link that they would have gone over; what no link was chosen for under ""
	entries  map[uint64]*pacedEntry // taken from the queue of what waits
	outs     []thin.Out             // to be carried out
	outbox   []uint64               // go into the queue of the peer, in order
	moving   int
	failed   []uint64 // did not get there, in order
	draining bool     // there may be presence that waits, although none has to
}

// outcomeFolded is the outcome of a decision to release of which nothing was left that is worth sending.
const outcomeFolded = "folded"

// thinOptions are those of a table of the configuration.
func thinOptions(t *config.Thin) (o thin.Options) {
	switch t.Presence {
	case config.PresenceAll:
		o.Presence = thin.Whole
	case config.PresenceFolded:
		o.Presence = thin.Folded
	case config.PresenceCoarse:
		o.Presence = thin.Coarse
	case config.PresenceOff:
		o.Presence = thin.Off
	}
	o.Interval, o.Caps = t.Interval, t.CapsOnce
	for _, d := range t.Strip {
		switch d {
		case config.ChatStates:
			o.ChatStates = true
		case config.Receipts:
			o.Receipts = true
		case config.Markers:
			o.Markers = true
		case config.Typing:
			o.Typing = true
		case config.XHTML:
			o.XHTML = true
		case config.Avatars:
			o.Avatars = true
		}
	}
	return o
}

func newThinner(d *depot, peer string) *thinner {
	return &thinner{
		d: d, peer: peer, wake: make(chan struct{}, 1), presence: thin.NewPresence(thin.Options{}), caps: thin.NewCaps(maxCaps),
		entries: map[uint64]*pacedEntry{},
	}
}

// maxCaps bounds of how many resources capabilities are remembered.
const maxCaps = 1 << 16

// thinner returns what spares on the way to a peer, nil where nothing is spared.
func (d *depot) thinner(peer string) *thinner {
	all := d.thinners.Load()
	if all == nil {
		return nil
	}
	return (*all)[peer]
}

// spare learns what is to be spared. left are the peers of whom presence waits in the spool.
func (d *depot) spare(cfg *config.Config, left []string) {
	next := map[string]*thinner{}
	old := d.thinners.Load()
	known := func(peer string) *thinner {
		if old != nil && (*old)[peer] != nil {
			return (*old)[peer]
		}
		return newThinner(d, peer)
	}
	for i := range cfg.Peers {
		p := &cfg.Peers[i]
		if !p.Refuse && !p.Thin.IsNothing() && cfg.Spooled(p) {
			next[p.Name] = known(p.Name)
			next[p.Name].use(thinOptions(&p.Thin), p.Thin.Rooms == config.RoomMerged)
		}
	}
	if old != nil {
		for name := range *old {
			left = append(left, name)
		}
	}
	for _, name := range left { // whole again, and what waits goes out
		if next[name] == nil {
			next[name] = known(name)
			next[name].use(thin.Options{}, false)
		}
	}
	d.thinners.Store(&next)
}

// use begins to work by other options. What waits is looked at again under them.
func (t *thinner) use(o thin.Options, rooms bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rooms = rooms
	if o == t.opts {
		return
	}
	t.draining = true
	t.opts, t.presence, t.caps = o, thin.NewPresence(o), thin.NewCaps(maxCaps)
	var waiting []uint64
	for number, e := range t.entries {
		if !e.leaving {
			waiting = append(waiting, number)
		}
	}
	slices.Sort(waiting)
	t.outs = slices.DeleteFunc(t.outs, func(o thin.Out) bool { return t.entries[o.Token] != nil && !t.entries[o.Token].leaving })
	for _, number := range waiting {
		t.outs = t.presence.Put(t.outs, t.d.g.now(), number, t.entries[number].stanza)
	}
	t.wakeUp()
}

// needless says why a stanza is not worth sending at all.
func (t *thinner) needless(s stanza.Stanza) thin.Reason {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, cuts, worth := thin.Strip(t.opts, s)
	if worth {
		return thin.NoReason
	}
	t.stats.Cut(cuts)
	t.spare("", cutBytes(cuts))
	return cuts.First()
}

// spare counts bytes that need not cross. Caller holds mu.
func (t *thinner) spare(link string, bytes uint64) {
	if t.spared == nil {
		t.spared = map[string]uint64{}
	}
	t.spared[link] += bytes
}

func cutBytes(c thin.Cuts) (n uint64) {
	for _, tally := range c {
		n += tally.Bytes
	}
	return n
}

// sparedOn is how many bytes a link to a peer did not have to carry. What was spared before a link was chosen counts for the best one.
func (d *depot) sparedOn(link, peer string) uint64 {
	t := d.thinner(peer)
	if t == nil {
		return 0
	}
	cfg := d.g.active()
	p := cfg.Peer(peer)
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.spared[link]
	if p != nil && cfg.LinksOf(p)[0] == link {
		n += t.spared[""]
	}
	return n
}

// merged counts copies that cross as recipients of another.
func (t *thinner) merged(link string, copies, bytes int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stats.Spare(thin.CopyMerged, copies*bytes)
	t.spare(link, uint64(copies)*uint64(max(bytes, 0))) //nolint:gosec // lengths
}

// leaving cuts from a release what is spared. It is called in the order in which a lane leaves; again after a loss. With a reason,
// nothing is left that is worth sending.
func (t *thinner) leaving(r peering.Released) (peering.Released, thin.Reason) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s, cuts, worth := thin.Strip(t.opts, r.Stanza())
	if !worth {
		return r, cuts.First()
	}
	saved := 0
	if t.opts.Caps {
		s, saved = t.caps.Leaving(s)
	}
	less, err := r.Reduced(s)
	if err != nil { // what is not ours to cut leaves as it is
		t.caps.Lost(r.Stanza())
		return r, thin.NoReason
	}
	t.stats.Cut(cuts)
	t.spare(r.Link(), cutBytes(cuts)+uint64(max(saved, 0))) //nolint:gosec // a length
	if saved > 0 {
		t.stats.Spare(thin.CapsUnchanged, saved)
	}
	return less, thin.NoReason
}

// unheard takes what left and did not arrive, or nobody knows whether.
func (t *thinner) unheard(s stanza.Stanza) {
	if s.Kind() == stanza.Presence {
		t.mu.Lock()
		t.caps.Lost(s)
		t.mu.Unlock()
	}
}

// thinned cuts from what leaves now what is spared on the way to the peer. It is false when nothing is left, which is on record then.
func (x *dispatcher) thinned(h *heldEntry, r peering.Released) (peering.Released, bool) {
	t := x.d.thinner(x.peer)
	if t == nil || h.Stored.IsReply() {
		return r, true
	}
	less, folded := t.leaving(r)
	if folded != thin.NoReason {
		x.refuse(conclusion{entry: h.Entry, how: spool.Superseded, folded: folded})
		return less, false
	}
	return less, true
}

// unheard takes what a link could not deliver.
func (x *dispatcher) unheard(number uint64) {
	t := x.d.thinner(x.peer)
	if t == nil {
		return
	}
	x.mu.Lock()
	h := x.held[number]
	x.mu.Unlock()
	if h != nil && !h.released.IsZero() {
		t.unheard(h.released.Stanza())
	}
}

// heard takes what the far side sent: who asks anew has forgotten what he was told.
func (d *depot) heard(peer string, s stanza.Stanza) {
	if s.Kind() != stanza.Presence {
		return
	}
	if t := d.thinner(peer); t != nil {
		t.mu.Lock()
		t.presence.Heard(s)
		t.caps.Heard(s)
		t.mu.Unlock()
	}
}

// lost takes an entry that did not arrive.
func (d *depot) lost(e *spool.Entry, how spool.Outcome) {
	t := d.thinner(peerOf(e.Peer))
	switch how {
	case spool.NoOutcome, spool.Delivered, spool.Superseded:
		return
	case spool.Bounced, spool.Refused, spool.Expired, spool.InDoubt, spool.Damaged:
	}
	if t == nil || e.Kind != stanza.Presence || e.Conversation&replyBit != 0 {
		return
	}
	var s stanza.Stanza
	if v, err := d.g.engine.RejudgeFor(e.Stored, nil, ""); err == nil {
		if r, ok := v.Released(); ok {
			s = r.Stanza()
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if s.IsZero() { // whoever it was about: nothing is certain any more
		t.presence.Forget()
		t.caps = thin.NewCaps(maxCaps)
		return
	}
	t.presence.Lost(s)
	t.caps.Lost(s)
}
