package main

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// carrier is a way from one side to the other: messages with bounds, over a number of lanes.
type carrier struct {
	lanes   int
	resumed bool // TLS, by a ticket
	send    func(ctx context.Context, lane int, b []byte) error
	receive func(lane int) ([]byte, error) // the message is good until the next call for the lane
	close   func()
}

// errNothing: a measurement without a single arrival is none.
var errNothing = errors.New("nothing arrived")

// bulk sends as fast as the carrier takes it and returns the goodput in kbit/s, after some time to warm up.
func (c *carrier) bulk(ctx context.Context, scale float64) (float64, error) {
	ctx, stop := context.WithCancel(ctx)
	var bytes atomic.Int64
	var wg sync.WaitGroup
	for lane := range c.lanes {
		wg.Go(func() {
			b := make([]byte, 1000)
			for ctx.Err() == nil && c.send(ctx, lane, b) == nil {
			}
		})
		wg.Go(func() {
			for {
				b, err := c.receive(lane)
				if err != nil {
					return
				}
				bytes.Add(int64(len(b)))
			}
		})
	}
	pause(ctx, scaled(linkWarm, scale))
	from, start := bytes.Load(), time.Now()
	pause(ctx, scaled(linkBulk, scale))
	got, took := bytes.Load()-from, time.Since(start)
	stop()
	c.close()
	wg.Wait()
	if got == 0 {
		return 0, errNothing
	}
	return float64(got) * 8 / 1000 / took.Seconds(), nil
}

// chat sends small messages at a steady pace, lane by lane, and returns how many milliseconds each took from Send to Receive. Those that
// are under way at the end have the time that they have been under way: leaving them out would flatter the worst.
func (c *carrier) chat(ctx context.Context, scale float64) ([]float64, error) {
	var mu sync.Mutex
	waiting := make(map[uint64]time.Time)
	var delays []float64
	var wg sync.WaitGroup
	for lane := range c.lanes {
		wg.Go(func() {
			for {
				b, err := c.receive(lane)
				if err != nil {
					return
				}
				now, id := time.Now(), binary.BigEndian.Uint64(b)
				mu.Lock()
				delays = append(delays, now.Sub(waiting[id]).Seconds()*1000)
				delete(waiting, id)
				mu.Unlock()
			}
		})
	}
	t := time.NewTicker(linkEvery)
	defer t.Stop()
	end := time.Now().Add(scaled(linkChat, scale))
	b := make([]byte, linkMessage)
	for id := uint64(0); time.Now().Before(end) && ctx.Err() == nil; id++ {
		binary.BigEndian.PutUint64(b, id)
		mu.Lock()
		waiting[id] = time.Now()
		mu.Unlock()
		if err := c.send(ctx, int(id)%c.lanes, b); err != nil { //nolint:gosec // small
			break
		}
		<-t.C
	}
	pause(ctx, 10*linkTrip)
	c.close()
	wg.Wait()
	if len(delays) == 0 {
		return nil, errNothing
	}
	for _, since := range waiting {
		delays = append(delays, time.Since(since).Seconds()*1000)
	}
	return delays, nil
}

func scaled(d time.Duration, scale float64) time.Duration {
	return time.Duration(float64(d) * min(max(scale, 0.1), 10))
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// quantile of values in any order; 0 of none.
func quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return values[min(int(q*float64(len(values))), len(values)-1)]
}
