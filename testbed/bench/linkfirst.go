package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	contract "sallyport/links"
	"sallyport/links/deflate"
	"sallyport/links/s2s"
	"sallyport/links/x2x"
	"sallyport/testbed/badnet"
)

// What is measured of a pair of gateways.
const (
	chatsWarm   = 20 // chats after the first, of which the mean counts
	chatTrips   = 3  // round trips after each, for everything that answers it
	chatPatient = 40 * time.Second
)

// firstFigures are what a way between two gateways costs. Bytes are those of IP packets, in both directions.
type firstFigures struct {
	trips, bytes, packets float64 // from nothing to the first stanza delivered
	back, backBytes       float64 // further on, until an answer was delivered
	again, againBytes     float64 // to the first stanza after the link had closed itself; 0: it does not
	cold, warm            float64 // bytes of a chat on a link that is up: the next, and the mean of those after it
	err                   error
}

func cutDomain(domain string) (name, rest string, ok bool) { return strings.Cut(domain, ".") }

// pairWays are the ways that gateways may be joined. The first is the yardstick.
func pairWays(dictionary deflate.Dictionary) []pairWay {
	fresh := &deflate.Config{}
	trained := &deflate.Config{Dictionary: dictionary}
	shared := &deflate.Config{Dictionary: dictionary, Context: deflate.Shared}
	return []pairWay{
		{"S2S, TLS, dialback", false, openStreams(s2s.Proofs{Dialback: true}, false)},
		{"S2S, TLS, EXTERNAL", false, openStreams(s2s.Proofs{External: true}, false)},
		{"S2S, TLS, EXTERNAL, bidi", false, openStreams(s2s.Proofs{External: true}, true)},
		{"zero handshake, plain, TCP", false, openZero(zero{x2x.Plain, x2x.Clear, nil})},
		{"zero handshake, plain, TLS", false, openZero(zero{x2x.Plain, x2x.TLS, nil})},
		{"zero handshake, custody, TLS", true, openZero(zero{x2x.Custody, x2x.TLS, nil})},
		{"zero handshake, custody, TLS, deflate", true, openZero(zero{x2x.Custody, x2x.TLS, fresh})},
		{"zero handshake, custody, TLS, deflate, dictionary", true, openZero(zero{x2x.Custody, x2x.TLS, trained})},
		{"zero handshake, custody, TLS, deflate, dictionary, shared context", true, openZero(zero{x2x.Custody, x2x.TLS, shared})},
		{"DTLS, custody, shared key", true, openZeroDatagrams(true, nil)},
		{"DTLS, custody, certificates", true, openZeroDatagrams(false, nil)},
		{"DTLS, custody, shared key, deflate, dictionary", true, openZeroDatagrams(true, trained)},
	}
}

// firsts measures all ways at the same time, each on a network of its own, over a path without loss.
func (id *linkIdentity) firsts(ctx context.Context) (rows []Row, problems []error) {
	trainer, err := newChats(1)
	if err != nil {
		return nil, []error{err}
	}
	dictionary, err := trainer.dictionary()
	if err != nil {
		return nil, []error{err}
	}
	ways := pairWays(dictionary)
	got := make([]firstFigures, len(ways))
	var wg sync.WaitGroup
	for i, w := range ways {
		wg.Go(func() { got[i] = id.first(ctx, w) })
	}
	wg.Wait()
	for i, w := range ways {
		if got[i].err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", w.name, got[i].err))
			continue
		}
		rows = append(rows, got[i].rows(w.name, ways[0].name, &got[0])...)
	}
	return rows, problems
}

func (f *firstFigures) rows(name, yard string, y *firstFigures) []Row {
	rows := []Row{
		figure("from nothing to the first chat: "+name, f.trips, "round trips", yard, y.trips),
		figure("from nothing to the first chat: "+name, f.bytes, "bytes", yard, y.bytes),
		figure("from nothing to the first chat: "+name, f.packets, "packets", yard, y.packets),
		figure("from there to its answer: "+name, f.back, "round trips", yard, y.back),
		figure("from there to its answer: "+name, f.backBytes, "bytes", yard, y.backBytes),
	}
	if f.again > 0 {
		rows = append(rows,
			figure("after idle close (TLS resumed) to the next chat: "+name, f.again, "round trips", yard, y.trips),
			figure("after idle close (TLS resumed) to the next chat: "+name, f.againBytes, "bytes", yard, y.bytes))
	}
	return append(rows,
		figure("a chat of 50 characters, cold: "+name, f.cold, "bytes", yard, y.cold),
		figure("a chat of 50 characters, warm: "+name, f.warm, "bytes", yard, y.warm))
}

