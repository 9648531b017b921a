package gateway

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"sallyport/gateway/control"
	"sallyport/gateway/spool"
	"sallyport/links"
	"sallyport/peering"
)

var _ control.Keeper = (*Gateway)(nil)

// errNoSpool is what operators are told where nothing is kept.
var errNoSpool = errors.New("this node keeps nothing: no peer has spool = true or a link of its own")

// Bounds of one answer.
const (
	maxListed = 10_000
	allListed = 1 << 30
)

// Spool lists what waits.
func (g *Gateway) Spool(_ context.Context, q control.SpoolQuestion) (control.SpoolStatus, error) {
	s := g.depot.store()
	if s == nil {
		return control.SpoolStatus{}, nil
	}
	st := s.Stats()
	t := &st.Totals
	out := control.SpoolStatus{
		Entries: st.Entries, Bytes: st.Held, DiskBytes: st.DiskBytes, Segments: st.Segments, Epoch: strconv.FormatUint(st.Epoch, 16),
		DiskFull: st.DiskFull, Accepted: t.Accepted, Queued: t.Queued, Delivered: t.Ended[spool.Delivered], Bounced: t.Ended[spool.Bounced],
		Refused: t.Ended[spool.Refused], Expired: t.Ended[spool.Expired], Superseded: t.Ended[spool.Superseded],
		InDoubt: t.Ended[spool.InDoubt], Damaged: t.Ended[spool.Damaged], Balance: t.Balance(),
	}
	if st.Err != nil {
		out.Error = st.Err.Error()
	}
	out.Warning = g.depot.warning()
	for _, b := range s.Backlog() {
		name := peerOf(b.Peer)
		if q.Peer == "" || q.Peer == name {
			waits := b.Peer == name+paced
			if waits {
				b.Underway = 0
			}
			out.Lanes = append(out.Lanes, control.SpoolLane{
				Peer: name, Class: b.Class.String(), Aside: b.Peer == name+aside, Paced: waits, Entries: b.Entries, Underway: b.Underway, Bytes: b.Bytes, Oldest: b.Oldest,
			})
		}
	}
	limit := min(max(q.Limit, 0), maxListed)
	if limit == 0 {
		return out, nil
	}
	for _, e := range g.entries(s, q) {
		if len(out.List) == limit {
			out.More = true
			break
		}
		out.List = append(out.List, g.spoolEntry(&e))
	}
	return out, nil
}

// entries are those that a question is about.
func (g *Gateway) entries(s *spool.Spool, q control.SpoolQuestion) []spool.Entry {
	all := s.Entries("", spool.Number(q.From), allListed)
	return slices.DeleteFunc(all, func(e spool.Entry) bool {
		return q.Peer != "" && peerOf(e.Peer) != q.Peer ||
			len(q.Numbers) > 0 && !slices.Contains(q.Numbers, uint64(e.Number))
	})
}

func (g *Gateway) spoolEntry(e *spool.Entry) control.SpoolEntry {
	name := peerOf(e.Peer)
	out := control.SpoolEntry{
		Number: uint64(e.Number), Peer: name, Class: e.Class.String(), State: "waiting", Kind: e.Kind.String(), Bytes: e.Bytes,
		Accepted: e.Accepted, Expires: e.Expires, Local: e.Local.Domain(), Remote: e.Remote.Domain(), Copies: len(e.Also),
	}
	switch {
	case e.Peer == name+paced:
		out.State = "paced"
	case name != e.Peer:
		out.State = "aside"
	case g.depot.linkOf(name, uint64(e.Number)) != "":
		out.State = "sending"
	}
	return out
}

