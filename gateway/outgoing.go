package gateway

import (
	"context"
	"errors"
	"sync"

	"sallyport/gateway/dispatch"
	"sallyport/links"
	"sallyport/peering"
)

// outgoing hands what the scheduler sends to one link, in order. It may wait there for room.
type outgoing struct {
	x    *dispatcher
	at   int
	b    bearer
	up   bool // as the scheduler knows it; under dispatcher.mu
	wake chan struct{}

	mu    sync.Mutex
	queue []sending
	turn  uint64 // grows when something was not handed over: what was sent behind it is not either
}

type sending struct {
	dispatch.Output
	turn uint64
}

var _ links.Reporter = (*outgoing)(nil)

func newOutgoing(x *dispatcher, at int) *outgoing {
	return &outgoing{x: x, at: at, b: x.plan.bearers[at], wake: make(chan struct{}, 1)}
}

func (o *outgoing) wakeUp() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

func (o *outgoing) push(out dispatch.Output) {
	o.mu.Lock()
	o.queue = append(o.queue, sending{out, o.turn})
	o.mu.Unlock()
	o.wakeUp()
}

func (o *outgoing) pop() (sending, bool, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.queue) == 0 {
		o.queue = nil
		return sending{}, false, false
	}
	s := o.queue[0]
	o.queue = o.queue[1:]
	return s, s.turn == o.turn, true
}

// run ends when the dispatcher stops. What was not handed over by then goes back.
func (o *outgoing) run() {
	ctx := o.x.ctx
	for {
		s, fresh, ok := o.pop()
		switch {
		case ok && fresh && ctx.Err() == nil:
			o.send(ctx, s)
		case ok:
			o.x.report(s.Number, links.Returned, links.ErrStaleTurn)
		case ctx.Err() != nil:
			return
		default:
			select {
			case <-o.wake:
			case <-ctx.Done():
			}
		}
	}
}

// send judges for the link and hands over.
func (o *outgoing) send(ctx context.Context, s sending) {
	x := o.x
	x.mu.Lock()
	h := x.held[s.Number]
	x.mu.Unlock()
	if h == nil { // ended meanwhile
		return
	}
	r, may, ok := x.release(h, o.at)
	if !ok {
		x.ended(s.Number)
		return
	}
	if !may.Has(o.at) {
		o.notHanded()
		x.restrict(s.Number, may)
		return
	}
	if r, ok = x.thinned(h, r); !ok {
		x.ended(s.Number)
		return
	}
	also := x.also(h, o.at)
	if len(also) > 0 && x.plan.custody && x.unlike(h, append([]peering.Released{r}, also...)) {
		o.send(ctx, s) // to those whose copies are the same
		return
	}
	c := links.Consignment{Released: r, Token: s.Number, Reporter: o, Turn: s.Output.Turn, Lane: uint8(h.Class)}
	reserve := func(r *peering.Released) error { return o.reserve(ctx, r, h.Bytes) }
	err := error(nil)
	if len(also) > 0 && !x.plan.custody {
		if err = o.fanOut(h, c, also, reserve); err == nil {
			return
		}
	} else {
		err = reserve(&r)
	}
	if errors.Is(err, errOtherPolicy) {
		o.send(ctx, s)
		return
	}
	if err != nil {
		d := links.Failed
		if ctx.Err() != nil {
			d, err = links.Returned, links.ErrStaleTurn
		}
		if !errors.Is(err, links.ErrTooBig) {
			o.notHanded()
		}
		x.report(s.Number, d, err)
		return
	}
	if x.plan.custody {
		c.Also = also
		if t := x.d.thinner(x.peer); t != nil && len(also) > 0 {
			t.merged(r.Link(), len(also), h.Bytes)
		}
		c.Frame = links.Frame{Epoch: x.d.Epoch(), Lane: c.Lane, Number: s.Number, Expires: h.Expires}
	}
	o.b.Deliver(c)
}

// errOtherPolicy: while there was no room, what had been judged came to be of a policy that is over. It is judged again.
var errOtherPolicy = errors.New("judged under a policy that is over")

func (o *outgoing) reserve(ctx context.Context, r *peering.Released, bytes int) error {
	err := o.b.Reserve(ctx, r.Local(), r.Remote(), bytes)
	if err == nil && r.PolicyVersion() != o.x.d.g.engine.Policy().Version() {
		o.b.giveBack(r.Local(), r.Remote())
		return errOtherPolicy
	}
	return err
}

// notHanded makes everything go back that is behind something which was not handed over.
func (o *outgoing) notHanded() {
	o.mu.Lock()
	o.turn++
	o.mu.Unlock()
}

// Report implements links.Reporter.
func (o *outgoing) Report(number uint64, d links.Disposition, cause error) {
	if d != links.Delivered {
		o.x.unheard(number)
	}
	o.x.report(number, d, cause)
}
