package gateway_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/links"
	"sallyport/links/s2s"
)

// delivery is one consignment as the in-memory link was given it.
type delivery struct {
	links.Consignment
	id, from, to, kind, typ string
}

func (d *delivery) text() string {
	b, err := xmlstream.AppendElement(nil, d.Released.Element(), xmlstream.NSServer)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// condition is the stanza error that it carries, "" if none.
func (d *delivery) condition() string {
	if s := d.Released.Stanza(); s.IsError() {
		c, _ := s.Error()
		return c.String()
	}
	return ""
}

// fate is what becomes of a delivery: a report at once, or none until the test settles it.
type fate struct {
	keep  bool
	d     links.Disposition
	cause error
}

// memLink is a link without a network: what arrives is what the test lets arrive, and what is delivered stands in a list.
type memLink struct {
	sink     links.Sink
	ctx      context.Context
	cancel   context.CancelFunc
	arrivals sync.WaitGroup

	mu        sync.Mutex
	fate      func(*delivery) fate // nil: delivered
	refuse    func(jid.JID) error  // what Reserve says for a remote domain; nil: nothing
	full      map[string]bool      // remote domains whose queue has no room
	room      chan struct{}        // closed and replaced when that changes
	onDeliver func(*delivery)      // looks at each before its fate
	out       []*delivery          // in the order of Deliver
	kept      []*delivery          // not reported yet
	reserved  map[[2]string]int    // Reserve without Deliver or Unreserve
	reloadErr error                // what Prepare says
	onReload  func()               // while the link takes a configuration
	dropped   int                  // configurations that were prepared and not taken
	status    s2s.Status           // what Status says
	closed    bool
	misuse    []string
}

func newMemLink(sink links.Sink) *memLink {
	l := &memLink{sink: sink, full: map[string]bool{}, room: make(chan struct{}), reserved: map[[2]string]int{}}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	return l
}

func pairOf(local, remote jid.JID) [2]string { return [2]string{local.Domain(), remote.Domain()} }

// arrive hands one inbound stanza up, as a reader would.
func (l *memLink) arrive(in links.Inbound) {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return
	}
	l.arrivals.Add(1)
	l.mu.Unlock()
	defer l.arrivals.Done()
	l.sink.Accept(l.ctx, in)
}

// Reserve implements links.Outlet.
func (l *memLink) Reserve(ctx context.Context, local, remote jid.JID, _ int) error {
	patience := time.NewTimer(30 * time.Second)
	defer patience.Stop()
	for {
		l.mu.Lock()
		if l.closed {
			l.mu.Unlock()
			return links.ErrClosed
		}
		if l.refuse != nil {
			if err := l.refuse(remote); err != nil {
				l.mu.Unlock()
				return err
			}
		}
		room := l.room
		if !l.full[remote.Domain()] {
			l.reserved[pairOf(local, remote)]++
			l.mu.Unlock()
			return nil
		}
		l.mu.Unlock()
		select {
		case <-room:
		case <-patience.C:
			return context.DeadlineExceeded
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Unreserve gives room back.
func (l *memLink) Unreserve(local, remote jid.JID) { l.use(local, remote) }

func (l *memLink) use(local, remote jid.JID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := pairOf(local, remote)
	if l.reserved[key]--; l.reserved[key] < 0 {
		l.misuse = append(l.misuse, "room used that was never reserved: "+key[0]+" to "+key[1])
	}
}

// setFate decides about what is delivered from now on.
func (l *memLink) setFate(f func(*delivery) fate) {
	l.mu.Lock()
	l.fate = f
	l.mu.Unlock()
}

// setFull makes Reserve wait for a remote domain, or wait no more.
func (l *memLink) setFull(domain string, full bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.full[domain] = full
	close(l.room)
	l.room = make(chan struct{})
}

// Deliver implements links.Outlet.
func (l *memLink) Deliver(c links.Consignment) {
	r := &c.Released
	s := r.Stanza()
	d := &delivery{c, s.ID(), s.From().String(), s.To().String(), s.Kind().String(), s.Type().String()}
	l.use(r.Local(), r.Remote())
	if err := r.Check("s2s", r.Remote()); err != nil {
		c.Reporter.Report(c.Token, links.Failed, err)
		return
	}
	held, _ := c.Written.AppendElement(nil, r.Element(), xmlstream.NSServer)
	if fresh, _ := xmlstream.AppendElement(nil, r.Element(), xmlstream.NSServer); !bytes.Equal(held, fresh) {
		panic("what was digested would leave in place of what was released")
	}
	if l.onDeliver != nil {
		l.onDeliver(d)
	}
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		c.Reporter.Report(c.Token, links.Failed, links.ErrClosed)
		return
	}
	f := fate{d: links.Delivered}
	if l.fate != nil {
		f = l.fate(d)
	}
	l.out = append(l.out, d)
	if f.keep {
		l.kept = append(l.kept, d)
	}
	l.mu.Unlock()
	if !f.keep {
		c.Reporter.Report(c.Token, f.d, f.cause)
	}
}

// settle reports everything that was kept.
func (l *memLink) settle(d links.Disposition, cause error) {
	l.mu.Lock()
	kept := l.kept
	l.kept = nil
	l.mu.Unlock()
	for _, k := range kept {
		k.Reporter.Report(k.Token, d, cause)
	}
}

// settleOne reports the kept delivery with that number, modulo how many there are.
func (l *memLink) settleOne(n int, d links.Disposition) {
	l.mu.Lock()
	if len(l.kept) == 0 {
		l.mu.Unlock()
		return
	}
	n %= len(l.kept)
	k := l.kept[n]
	l.kept = append(l.kept[:n], l.kept[n+1:]...)
	l.mu.Unlock()
	k.Reporter.Report(k.Token, d, errors.New("settled by the test"))
}

func (l *memLink) deliveries() []*delivery {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]*delivery(nil), l.out...)
}

// to returns the deliveries to a domain.
func (l *memLink) to(domain string) (out []*delivery) {
	for _, d := range l.deliveries() {
		if d.Released.Remote().Domain() == domain {
			out = append(out, d)
		}
	}
	return out
}

// Start begins nothing.
func (l *memLink) Start(context.Context) error { return nil }

// Prepare is for a reload that changes nothing.
func (l *memLink) Prepare(s2s.Config) (use, drop func(), err error) {
	use = func() {
		if l.onReload != nil {
			l.onReload()
		}
	}
	return use, func() { l.dropped++ }, l.reloadErr
}

// Shutdown keeps the promise of a link: no Accept after it, every delivery reported.
func (l *memLink) Shutdown(context.Context) error {
	l.mu.Lock()
	l.closed = true
	close(l.room)
	l.room = make(chan struct{})
	l.mu.Unlock()
	l.cancel()
	l.arrivals.Wait()
	l.settle(links.InDoubt, links.ErrLost)
	return nil
}

// isClosed says whether Shutdown was called.
func (l *memLink) isClosed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closed
}

// Status says what the test wants.
func (l *memLink) Status() s2s.Status { return l.status }

// Counters count nothing.
func (l *memLink) Counters() *s2s.Counters { return &s2s.Counters{} }

// Addresses has none.
func (l *memLink) Addresses(string, bool) []net.Addr { return nil }
