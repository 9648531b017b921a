package main

import (
	"context"
	"fmt"
	"time"

	contract "sallyport/links"
	"sallyport/testbed/badnet"
)

// beginning is what it took from nothing to the first message delivered, over a path without loss.
type beginning struct {
	trips    float64 // round trips
	resumed  bool
	bytes    float64 // of IP packets, in both directions
	messages float64 // IP packets
}

// beginnings measures how links begin.
func (id *linkIdentity) beginnings(ctx context.Context) (rows []Row, problems []error) {
	profile := contract.Profile{RoundTrip: linkTrip}
	tcp := func(ctx context.Context, id *linkIdentity, n *badnet.Net) (*carrier, error) {
		return openTCP(ctx, id, n, "cubic")
	}
	const yard = "TCP, full TLS 1.3, both certificates"
	const again = "TCP, resumed TLS 1.3"
	var first beginning
	for _, way := range []struct {
		name string
		open func(context.Context, *linkIdentity, *badnet.Net) (*carrier, error)
	}{
		{yard, tcp},
		{again, tcp}, // by the ticket of the one before
		{"DTLS 1.2, shared key, SCTP", func(ctx context.Context, id *linkIdentity, n *badnet.Net) (*carrier, error) {
			return openDatagrams(ctx, id, n, profile, true)
		}},
		{"DTLS 1.2, both certificates, SCTP", func(ctx context.Context, id *linkIdentity, n *badnet.Net) (*carrier, error) {
			return openDatagrams(ctx, id, n, profile, false)
		}},
	} {
		b, err := id.begin(ctx, way.open)
		if err == nil && b.resumed != (way.name == again) {
			err = fmt.Errorf("resumed: %v", b.resumed)
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("first message over %s: %w", way.name, err))
			continue
		}
		if way.name == yard {
			first = b
		}
		name := "from nothing to the first message: " + way.name
		rows = append(rows,
			figure(name, b.trips, "round trips", yard, first.trips),
			figure(name, b.bytes, "bytes", yard, first.bytes),
			figure(name, b.messages, "packets", yard, first.messages))
	}
	return rows, problems
}

func (id *linkIdentity) begin(ctx context.Context, open func(context.Context, *linkIdentity, *badnet.Net) (*carrier, error)) (b beginning, err error) {
	n, err := badnet.Open(badnet.Weather{Delay: linkTrip / 2})
	if err != nil {
		return b, err
	}
	defer func() { _ = n.Close() }() // nothing of it outlives the process anyway
	start := time.Now()
	c, err := open(ctx, id, n)
	if err != nil {
		return b, err
	}
	defer c.close()
	if err := c.send(ctx, 0, make([]byte, linkMessage)); err != nil {
		return b, err
	}
	if _, err := c.receive(0); err != nil {
		return b, err
	}
	took := time.Since(start)
	near, far := n.Stats(badnet.Near), n.Stats(badnet.Far)
	pause(ctx, 2*linkTrip) // tickets are to arrive, for whoever resumes
	return beginning{
		resumed: c.resumed,
		trips:   took.Seconds() / linkTrip.Seconds(), bytes: float64(near.Bytes + far.Bytes), messages: float64(near.Sent + far.Sent),
	}, nil
}