// linkOf names the link that has an entry, "" for none.
func (d *depot) linkOf(peer string, number uint64) string {
	d.mu.Lock()
	x := d.peers[peer]
	d.mu.Unlock()
	if x == nil {
		return ""
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if h := x.held[number]; h != nil && x.sched.InAir(number) {
		if at := x.sched.Carries(uint8(h.Class)); at >= 0 {
			return x.plan.names[at]
		}
	}
	return ""
}

// SpoolEntry shows one entry, and what would become of it now.
func (g *Gateway) SpoolEntry(_ context.Context, q control.EntryQuestion) (control.SpoolDetail, error) {
	s := g.depot.store()
	if s == nil {
		return control.SpoolDetail{}, errNoSpool
	}
	found := s.Entries("", spool.Number(q.Number), 1)
	if len(found) == 0 || found[0].Number != spool.Number(q.Number) {
		return control.SpoolDetail{}, fmt.Errorf("there is no entry %d in the spool: it may have been delivered; see sallyport spool list", q.Number)
	}
	e := found[0]
	out := control.SpoolDetail{SpoolEntry: g.spoolEntry(&e), To: e.To.String(), Attempts: e.Attempts, Outcome: "error of ours"}
	out.Link = g.depot.linkOf(out.Peer, q.Number)
	stored, err := s.Stored(e.Number)
	if err != nil {
		return control.SpoolDetail{}, fmt.Errorf("entry %d cannot be read back: %w", q.Number, err)
	}
	if stored.IsReply() {
		return out, nil
	}
	v, err := g.engine.RejudgeFor(stored, nil, "")
	if err != nil {
		return control.SpoolDetail{}, fmt.Errorf("entry %d is not readable: %w", q.Number, err)
	}
	from, to := v.Addresses()
	out.From, out.To, out.ID, out.Reference = from.String(), to.String(), v.Source().ID(), v.Ref()
	out.Label, out.Outcome = v.Facts.MarkingOut, v.Outcome.String()
	if v.Outcome != peering.Release {
		out.Reason = string(v.Refusal.Reason)
		return out, nil
	}
	if p := g.engine.Policy().Peer(v.ToPeer); p != nil {
		for i, name := range p.Links {
			if v.Links.Has(i) {
				out.Links = append(out.Links, name)
			}
		}
	}
	return out, nil
}

// ExpireSpool ends entries before their time. Their senders are told as if it had come. What a link has is left alone.
func (g *Gateway) ExpireSpool(_ context.Context, by control.Caller, q control.SpoolQuestion) (control.SpoolChanged, error) {
	s := g.depot.store()
	switch {
	case s == nil:
		return control.SpoolChanged{}, errNoSpool
	case q.Peer == "" && len(q.Numbers) == 0:
		return control.SpoolChanged{}, errors.New("say which: numbers of entries, or a peer")
	}
	var out control.SpoolChanged
	found := map[uint64]bool{}
	for _, e := range g.entries(s, q) {
		number := uint64(e.Number)
		found[number] = true
		if !g.depot.expireNow(&e, by.String()) {
			out.Left = append(out.Left, number)
			continue
		}
		out.Entries++
	}
	for _, n := range q.Numbers {
		if !found[n] {
			out.Left = append(out.Left, n)
		}
	}
	return out, nil
}

// expireNow ends one entry, unless a link has it.
func (d *depot) expireNow(e *spool.Entry, by string) bool {
	d.mark(d.mine, e.Number)
	d.mu.Lock()
	x := d.peers[peerOf(e.Peer)]
	d.mu.Unlock()
	if x != nil {
		x.hold(e)
		if !x.letGo(uint64(e.Number), nil) {
			d.unmark(d.mine, e.Number)
			x.free(uint8(e.Class), uint64(e.Number))
			return false
		}
		x.mu.Lock()
		x.leaves(e)
		x.mu.Unlock()
	}
	d.ends.add(conclusion{entry: *e, how: spool.Expired, by: by})
	return true
}

// letGo forgets an entry that no link has; false for one that a link has. That one ends with then, if there is one, unless it is
// delivered.
func (x *dispatcher) letGo(number uint64, then *conclusion) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.sched.InAir(number) {
		if then != nil {
			x.doomed[number] = *then
		}
		return false
	}
	now := x.refresh()
	delete(x.held, number)
	outs, _ := x.sched.Ended(now, number)
	x.handle(outs, false)
	return true
}

