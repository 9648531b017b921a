package c2s

import (
	"bytes"
	"encoding/base64"
	"errors"
	"sync"
	"time"

	"sallyport/internal/xmpp/stream"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/server/bosh"
)

func encode(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

// How much waits while the machine is not to be given any: so many elements, and so many times as many bytes as one may have.
const (
	maxEvents  = 10_000
	maxPending = 8
)

// requests is a pipe of requests. Its lock comes after those of the link.
type requests struct {
	handler *boshHandler
	id      string
	wake    chan struct{} // for fill

	mu      sync.Mutex
	m       *bosh.Session
	limits  xmlstream.Limits
	first   bosh.Request
	begun   bool
	handles uint64
	waiting map[uint64]chan []byte
	events  []xmlstream.Event
	held    int              // bytes of events
	flood   bool             // there is no room for more
	bad     *xmlstream.Error // behind the events
	has     int              // elements that the client has
	told    int              // of them, those that were told
	err     error
	timer   *time.Timer
}

func newRequests(h *boshHandler, id string, first bosh.Request, limits xmlstream.Limits) *requests {
	p := &requests{
		handler: h, id: id, wake: make(chan struct{}, 1), m: bosh.New(id, first), limits: limits, first: first,
		waiting: make(map[uint64]chan []byte),
	}
	p.timer = time.AfterFunc(time.Hour, p.tick)
	return p
}

// request gives one to the session; its answer comes once.
func (p *requests) request(r bosh.Request) (handle uint64, answer <-chan []byte) {
	c := make(chan []byte, 1)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.handles++
	p.waiting[p.handles] = c
	p.apply(p.m.Request(time.Now(), p.handles, r))
	return p.handles, c
}

func (p *requests) gone(handle uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.waiting, handle)
	p.apply(p.m.Gone(time.Now(), handle))
}

func (p *requests) tick() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.apply(p.m.Tick(time.Now()))
}

// apply carries out what follows from a step; mu is held.
func (p *requests) apply(out bosh.Outcome) {
	for _, a := range out.Answers {
		if c := p.waiting[a.Handle]; c != nil {
			c <- a.Body // there is room for the one that comes
			delete(p.waiting, a.Handle)
		}
	}
	for i := range out.Heard {
		p.hear(&out.Heard[i])
	}
	p.has = out.Has
	if p.flood { // whoever reads here may be waiting for others
		p.flood = false
		p.apply(p.m.End(time.Now(), nil, bosh.PolicyViolation))
	}
	if out.Lost {
		p.fail(errors.New("no request in time"))
	}
	if out.Over {
		if !out.Lost { // the client has nothing to say any more
			p.events = append(p.events, xmlstream.Event{Kind: xmlstream.EndEvent})
		}
		p.timer.Stop()
		p.handler.remove(p)
	} else if at := p.m.Deadline(); !at.IsZero() {
		p.timer.Reset(time.Until(at))
	}
	signal(p.wake)
}

// hear turns a request into what a stream would have brought.
func (p *requests) hear(r *bosh.Request) {
	if !p.begun || r.Restart {
		p.begun = true
		h := xmlstream.Header{ContentNS: xmlstream.NSClient, To: p.first.To, From: p.first.From, Version: p.first.Version, Lang: p.first.Lang, Attrs: p.first.Attrs}
		if h.Version == "" { // it may be left out (XEP-0206 §3)
			h.Version = "1.0"
		}
		p.events = append(p.events, xmlstream.Event{Kind: xmlstream.HeaderEvent, Header: h})
	}
	for _, e := range r.Elements {
		ev := measure(e, p.limits)
		if p.held += ev.Bytes; len(p.events) >= maxEvents || p.held > maxPending*max(p.limits.ElementBytes, smallBody) {
			p.flood = true
			return
		}
		p.events = append(p.events, ev)
	}
	if r.Terminate {
		p.events = append(p.events, xmlstream.Event{Kind: xmlstream.EndEvent})
	}
}

// malformed ends the stream by bytes that are no body.
func (p *requests) malformed(err error) {
	bad := &xmlstream.Error{Condition: xmlstream.BadFormat, Detail: "no body"}
	_ = errors.As(err, &bad)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.bad = bad
	signal(p.wake)
}

func (p *requests) fail(err error) {
	if p.err == nil {
		p.err = err
	}
}

func (p *requests) current() xmlstream.Limits {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.limits
}

func (p *requests) next() (xmlstream.Event, int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case len(p.events) > 0:
	case p.bad != nil:
		return xmlstream.Event{}, 0, p.bad
	default:
		return xmlstream.Event{}, 0, xmlstream.ErrShort
	}
	ev := p.events[0]
	p.held -= ev.Bytes
	p.events[0] = xmlstream.Event{}
	p.events = p.events[1:]
	return ev, 0, nil
}

func (p *requests) fill() error {
	for {
		p.mu.Lock()
		ready, err := len(p.events) > 0 || p.bad != nil || p.has > p.told, p.err
		p.mu.Unlock()
		switch {
		case ready:
			return nil
		case err != nil:
			return err
		}
		<-p.wake
	}
}

func (p *requests) restart(l xmlstream.Limits) { p.limit(l) }

func (p *requests) stamp(*xmlstream.Stamp) {} // each body is read by itself

func (p *requests) limit(l xmlstream.Limits) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.limits = l
}

// write takes what the machine says in the framing of RFC 7395. Its tags are said by attributes here.
func (p *requests) write(data []byte, ends []int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var said []byte
	ended, cond := false, bosh.None
	from := 0
	for _, to := range ends {
		part := data[from:to]
		from = to
		switch {
		case bytes.HasPrefix(part, []byte("<open ")):
			if ev, bad := stream.ReadFrame(part, p.limits); bad == nil && ev.Kind == xmlstream.HeaderEvent {
				p.m.AuthID(ev.Header.ID)
			}
		case bytes.HasPrefix(part, []byte("<close ")):
			ended = true
		case bytes.HasPrefix(part, []byte("<error xmlns='"+xmlstream.NSStream+"'")), bytes.HasPrefix(part, []byte("<stream:error")):
			cond = p.condition(part)
			fallthrough
		default:
			said = append(said, part...)
		}
	}
	if ended { // which the client is told when it asks
		p.apply(p.m.End(time.Now(), said, cond))
		return nil
	}
	out, ok := p.m.Send(time.Now(), said, len(ends))
	p.apply(out)
	if !ok {
		return errors.New("too much that nobody asks for")
	}
	return nil
}

// condition is how a session ends for an error of the stream (§17.2).
func (p *requests) condition(streamError []byte) bosh.Condition {
	unknown := bytes.Contains(streamError, []byte("<host-unknown "))
	switch {
	case unknown && p.first.To == "", bytes.Contains(streamError, []byte("<improper-addressing ")):
		return bosh.ImproperAddress
	case unknown:
		return bosh.HostUnknown
	}
	return bosh.RemoteStreamError
}

func (p *requests) received() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.told = p.has
	return p.has
}

func (p *requests) ping() {}

func (p *requests) interrupt() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fail(errors.New("ended"))
	signal(p.wake)
}

func (p *requests) hangUp(stream.Closed) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.apply(p.m.End(time.Now(), nil, bosh.None))
}
