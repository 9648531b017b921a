package hf

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"sallyport/links"
	"sallyport/links/x2x"
	"sallyport/s5066"
	"sallyport/s5066/sis"
)

// Why a time with the node ends.
var (
	errWindow = errors.New("outside the link's window of time")
	errClosed = errors.New("shut down")
	errRenew  = errors.New("the numbers of the spool began anew")
)

// unreachable ends a turn that the node or the peer does not serve.
type unreachable struct{ why string }

func (e unreachable) Error() string { return e.why }

// run keeps the link as it should be at each time.
func (l *Link) run() {
	for l.ctx.Err() == nil {
		open, until := l.cfg.Profile.Open(l.clock())
		if !open {
			l.enter(links.Down)
			l.rest(until)
			continue
		}
		l.attempt(until)
	}
	l.tell(func() {
		l.line.stop(l.clock(), true)
		l.sort()
	})
	l.flush()
	l.enter(links.Down)
}

// rest waits until then; the zero time is never. What expires meanwhile is reported.
func (l *Link) rest(until time.Time) {
	over, stop := alarm(until)
	defer stop()
	for {
		var at time.Time
		l.tell(func() {
			l.line.tick(l.clock())
			l.sort()
			at = l.line.deadline()
		})
		l.flush()
		timer, cancel := alarm(at)
		select {
		case <-over:
			cancel()
			return
		case <-timer:
		case <-l.wake:
		case <-l.ctx.Done():
			cancel()
			return
		}
		cancel()
	}
}

// alarm fires at a time; the zero time is never.
func alarm(at time.Time) (<-chan time.Time, func()) {
	if at.IsZero() {
		return nil, func() {}
	}
	t := time.NewTimer(time.Until(at))
	return t.C, func() { t.Stop() }
}

// attempt binds to the node and serves the link there until that ends.
func (l *Link) attempt(until time.Time) {
	l.enter(links.Connecting)
	a := &links.Attempt{At: l.clock(), Address: l.cfg.Node}
	l.tell(func() { l.story.Begin(a) })
	conn, err := sis.Dial(l.ctx, l.cfg.Node, l.bind())
	if err != nil {
		l.tell(func() { a.Fail(l.clock(), err.Error(), advice(err)) })
		if l.ctx.Err() == nil {
			l.incident(x2x.Incident{Kind: x2x.IncidentUnreachable, Detail: err.Error()})
			l.pause()
		}
		return
	}
	l.tell(func() {
		a.Say(l.clock(), "bound to SAP "+l.cfg.SAP.String()+" of the node")
		a.Up = true
	})
	began := l.clock()
	err = l.serve(conn, until)
	_ = conn.Close()
	l.tell(func() { a.Fail(l.clock(), "ended: "+err.Error(), advice(err)) })
	if l.ended(err, began) {
		l.pause()
	}
}

// bind is how the link binds to its node.
func (l *Link) bind() sis.BindOptions {
	return sis.BindOptions{
		SAP: l.cfg.SAP, Rank: l.cfg.Rank, Service: s5066.ServiceType{Mode: s5066.TxARQ, Confirm: s5066.ConfirmNode},
		Wait: l.cfg.Profile.Timeout(30 * time.Second), Network: sis.Network{Dial: l.env.Network.Dial, RetryMin: time.Hour, RetryMax: time.Hour},
	}
}

// advice says what an operator can do.
func advice(err error) string {
	var refused *sis.BindError
	var gone unreachable
	switch {
	case errors.Is(err, errWindow), errors.Is(err, errClosed), errors.Is(err, errRenew):
		return ""
	case errors.As(err, &refused) && refused.Reason == sis.BindSAPInUse:
		return "Another client has that SAP: give each link of a node a SAP of its own, the same at both ends."
	case errors.As(err, &refused):
		return "Look at what the node allows: SAP, rank, and whether it is set to broadcast only."
	case errors.As(err, &gone):
		return "Ask whether the peer's node is on the air and its gateway bound to the same SAP; what waits is kept and tried again."
	}
	return "Check that the node runs and that its address and port are right."
}