// RetrySpool tries links again at once that had failed.
func (g *Gateway) RetrySpool(_ context.Context, _ control.Caller, q control.SpoolQuestion) (control.SpoolChanged, error) {
	if g.depot.store() == nil {
		return control.SpoolChanged{}, errNoSpool
	}
	if len(q.Numbers) > 0 {
		return control.SpoolChanged{}, errors.New("single entries cannot be tried out of their order; name a peer, or nothing for all")
	}
	var out control.SpoolChanged
	g.depot.mu.Lock()
	all := make([]*dispatcher, 0, len(g.depot.peers))
	for name, x := range g.depot.peers {
		if q.Peer == "" || q.Peer == name {
			all = append(all, x)
		}
	}
	g.depot.mu.Unlock()
	for _, x := range all {
		x.mu.Lock()
		now := x.refresh()
		x.handle(x.sched.Retry(now), false)
		out.Entries += len(x.held)
		x.mu.Unlock()
		x.wakeUp()
	}
	if len(all) == 0 && q.Peer != "" {
		return out, fmt.Errorf("nothing is sent from the spool to a peer %q", q.Peer)
	}
	return out, nil
}

// Links tells of every link but the server-to-server one, whose streams peer show tells of.
func (g *Gateway) Links(context.Context) ([]control.LinkStatus, error) {
	cfg := g.active()
	out := []control.LinkStatus{}
	for _, l := range g.carriers.all() {
		st := l.Status()
		st.Folded = g.depot.sparedOn(st.Name, st.Peer)
		one := linkStatus(&st)
		if c := cfg.Link(st.Name); c != nil {
			one.InboundOnly = c.InboundOnly
		}
		if o := g.carriers.radios.silenceOf(st.Name); o != nil {
			one.Silence = o.words()
		}
		one.Carries = g.depot.carriedBy(st.Peer, st.Name)
		one.Budgets = g.depot.budgetsOf(st.Peer, st.Name)
		out = append(out, one)
	}
	return out, nil
}

// carriedBy names the classes of precedence that go over a link.
func (d *depot) carriedBy(peer, link string) (classes []string) {
	d.mu.Lock()
	x := d.peers[peer]
	d.mu.Unlock()
	if x == nil {
		return nil
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for class := range spool.NumClasses {
		if at := x.sched.Carries(uint8(class)); at >= 0 && x.plan.names[at] == link {
			classes = append(classes, spool.Class(class).String())
		}
	}
	return classes
}

func linkStatus(st *links.Status) control.LinkStatus {
	out := control.LinkStatus{
		Name: st.Name, Kind: st.Kind, Peer: st.Peer, Side: st.Side, State: st.State.String(), Since: st.Since, Retry: st.Retry, Carrier: st.Carrier,
		Rate: st.Quality.BitsPerSecond, Loss: lossOf(st.Quality), Waiting: st.Backlog.Stanzas, Unconfirmed: st.Backlog.Unconfirmed,
		StanzasIn: st.Traffic.StanzasIn, StanzasOut: st.Traffic.StanzasOut, BytesIn: st.Traffic.BytesIn, BytesOut: st.Traffic.BytesOut,
		Saved: st.Traffic.Saved, Folded: st.Folded, Usage: usageOf(st), Repetitions: st.Traffic.Repetitions, Fingerprint: st.Fingerprint, Warnings: st.Warnings,
	}
	if st.Quality.RoundTrip > 0 {
		out.RoundTrip = st.Quality.RoundTrip.String()
	}
	for i := range st.Story {
		a := &st.Story[i]
		told := control.Attempt{At: a.At, Address: a.Address, Inbound: a.Inbound, Up: a.Up, Advice: a.Advice}
		for _, s := range a.Steps {
			told.Steps = append(told.Steps, fmt.Sprintf("+%.1fs %s", s.After.Seconds(), s.Words))
		}
		out.Story = append(out.Story, told)
	}
	return out
}
