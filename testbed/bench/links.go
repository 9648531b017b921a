package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"sallyport/testbed/badnet"
)

// The path that links are measured on: a satellite's round trip, a rate that a site might have, and a buffer of one round trip before it.
const (
	linkTrip    = 600 * time.Millisecond
	linkRate    = 2_000_000 // bits per second
	linkBulk    = 20 * time.Second
	linkWarm    = 5 * time.Second // before counting: both sides are to have found their window
	linkChat    = 40 * time.Second
	linkEvery   = 100 * time.Millisecond // between messages of the chat
	linkMessage = 350                    // bytes, a labelled message
	linkRetries = 3
)

// losses are the shares of packets that vanish, in each direction.
func losses() []float64 { return []float64{0, 0.01, 0.05, 0.20} }

// yardstickWay is what the datagram link is compared with.
const yardstickWay = "TCP+TLS, cubic"

// linkFigures are what was measured of one way under one weather.
type linkFigures struct {
	goodput  float64 // kbit/s
	p50, p99 float64 // ms, from Send to Receive; 0 when nothing arrived
	arrived  int     // of those
	err      error
}

// links: what it takes carriers and pairs of gateways to begin, what a chat costs on each, what the spool commits; and the datagram link
// beside TCP with TLS over the same bad path: goodput and latency.
func links(ctx context.Context, s *settings) ([]Row, error) {
	id, err := newLinkIdentity(s.work)
	if err != nil {
		return nil, err
	}
	rows, problems := id.beginnings(ctx)
	first, more := id.firsts(ctx)
	rows, problems = append(rows, first...), append(problems, more...)
	kept, err := spooled(ctx)
	rows, problems = append(rows, kept...), append(problems, err)
	for _, loss := range losses() {
		got := measureWays(ctx, id, loss, s.scale)
		yard := got[yardstickWay]
		for _, w := range linkWays() {
			f := got[w.name]
			name := fmt.Sprintf("%s, %g %% loss, 600 ms", w.name, loss*100)
			if f.err != nil {
				problems = append(problems, fmt.Errorf("%s: %w", name, f.err))
				continue
			}
			against := yardstickWay
			rows = append(rows,
				figure(name+": goodput", f.goodput, "kbit/s", against, yard.goodput),
				figure(name+": latency p50", f.p50, "ms", against, yard.p50),
				figure(name+": latency p99", f.p99, "ms", against, yard.p99))
		}
	}
	return rows, errors.Join(problems...)
}

// measureWays measures all ways under one weather at the same time, each on a network of its own: together they use little of a processor,
// and what disturbs one disturbs all.
func measureWays(ctx context.Context, id *linkIdentity, loss, scale float64) map[string]linkFigures {
	var mu sync.Mutex
	var wg sync.WaitGroup
	got := make(map[string]linkFigures)
	for _, w := range linkWays() {
		wg.Go(func() {
			f := measureWay(ctx, id, w, loss, scale)
			mu.Lock()
			defer mu.Unlock()
			got[w.name] = f
		})
	}
	wg.Wait()
	return got
}

func measureWay(ctx context.Context, id *linkIdentity, w linkWay, loss, scale float64) (f linkFigures) {
	weather := badnet.Weather{Delay: linkTrip / 2, Loss: loss, Rate: linkRate, Seed: 1}
	f.goodput, f.err = withCarrier(ctx, id, w, weather, func(c *carrier) (float64, error) { return c.bulk(ctx, scale) })
	if f.err != nil {
		return f
	}
	var delays []float64
	_, f.err = withCarrier(ctx, id, w, weather, func(c *carrier) (float64, error) {
		var err error
		delays, err = c.chat(ctx, scale)
		return 0, err
	})
	f.p50, f.p99, f.arrived = quantile(delays, 0.5), quantile(delays, 0.99), len(delays)
	return f
}

// withCarrier makes a network and a carrier over it, for one measurement. A heavy loss may break an attempt to connect: the next counts.
func withCarrier(ctx context.Context, id *linkIdentity, w linkWay, weather badnet.Weather, measure func(*carrier) (float64, error)) (float64, error) {
	n, err := badnet.Open(weather)
	if err != nil {
		return 0, err
	}
	defer func() { _ = n.Close() }() // nothing of it outlives the process anyway
	for try := 1; ; try++ {
		c, err := w.open(ctx, id, n)
		if err == nil {
			defer c.close()
			return measure(c)
		}
		if try == linkRetries || ctx.Err() != nil {
			return 0, fmt.Errorf("connect: %w", err)
		}
	}
}