// serve carries stanzas until the node, the peer or the time is gone.
func (l *Link) serve(conn *sis.Conn, until time.Time) error {
	ctx, cancel := context.WithCancelCause(l.ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	l.beginTurn(conn.MTU())
	wg.Go(func() { cancel(l.listen(ctx, conn)) })
	err := l.pump(ctx, conn, until)
	cancel(err)
	wg.Wait()
	l.endTurn()
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) && l.ctx.Err() == nil {
		err = cause
	}
	l.incident(x2x.Incident{Kind: x2x.IncidentDown, Detail: err.Error()})
	return err
}

func (l *Link) beginTurn(mtu int) {
	var mine []links.Mark
	var epoch uint64
	if l.env.Custodian != nil {
		epoch, mine = l.env.Custodian.Epoch(), l.env.Custodian.Marks(l.cfg.Peer)
	}
	l.tell(func() {
		l.turns++
		l.turn = l.turns
		l.failing, l.renew, l.held, l.mute = "", false, false, false
		l.mtu = mtu
		l.quality = links.Quality{Since: l.clock()}
		clear(l.asked)
		l.line.begin(l.clock(), l.mtu, epoch, mine)
		l.sort()
	})
	l.enter(links.Up)
	l.incident(x2x.Incident{Kind: x2x.IncidentUp, Detail: "bound to the node at " + l.cfg.Node})
	l.told = true
	l.changed(true)
}

// endTurn gives back what the mode gives back; then the next turn may begin.
func (l *Link) endTurn() {
	l.tell(func() {
		l.turn = 0
		l.line.stop(l.clock(), false)
		l.sort()
	})
	l.flush()
	if l.told {
		l.told = false
		l.changed(false)
	}
}

// listen takes what the node says until it is gone.
func (l *Link) listen(ctx context.Context, conn *sis.Conn) error {
	for {
		e, err := conn.Receive(ctx)
		if err != nil {
			return err
		}
		if err := l.note(e); err != nil {
			return err
		}
		if _, ok := e.(sis.Received); ok {
			if err := l.makeRoom(ctx); err != nil {
				return err
			}
		}
	}
}

// note takes what the node says; an error is the end of it.
func (l *Link) note(e sis.ClientEvent) error {
	switch e := e.(type) {
	case sis.Received:
		l.received(&e.UnidataIndication)
	case sis.Confirmed:
		l.noteOutcome(e.ID, outcome{confirmed: true})
	case sis.Rejected:
		l.noteOutcome(e.ID, outcome{reason: e.Reason})
	case sis.InDoubt:
		l.noteOutcome(e.ID, outcome{})
	case sis.Flow:
		l.tell(func() { l.held = !e.On })
		l.poke()
	case sis.Availability:
		l.available(e.SubnetAvailability)
	case sis.Fault:
		l.incident(x2x.Incident{Kind: NoticeMalformed, Detail: clip("the node: " + e.Cause.Error())})
	case sis.Ended:
		return e.Err
	}
	return nil
}

// available takes what the node says that it can do.
func (l *Link) available(a sis.SubnetAvailability) {
	mute := a.Status == sis.NodeOff || a.Status == sis.NodeReceiveOnly || a.Reason == sis.StatusEMCON && a.Status != sis.NodeOn
	changed := false
	l.tell(func() { l.mute, changed = mute, l.mute != mute })
	l.poke()
	switch {
	case changed && mute:
		l.incident(x2x.Incident{Kind: NoticeMute, Detail: fmt.Sprintf("the node may not transmit: %v, %v", a.Status, a.Reason)})
	case changed:
		l.incident(x2x.Incident{Kind: NoticeVoice, Detail: "the node may transmit"})
	}
}

