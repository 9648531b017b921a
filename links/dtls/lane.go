package dtls

import (
	"context"
	"fmt"

	"github.com/pion/sctp"
)

// lane is one SCTP stream of messages.
type lane struct {
	a      *Association
	stream *sctp.Stream
	turn   chan struct{} // holds a token while nobody sends
	low    chan struct{} // has something when there may be room again
	buf    []byte
}

// payload says that messages are octets (RFC 8831 §8).
const payload = sctp.PayloadTypeWebRTCBinary

func newLane(a *Association, id uint16) (*lane, error) {
	s, err := a.sctp.OpenStream(id, payload)
	if err != nil {
		return nil, err
	}
	l := &lane{a: a, stream: s, turn: make(chan struct{}, 1), low: make(chan struct{}, 1)}
	l.turn <- struct{}{}
	s.SetBufferedAmountLowThreshold(uint64(a.tuning.laneBuffer / 2)) //nolint:gosec // bounded
	s.OnBufferedAmountLow(func() {
		select {
		case l.low <- struct{}{}:
		default:
		}
	})
	return l, nil
}

// Send gives a message to a lane. It waits while the lane holds as much as may be under way: that is the back-pressure. What it took is
// not confirmed: that is for the layer above.
func (a *Association) Send(ctx context.Context, lane int, message []byte) error {
	if len(message) == 0 || len(message) > a.endpoint.cfg.MaxMessage {
		return fmt.Errorf("%w: %d bytes", ErrTooBig, len(message))
	}
	l := a.lanes[lane]
	select {
	case <-l.turn:
	case <-ctx.Done():
		return ctx.Err()
	case <-a.ended:
		return a.err
	}
	defer func() { l.turn <- struct{}{} }()
	for l.stream.BufferedAmount() >= uint64(a.tuning.laneBuffer) { //nolint:gosec // bounded
		select {
		case <-l.low:
		case <-ctx.Done():
			return ctx.Err()
		case <-a.ended:
			return a.err
		}
	}
	a.given.Add(uint64(len(message))) // before SCTP has it, so that it never has more
	if _, err := l.stream.WriteSCTP(message, payload); err != nil {
		return fmt.Errorf("lane %d: %w", lane, err)
	}
	return nil
}

// Receive returns the next message of a lane. One goroutine at a time may read a lane; what it does not read counts against the
// neighbour's window. The message is the caller's until its next Receive on this lane.
func (a *Association) Receive(lane int) ([]byte, error) {
	l := a.lanes[lane]
	if l.buf == nil {
		l.buf = make([]byte, a.endpoint.cfg.MaxMessage)
	}
	n, _, err := l.stream.ReadSCTP(l.buf)
	if err != nil {
		select {
		case <-a.ended:
			return nil, a.err
		default:
			return nil, fmt.Errorf("lane %d: %w", lane, err)
		}
	}
	a.taken.Add(uint64(n)) //nolint:gosec // a length
	return l.buf[:n], nil
}
