package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"sync"
)

// maxTogether bounds how many changes share one transaction.
const maxTogether = 64

// together lets changes of SQLite that come at the same time share one transaction, and with it the fsync that makes them durable: one of
// those who wait leads, and the next one after it. A change that fails is undone alone. PostgreSQL does this by itself.
type together struct {
	mu      sync.Mutex
	waiting []*pending // the first one leads next
	led     bool
}

// pending is one change that waits.
type pending struct {
	ctx  context.Context //nolint:containedctx // it lives exactly as long as the call that the context came with
	do   func(*tx) error
	turn chan struct{} // it leads
	done chan error
}

// changeTogether is changeOnce, with whoever else is there.
func (s *Store) changeTogether(ctx context.Context, do func(*tx) error) error {
	p := &pending{ctx: ctx, do: do, turn: make(chan struct{}, 1), done: make(chan error, 1)}
	g := &s.group
	g.mu.Lock()
	g.waiting = append(g.waiting, p)
	if !g.led {
		g.led = true
		p.turn <- struct{}{}
	}
	g.mu.Unlock()
	for {
		select {
		case err := <-p.done:
			return err
		case <-p.turn:
			s.commit(g.take())
			g.next()
		case <-ctx.Done():
			if g.leave(p) {
				return ctx.Err()
			}
			return <-p.done
		}
	}
}

// take is what one transaction takes, in order; its leader is the first of it.
func (g *together) take() []*pending {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := min(len(g.waiting), maxTogether)
	list := slices.Clone(g.waiting[:n])
	g.waiting = slices.Delete(g.waiting, 0, n)
	return list
}

// next lets the first of those who wait lead.
func (g *together) next() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.pass()
}

func (g *together) pass() {
	if g.led = len(g.waiting) > 0; g.led {
		g.waiting[0].turn <- struct{}{}
	}
}

// leave takes out a change that nobody has begun. False: it is too late.
func (g *together) leave(p *pending) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := slices.Index(g.waiting, p)
	if i < 0 {
		return false
	}
	g.waiting = slices.Delete(g.waiting, i, i+1)
	select {
	case <-p.turn:
		g.pass()
	default:
	}
	return true
}

// commit makes changes and tells each what became of it. Where one of them has spoilt the transaction, each has one of its own.
func (s *Store) commit(list []*pending) {
	if len(list) > 1 {
		results, ok := s.commitAll(list, (*within).changeInHope)
		if !ok {
			results, ok = s.commitAll(list, (*within).change)
		}
		if ok {
			for i, p := range list {
				p.done <- results[i]
			}
			return
		}
	}
	for _, p := range list {
		err := p.ctx.Err()
		if err == nil {
			err = s.changeOnce(context.WithoutCancel(p.ctx), p.do)
		}
		p.done <- err
	}
}

// commitAll makes changes in one transaction, each as one says. False: nothing was changed, and somebody else has to try.
func (s *Store) commitAll(list []*pending, one func(*within, *pending) (result, err error)) (results []error, ok bool) {
	if err := s.alive(); err != nil {
		return nil, false // each is told by changeOnce
	}
	t, err := s.writer.BeginTx(context.Background(), nil)
	if err != nil {
		return nil, false
	}
	results = make([]error, len(list))
	w := s.within(t)
	for i, p := range list {
		if results[i] = p.ctx.Err(); results[i] != nil {
			continue
		}
		if results[i], err = one(w, p); err != nil {
			_ = s.judge(err) // a disk that has failed is not tried again
			if rerr := t.Rollback(); rerr != nil && !errors.Is(rerr, sql.ErrTxDone) {
				_ = s.judge(rerr)
			}
			return nil, false
		}
	}
	if err := t.Commit(); err != nil {
		for i := range results {
			if results[i] == nil {
				results[i] = err
			}
		}
	}
	return results, true
}

// What keeps one change apart from the others of its transaction.
const savepoint, rollbackTo, release = "SAVEPOINT one", "ROLLBACK TO one", "RELEASE one"

// changeInHope makes a change that will not fail: if it does, it spoils the transaction. Nearly none do, and a savepoint costs SQLite a copy
// of every page that is changed.
func (w *within) changeInHope(p *pending) (result, err error) {
	return nil, p.do(&tx{context.WithoutCancel(p.ctx), w})
}

// change makes one change within a transaction of several. result is what its caller is told; err spoils the transaction. What has begun
// is not interrupted: to be able to would take a goroutine for each statement.
func (w *within) change(p *pending) (result, err error) {
	t := &tx{context.WithoutCancel(p.ctx), w}
	if _, err := t.exec(savepoint); err != nil {
		return nil, err
	}
	result = p.do(t)
	switch classify(result) {
	case full, busy, again, broken:
		return nil, result
	case other, unique, foreign:
	}
	if result != nil {
		if _, err := t.exec(rollbackTo); err != nil {
			return nil, err
		}
	}
	_, err = t.exec(release)
	return result, err
}
