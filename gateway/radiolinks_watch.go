package gateway

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"sallyport/links/hf"
	"sallyport/links/x2x"
	"sallyport/s5066"
	"sallyport/s5066/manage"
	"sallyport/s5066/sis"
)

// Pauses before a node that does not let itself be watched is asked again.
const (
	watchAgainFirst = 10 * time.Second
	watchAgainMost  = 10 * time.Minute
	watchAnswer     = time.Minute
)

// radioWatch is this gateway as a manager of one node: it hears what the node tells of its links on the air, for the audit log. It gives no orders.
type radioWatch struct {
	node    string // host:port
	network hf.Network
	tell    func(remote s5066.Address, word, what string)
	cancel  context.CancelFunc
	on      bool // what the node tells is being recorded; run's
	said    bool // that it is not has been said; run's
}

// watch lets every node be watched that a link wants watched, and no other. Caller holds mu.
func (r *radioLinks) watch() {
	if !r.started {
		return
	}
	wanted := map[string]bool{}
	for _, l := range r.links {
		wanted[l.cfg.link.Node] = wanted[l.cfg.link.Node] || l.cfg.events
	}
	next := map[string]*radioWatch{}
	for node := range wanted {
		switch w := r.watches[node]; {
		case !wanted[node]:
		case w != nil:
			next[node] = w
		default:
			w := &radioWatch{node: node, network: r.env.Network}
			w.tell = func(remote s5066.Address, word, what string) { r.noted(node, remote, word, what) }
			ctx, cancel := context.WithCancel(context.Background())
			w.cancel = cancel
			r.watching.Go(func() { w.run(ctx) })
			next[node] = w
		}
	}
	for node, w := range r.watches {
		if next[node] == nil {
			w.cancel() // its last words need the lock
		}
	}
	r.watches = next
}

// noted writes down what a node told, for the links that it concerns: those to that remote node, or all of that node.
func (r *radioLinks) noted(node string, remote s5066.Address, word, what string) {
	r.mu.Lock()
	var concerned []*radioLink
	for _, l := range r.links {
		if l.cfg.events && l.cfg.link.Node == node && (!remote.Valid() || l.cfg.link.Address == remote) {
			concerned = append(concerned, l)
		}
	}
	r.mu.Unlock()
	slices.SortFunc(concerned, func(a, b *radioLink) int { return strings.Compare(a.cfg.link.Name, b.cfg.link.Name) })
	for _, l := range concerned {
		c := &l.cfg.link
		r.env.Observer.Incident(x2x.Incident{Kind: word, Link: c.Name, Side: c.Side, Peer: c.Peer, Detail: what})
	}
}

func (w *radioWatch) run(ctx context.Context) {
	for pause := watchAgainFirst; ctx.Err() == nil; pause = min(2*pause, watchAgainMost) {
		err := w.attend(ctx)
		if w.on {
			pause = watchAgainFirst
		}
		w.blind(err)
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
}

// blind says once that nothing is recorded from now on.
func (w *radioWatch) blind(err error) {
	if w.on || !w.said {
		w.tell(s5066.Address{}, radioBlind, "what the node tells of its links is not recorded: "+err.Error())
	}
	w.on, w.said = false, true
}

// attend watches until the node is gone.
func (w *radioWatch) attend(ctx context.Context) error {
	conn, err := sis.Dial(ctx, w.node, sis.BindOptions{
		SAP: s5066.SAPManagement, Rank: s5066.RankManager, Service: s5066.ServiceType{Mode: s5066.TxNonARQ},
		Network: sis.Network{Dial: w.network.Dial, RetryMin: time.Hour, RetryMax: time.Hour},
	})
	var refused *sis.BindError
	switch {
	case errors.As(err, &refused) && refused.Reason == sis.BindInvalidSAP:
		return fmt.Errorf("it takes no manager (max_rank = 15 in its file would let one in): %w", err)
	case err != nil:
		return err
	}
	defer conn.Close()
	body, err := manage.AppendRequest(nil, manage.Request{ID: 1, Verb: manage.VerbWatch, On: true})
	if err != nil {
		return err
	}
	if err := conn.Manage(ctx, manage.NumberRequest, body); err != nil {
		return err
	}
	within, cancel := context.WithTimeout(ctx, watchAnswer)
	defer cancel()
	for listening := within; ; {
		e, err := conn.Receive(listening)
		if errors.Is(err, context.DeadlineExceeded) {
			return errors.New("it does not answer as a node of ours does")
		}
		if err != nil {
			return err
		}
		switch e := e.(type) {
		case sis.Ended:
			return fmt.Errorf("the node has ended it: %w", e.Err)
		case sis.ManagementNews:
			if w.news(e.Message) {
				listening = ctx
			}
		}
	}
}

// news takes a management message and reports whether it is the node's word that it will tell.
func (w *radioWatch) news(m sis.Management) (watched bool) {
	switch m.Message {
	case manage.NumberAnswer:
		a, err := manage.ParseAnswer(m.Body)
		if err != nil || !a.OK || w.on {
			return false
		}
		w.on = true
		w.tell(s5066.Address{}, radioWatched, "what the node tells of its links is recorded")
		return true
	case manage.NumberEvent:
		if e, err := manage.ParseEvent(m.Body); err == nil {
			what := e.Text
			if e.Remote.Valid() {
				what = strings.TrimSuffix(e.Remote.String()+", "+e.Text, ", ")
			}
			w.tell(e.Remote, radioWord+strings.ReplaceAll(e.Kind, " ", "-"), what)
		}
	}
	return false
}