// first measures one way.
func (id *linkIdentity) first(ctx context.Context, w pairWay) (f firstFigures) {
	n, err := badnet.Open(badnet.Weather{Delay: linkTrip / 2})
	if err != nil {
		return firstFigures{err: err}
	}
	defer func() { _ = n.Close() }() // nothing of it outlives the process anyway
	talk, err := newChats(2)
	if err != nil {
		return firstFigures{err: err}
	}
	p, err := w.open(ctx, id, n)
	if err != nil {
		return firstFigures{err: err}
	}
	defer p.close()
	m := &firstMeter{net: n, talk: talk, pair: p}
	f.trips, f.bytes, f.packets, f.err = m.one(ctx, true)
	if f.err != nil {
		return f
	}
	f.back, f.backBytes, _, f.err = m.one(ctx, false)
	for i := 0; i <= chatsWarm && f.err == nil; i++ {
		m.settle(ctx)
		before, _ := m.total()
		if _, _, _, f.err = m.one(ctx, true); f.err != nil {
			return f
		}
		m.settle(ctx)
		after, _ := m.total()
		if i == 0 {
			f.cold = after - before
			continue
		}
		f.warm += (after - before) / chatsWarm
	}
	if f.err == nil && p.status != nil {
		f.again, f.againBytes, f.err = m.afterIdle(ctx)
		if carrier := p.status().Carrier; f.err == nil && strings.HasPrefix(carrier, "TLS") && !strings.Contains(carrier, "resumed") {
			f.err = fmt.Errorf("carried by %s: the session was not resumed", carrier)
		}
	}
	return f
}

// firstMeter measures on one pair.
type firstMeter struct {
	net  *badnet.Net
	talk *chats
	pair *pair
}

func (m *firstMeter) total() (bytes, packets float64) {
	near, far := m.net.Stats(badnet.Near), m.net.Stats(badnet.Far)
	return float64(near.Bytes + far.Bytes), float64(near.Sent + far.Sent)
}

// settle gives what answers time to cross.
func (m *firstMeter) settle(ctx context.Context) { pause(ctx, chatTrips*linkTrip) }

// one sends a chat, out or back, and returns what happened until it had arrived.
func (m *firstMeter) one(ctx context.Context, out bool) (trips, bytes, packets float64, err error) {
	from, to, a, b := nearDomain, farDomain, m.pair.near, m.pair.far
	if !out {
		from, to, a, b = farDomain, nearDomain, m.pair.far, m.pair.near
	}
	r, err := m.talk.next(from, to)
	if err != nil {
		return 0, 0, 0, err
	}
	bytes0, packets0 := m.total()
	start := time.Now()
	if err := a.send(ctx, r); err != nil {
		return 0, 0, 0, err
	}
	limit := time.After(chatPatient)
	for {
		select {
		case <-b.arrived:
			bytes1, packets1 := m.total()
			return time.Since(start).Seconds() / linkTrip.Seconds(), bytes1 - bytes0, packets1 - packets0, nil
		case d := <-a.settled:
			if d != contract.Delivered {
				return 0, 0, 0, fmt.Errorf("%w: %v", errNoReport, d)
			}
		case <-limit:
			return 0, 0, 0, errNothing
		case <-ctx.Done():
			return 0, 0, 0, ctx.Err()
		}
	}
}

var errNotIdle = errors.New("the link does not close itself")

// afterIdle waits until the link has closed itself, and measures how it begins again.
func (m *firstMeter) afterIdle(ctx context.Context) (trips, bytes float64, err error) {
	for end := time.Now().Add(chatPatient); m.pair.status().State != contract.Idle; pause(ctx, 100*time.Millisecond) {
		if time.Now().After(end) || ctx.Err() != nil {
			return 0, 0, errNotIdle
		}
	}
	m.settle(ctx)
	trips, bytes, _, err = m.one(ctx, true)
	return trips, bytes, err
}
