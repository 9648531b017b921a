package ping_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"sallyport/s5066"
	"sallyport/s5066/ping"
	"sallyport/s5066/sis"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// wire carries U_PDUs from one end to the other in a fixed time; what drop says is lost.
type wire struct {
	own   s5066.Address
	group bool // the other end is told that all were meant
	delay time.Duration
	drop  map[int]bool
	sent  int
	inbox chan sis.ClientEvent
	other *wire
}

func pair(delay time.Duration) (a, b *wire) {
	a = &wire{own: s5066.Unicast(1), delay: delay, inbox: make(chan sis.ClientEvent, 16)}
	b = &wire{own: s5066.Unicast(2), delay: delay, inbox: make(chan sis.ClientEvent, 16), other: a}
	a.other = b
	return a, b
}

func (w *wire) Send(_ context.Context, id uint64, p sis.UnidataRequest) error {
	if p.SAP == 15 {
		w.inbox <- sis.Rejected{ID: id, Reason: sis.RejectNoSAP}
		return nil
	}
	w.sent++
	if w.drop[w.sent] {
		return nil
	}
	to := w.other.own
	if w.group {
		to = s5066.AllStations()
	}
	time.AfterFunc(w.delay, func() {
		w.other.inbox <- sis.Received{UnidataIndication: sis.UnidataIndication{
			SAP: p.SAP, Destination: to, Mode: p.Delivery.Mode, SourceSAP: 13, Source: w.own, Data: p.Data,
		}}
		if p.Delivery.Confirm == s5066.ConfirmNode {
			w.inbox <- sis.Confirmed{ID: id}
		}
	})
	return nil
}

func (w *wire) Receive(ctx context.Context) (sis.ClientEvent, error) {
	select {
	case e := <-w.inbox:
		return e, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func TestRounds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(a, b *wire, o *ping.Options)
		rounds []ping.Round
		sum    ping.Summary
	}{
		{
			"answered", func(_, _ *wire, o *ping.Options) { o.Mode = s5066.TxARQ },
			[]ping.Round{{Number: 1, Confirmed: 2 * time.Second, Answered: 4 * time.Second}, {Number: 2, Confirmed: 2 * time.Second, Answered: 4 * time.Second}},
			ping.Summary{Sent: 2, Answered: 2, Least: 4 * time.Second, Mean: 4 * time.Second, Most: 4 * time.Second},
		},
		{
			"a question is lost", func(a, _ *wire, _ *ping.Options) { a.drop = map[int]bool{1: true} },
			[]ping.Round{{Number: 1}, {Number: 2, Answered: 4 * time.Second}},
			ping.Summary{Sent: 2, Answered: 1, Least: 4 * time.Second, Mean: 4 * time.Second, Most: 4 * time.Second},
		},
		{
			"nobody is bound there", func(_, _ *wire, o *ping.Options) { o.SAP = 15 },
			[]ping.Round{{Number: 1, Rejected: sis.RejectNoSAP.String()}, {Number: 2, Rejected: sis.RejectNoSAP.String()}},
			ping.Summary{Sent: 2, Rejected: 2},
		},
		{
			"all stations are asked, and nobody answers", func(a, _ *wire, _ *ping.Options) { a.group = true },
			[]ping.Round{{Number: 1}, {Number: 2}},
			ping.Summary{Sent: 2},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				a, b := pair(2 * time.Second)
				o := ping.Options{Remote: b.own, SAP: 13, Mode: s5066.TxNonARQ, Count: 2, Size: 20, Wait: time.Minute}
				c.change(a, b, &o)
				ctx, stop := context.WithCancel(t.Context())
				ended := make(chan error, 1)
				go func() { ended <- ping.Respond(ctx, b, func(s5066.Address, int) {}) }()
				var rounds []ping.Round
				sum, err := ping.Run(ctx, a, o, func(r ping.Round) {
					r.Sent = time.Time{}
					rounds = append(rounds, r)
				})
				stop()
				if err = errors.Join(err, <-ended); err != nil {
					t.Error(err)
				}
				if diff := cmp.Diff(c.rounds, rounds); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
				if diff := cmp.Diff(c.sum, sum); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
			})
		})
	}
}

func TestAnswersAreNotAnswered(t *testing.T) {
	t.Parallel()
	q := ping.AppendQuestion(nil, 7, 12)
	a, ok := ping.AppendAnswer(nil, q)
	if n, is := ping.ParseAnswer(a); !ok || !is || n != 7 || len(a) != 12 {
		t.Errorf("answer %q to %q", a, q)
	}
	for _, b := range [][]byte{a, nil, []byte("SPPG"), []byte("hello there")} {
		if _, ok := ping.AppendAnswer(nil, b); ok {
			t.Errorf("%q is answered", b)
		}
	}
	if _, is := ping.ParseAnswer(q); is {
		t.Error("a question is an answer")
	}
}