// makeRoom waits while the sink has enough to do.
func (l *Link) makeRoom(ctx context.Context) error {
	for {
		l.mu.Lock()
		full, taken := len(l.inbox) > maxInbox, l.taken
		l.mu.Unlock()
		if !full {
			return nil
		}
		select {
		case <-taken:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// pump submits what the machine wants to, and tells it the time.
func (l *Link) pump(ctx context.Context, conn *sis.Conn, until time.Time) error {
	window, stop := alarm(until)
	defer stop()
	for {
		r, ok, at := l.step()
		l.flush()
		switch err := l.whyEnding(); {
		case ctx.Err() != nil:
			return errClosed
		case err != nil:
			return err
		case ok:
			if err := conn.Send(ctx, r.id, r.UnidataRequest); err != nil {
				l.unsent(r.id, err)
			}
			continue
		}
		timer, cancel := alarm(at)
		select {
		case <-l.wake:
		case <-timer:
		case <-window:
			cancel()
			return errWindow
		case <-ctx.Done():
		}
		cancel()
	}
}

// unsent takes a refusal of the client itself: of the moment, or of what was to be sent.
func (l *Link) unsent(id uint64, err error) {
	o := outcome{unsent: true}
	if errors.Is(err, sis.ErrTooLong) {
		o = outcome{reason: sis.RejectTooLong}
	}
	l.noteOutcome(id, o)
}

// whyEnding is why the turn is to end, or nil.
func (l *Link) whyEnding() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.renew:
		return errRenew
	case l.failing != "":
		return unreachable{l.failing}
	}
	return nil
}

// step asks the machine what to submit now, and when to ask again.
func (l *Link) step() (r request, ok bool, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.clock()
	l.line.tick(now)
	if !l.held && !l.mute && !l.silent {
		if r, ok = l.line.next(now); ok {
			l.submitted(now, &r)
		}
	}
	l.sort()
	return r, ok, l.line.deadline()
}

// submitted counts. Caller holds mu.
func (l *Link) submitted(now time.Time, r *request) {
	n := len(r.Data)
	l.traffic.BytesOut += uint64(n)
	if r.Delivery.Confirm != s5066.ConfirmNone {
		l.asked[r.id] = now
	}
	stanzas := min(n, l.uncoded)
	l.uncoded -= stanzas
	l.usage.Add(now, links.Use{Lane: links.NoLane, Content: links.Framing, Plain: uint64(n - stanzas), Wire: uint64(n - stanzas)}) //nolint:gosec // not negative
}

// pause waits before the next attempt: longer each time.
func (l *Link) pause() {
	until := l.backoff()
	l.enter(links.Waiting)
	l.rest(until)
}

// backoff is when the next attempt is due.
func (l *Link) backoff() time.Time {
	wait := min(l.cfg.Profile.RetryFirst()<<min(l.failures, 12), l.cfg.Profile.RetryMost())
	l.failures++
	at := l.clock().Add(wait*3/4 + wait/2*time.Duration(l.draw())>>16) // jitter
	l.tell(func() { l.retry = at })
	return at
}

// ended notes that a turn which began then is over, and reports whether to pause before the next.
func (l *Link) ended(err error, began time.Time) (pause bool) {
	if errors.Is(err, errWindow) || errors.Is(err, errRenew) || l.ctx.Err() != nil {
		l.failures = 0
		return false
	}
	if l.clock().Sub(began) > l.cfg.Profile.RetryMost() {
		l.failures = 0
	}
	return true
}

func (l *Link) enter(s links.State) {
	l.tell(func() {
		if s != l.state {
			l.state, l.since = s, l.clock()
		}
	})
}

func (l *Link) changed(up bool) {
	if l.env.Watcher != nil {
		l.env.Watcher.Changed(l.cfg.Name, up)
	}
}

func (l *Link) incident(i x2x.Incident) {
	if l.env.Observer != nil {
		i.Link, i.Side, i.Peer = l.cfg.Name, l.cfg.Side, l.cfg.Peer
		l.env.Observer.Incident(i)
	}
}
