package gateway

import (
	"sync/atomic"

	"sallyport/peering"
)

// Counters are what the pipeline has done since it started. Per (stanza, destination):
// accepted = deciding + queued + delivered + refused + dropped + held + bounced + expired
// + superseded + damaged + in doubt, at any moment when nothing is between two of them. What
// the spool had kept from an earlier life counts as accepted.
//
// They stand in the order of the way, since its three steps are mostly taken by different processors: taking, from the end of Deciding
// what a durable record does, from the end of Queued the end. Each step has a line of memory, 64 bytes, as long as Counters are allocated alone.
type Counters struct {
	Accepted  atomic.Int64  // taken from a link
	setOff    atomic.Int64  // flights, and what counts as one
	inside    atomic.Int64  // see door
	serial    atomic.Uint64 // of the last arrival
	Deciding  gauge         // judged, record not durable yet
	Queued    gauge         // released, fate unknown
	Delivered atomic.Int64
	landed    atomic.Int64 // of setOff
	Refused   atomic.Int64
	Dropped   atomic.Int64 // refused without telling, by rule
	Held      atomic.Int64
	Bounced   atomic.Int64 // released, not delivered, sender told
	Expired   atomic.Int64
	InDoubt   atomic.Int64
	// Superseded was made needless by something newer while it waited; Damaged could not be read back from the disk.
	Superseded atomic.Int64
	Damaged    atomic.Int64

	Folded     atomic.Int64 // of Superseded: nothing of it was worth sending on a thin way
	Answered   atomic.Int64 // of Delivered: requests that were answered here, in place of their peer
	Unanswered atomic.Int64 // of Delivered: requests whose sender was told that no answer came in time

	Repetitions atomic.Int64 // of what was taken before, under custody: acknowledged and dropped
	Foreign     atomic.Int64 // of an epoch that nobody has said: neither
	Replies     atomic.Int64 // errors delivered to senders
	RepliesLost atomic.Int64
	Reloads     atomic.Int64
	ReloadsBad  atomic.Int64
	EventsLost  atomic.Int64 // events of links that nobody had time to write down
}

// air is how many flights have not landed; never less than there are among those that have set off before.
func (c *Counters) air() int64 {
	landed := c.landed.Load()
	return c.setOff.Load() - landed
}

// Balance is accepted minus everything else: zero unless something is on its way between
// two counters, or lost.
func (c *Counters) Balance() int64 {
	return c.Accepted.Load() - c.Deciding.Load() - c.Queued.Load() - c.Delivered.Load() - c.Refused.Load() -
		c.Dropped.Load() - c.Held.Load() - c.Bounced.Load() - c.Expired.Load() - c.InDoubt.Load() - c.Superseded.Load() - c.Damaged.Load()
}

func (g *Gateway) countRefusal(v *peering.Verdict) {
	g.refusals.add(&v.Refusal)
	g.peer(v.FromPeer).Refused.Add(1)
	switch v.Outcome {
	case peering.Refuse, peering.Release:
		g.counters.Refused.Add(1)
	case peering.Hold:
		g.counters.Held.Add(1)
	case peering.Drop:
		g.counters.Dropped.Add(1)
	}
}
