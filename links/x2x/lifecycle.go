package x2x

import (
	"context"
	"time"

	"sallyport/links"
)

// drop ends the carriers, in order or at once.
func (l *Link) drop(why string, orderly bool) {
	l.mu.Lock()
	all := []*carrier{l.outbound, l.inbound}
	l.mu.Unlock()
	for _, c := range all {
		switch {
		case c == nil:
		case orderly:
			c.close()
		default:
			c.abandon(why)
		}
	}
}

// Renew ends the carriers in order, so that the next ones greet with what the custodian says by then.
func (l *Link) Renew() {
	l.mu.Lock()
	custody := l.cfg.Mode == Custody
	l.mu.Unlock()
	if custody {
		l.drop("", true)
	}
}

// recheck ends carriers whose peer would not be let in today.
func (l *Link) recheck(now time.Time) {
	l.mu.Lock()
	cfg, all := l.cfg, []*carrier{l.outbound, l.inbound}
	l.mu.Unlock()
	for _, c := range all {
		if c == nil {
			continue
		}
		if why := cfg.stillKnown(c, now); why != "" {
			l.incident(Incident{Kind: IncidentProofGone, Address: c.remote, Reason: why})
			c.abandon("the peer is not let in any more: " + why)
		}
	}
}

func (l *Link) incident(i Incident) {
	l.mu.Lock()
	i.Link, i.Side, i.Peer = l.name, l.cfg.Side, l.cfg.Peer.Name
	l.mu.Unlock()
	l.set.env.Observer.Incident(i)
}

// reload takes another configuration. What cannot change under a living carrier ends it.
func (l *Link) reload(cfg Config) {
	cfg.withDefaults()
	l.mu.Lock()
	old := l.cfg
	l.cfg = cfg
	l.retry = time.Time{}
	l.mu.Unlock()
	if old.Fingerprint() != cfg.Fingerprint() || old.Peer.Name != cfg.Peer.Name || old.Profile.WindowBytes() != cfg.Profile.WindowBytes() {
		l.drop("the link was configured anew", false)
	}
	l.recheck(time.Now())
	l.pokeLocked()
}

// shutdown ends the link: in order as long as ctx allows, then at once. Every consignment has had its report when it returns.
func (l *Link) shutdown(ctx context.Context) {
	l.mu.Lock()
	l.started = false // nothing new
	l.mu.Unlock()
	l.drop("shut down", true)
	over := make(chan struct{})
	go func() {
		for _, c := range l.carriers() {
			<-c.dead
		}
		close(over)
	}()
	select {
	case <-over:
	case <-ctx.Done():
	}
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.cancel()
	l.wg.Wait()
	<-over
	l.mu.Lock()
	rest := l.queue.drain()
	l.turn = 0
	l.settleState(time.Now())
	custodial := l.cfg.Mode == Custody
	l.mu.Unlock()
	for _, it := range rest {
		if custodial {
			l.report(it.Consignment, links.Returned, links.ErrClosed)
		} else {
			l.report(it.Consignment, links.Failed, links.ErrClosed)
		}
	}
	l.notify()
}

func (l *Link) carriers() []*carrier {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []*carrier
	for _, c := range []*carrier{l.outbound, l.inbound} {
		if c != nil {
			out = append(out, c)
		}
	}
	return out
}
