package ping

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sallyport/s5066"
	"sallyport/s5066/sis"
)

// Options say what is asked, and of whom.
type Options struct {
	Remote   s5066.Address
	SAP      s5066.SAP // of the responder
	Priority s5066.Priority
	Mode     s5066.TxMode  // ARQ or non-ARQ
	Count    int           // questions; one after the other
	Size     int           // bytes of a question
	Wait     time.Duration // for one answer
}

// conn is a bound client of a node.
type conn interface {
	Send(ctx context.Context, id uint64, p sis.UnidataRequest) error
	Receive(ctx context.Context) (sis.ClientEvent, error)
}

var _ conn = (*sis.Conn)(nil)

// Run asks and tells each round when it has ended. The error is that of the connection, or of ctx.
func Run(ctx context.Context, c conn, o Options, tell func(Round)) (Summary, error) {
	var p Pinger
	for range o.Count {
		number := p.Ask(time.Now())
		err := c.Send(ctx, uint64(number), o.request(AppendQuestion(nil, number, o.Size)))
		if err == nil {
			err = await(ctx, c, &p, number, o.Wait)
		}
		if err != nil {
			return p.Summary(), err
		}
		tell(p.Round(number))
	}
	return p.Summary(), nil
}

func (o Options) request(data []byte) sis.UnidataRequest {
	q := sis.UnidataRequest{Priority: o.Priority, SAP: o.SAP, Destination: o.Remote, TTL: o.Wait, Data: data}
	q.Delivery = s5066.DeliveryMode{Mode: o.Mode}
	if o.Mode == s5066.TxARQ {
		q.Delivery.Confirm = s5066.ConfirmNode
	}
	return q
}

// await takes events until the round has ended or its time is over.
func await(ctx context.Context, c conn, p *Pinger, number uint32, wait time.Duration) error {
	round, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	for !p.Round(number).Done() {
		e, err := c.Receive(round)
		if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("wait for an answer: %w", err)
		}
		now := time.Now()
		switch e := e.(type) {
		case sis.Confirmed:
			p.Confirmed(now, e.ID)
		case sis.Rejected:
			p.Rejected(e.ID, e.Reason.String())
		case sis.Received:
			p.Heard(now, e.Data)
		case sis.Ended:
			return fmt.Errorf("wait for an answer: %w", e.Err)
		}
	}
	return nil
}

// Respond answers questions until ctx ends or the connection is closed, and tells of each.
func Respond(ctx context.Context, c conn, tell func(from s5066.Address, bytes int)) error {
	for id := uint64(1); ; {
		e, err := c.Receive(ctx)
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, sis.ErrClosed) {
				return nil
			}
			return err
		}
		got, ok := e.(sis.Received)
		if !ok || got.Destination.IsGroup() {
			continue
		}
		data, ok := AppendAnswer(nil, got.Data)
		if !ok {
			continue
		}
		o := Options{Remote: got.Source, SAP: got.SourceSAP, Priority: got.Priority, Mode: got.Mode, Wait: answerTime}
		if o.Mode != s5066.TxARQ {
			o.Mode = s5066.TxNonARQ
		}
		if err := c.Send(ctx, id, o.request(data)); err != nil && ctx.Err() == nil {
			return fmt.Errorf("answer %s: %w", got.Source, err)
		}
		id++
		tell(got.Source, len(got.Data))
	}
}

// answerTime is how long an answer lives: whoever asks has given up by then.
const answerTime = 10 * time.Minute
