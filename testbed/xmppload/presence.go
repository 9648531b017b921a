package main

import (
	"errors"
	"flag"
	"fmt"
	"math/rand"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// crowd is some users whose presence many others have subscribed to, all with one session each.
type crowd struct {
	subjects, contacts []*client

	mu  sync.Mutex
	now *shows // the run of changes under way
}

// shows is one run of changes of presence.
type shows struct {
	l      *ledger
	run    int64
	pacers []*pacer         // of the subjects
	left   [][]atomic.Int32 // by subject and change: contacts that have not been told
}

// presenceFlags are what the mode is asked.
type presenceFlags struct {
	subjects, contacts, window, size *int
	count, warm                      *int64
	idle                             *time.Duration
	watch                            *string
}

func presenceMode(fs *flag.FlagSet) func() (map[string]any, error) {
	a := sideFlags(fs, "", "")
	f := &presenceFlags{
		subjects: fs.Int("subjects", 1, "users whose presence changes"),
		contacts: fs.Int("contacts", 100, "users who are told, each of all subjects; they come after the subjects"),
		count:    fs.Int64("count", 10000, "presence stanzas that contacts receive, in all"),
		warm:     fs.Int64("warm", 1, "changes of each subject before the clock starts"),
		window:   fs.Int("window", 1, "changes of each subject under way (until all contacts have been told)"),
		size:     fs.Int("size", 100, "bytes of status"),
		idle:     fs.Duration("idle", 15*time.Second, "give up when nothing arrives for so long"),
		watch:    fs.String("watch", "", "name=pid,... processes whose CPU and memory to report"),
	}
	return func() (map[string]any, error) {
		all, _, err := loginAll(a, *f.subjects+*f.contacts, 8, true)
		if err != nil {
			return nil, err
		}
		defer hangUp(all)
		c := &crowd{subjects: all[:*f.subjects], contacts: all[*f.subjects:]}
		return c.measure(f)
	}
}

func (c *crowd) measure(f *presenceFlags) (map[string]any, error) {
	for _, s := range c.subjects {
		go c.serve(s)
	}
	if err := parallel(len(c.contacts), 8, c.subscribe); err != nil {
		return nil, err
	}
	for i := range c.contacts {
		go c.hear(i)
	}
	if l := c.change(*f.warm, f); l.got != l.expect {
		out := map[string]any{}
		l.report(out)
		return out, errors.New("not all contacts were told of the changes before")
	}
	w := newWatcher(*f.watch)
	begin := time.Now()
	l := c.change(max(1, *f.count/int64(len(c.contacts)*len(c.subjects))), f)
	el := time.Unix(0, l.lastMove.Load()).Sub(begin)
	out := map[string]any{
		"subjects": len(c.subjects), "contacts": len(c.contacts), "window": *f.window, "seconds": r3(el.Seconds()),
		"deliveries_per_s": r3(float64(l.got) / el.Seconds()), "tls": c.contacts[0].cipher(),
	}
	l.report(out)
	out["processes"] = w.report(l.got)
	return out, nil
}

func (c *crowd) current() *shows {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// serve lets everybody subscribe to subject x who asks, and books what the server refuses.
func (c *crowd) serve(x *client) {
	for {
		el, err := x.next()
		if err != nil {
			return
		}
		kind := attr(el, "type")
		switch {
		case elName(el) == "iq":
			x.answer(el)
		case elName(el) != "presence":
		case kind == "subscribe":
			x.send("<presence type='subscribed' to='" + esc(attr(el, "from")) + "'/>")
		case kind == "error":
			if s := c.current(); s != nil {
				s.l.fail(string(el))
			}
		}
	}
}

// subscribe makes sure that contact i is told of the presence of all subjects: all or none of them are in its roster.
func (c *crowd) subscribe(i int) error {
	x := c.contacts[i]
	x.deadline(30 * time.Second)
	defer x.deadline(0)
	x.send("<iq type='get' id='r1'><query xmlns='jabber:iq:roster'/></iq>")
	roster, err := x.iqResult("r1")
	if err != nil {
		return err
	}
	if strings.Contains(roster, "subscription='to'") || strings.Contains(roster, `subscription="to"`) {
		return nil
	}
	for _, s := range c.subjects {
		bare, _, _ := strings.Cut(s.jid, "/")
		x.send("<presence type='subscribe' to='" + esc(bare) + "'/>")
	}
	for left := len(c.subjects); left > 0; {
		el, err := x.next()
		if err != nil {
			return fmt.Errorf("subscribe: %w", err)
		}
		switch {
		case elName(el) == "iq":
			x.answer(el)
		case elName(el) == "presence" && attr(el, "type") == "subscribed":
			left--
		}
	}
	return nil
}

// hear books what contact i is told.
func (c *crowd) hear(i int) {
	x := c.contacts[i]
	for {
		el, err := x.next()
		if err != nil {
			return
		}
		now := time.Now().UnixNano()
		switch s := c.current(); {
		case elName(el) == "iq":
			x.answer(el)
		case elName(el) == "presence" && s != nil:
			s.take(i, el, now)
		}
	}
}

func (s *shows) take(contact int, el []byte, now int64) {
	who, seq, ns, ok := parsePayload(childText(el, "status"), s.run)
	if !ok || who >= len(s.left) || seq >= int64(len(s.left[who])) {
		return
	}
	if s.l.seen(contact, who, seq, ns, now) && s.left[who][seq].Add(-1) == 0 {
		s.pacers[who].give()
	}
}

// change lets each subject change its presence n times, and waits until all contacts have been told.
func (c *crowd) change(n int64, f *presenceFlags) *ledger {
	s := &shows{l: newLedger(n * int64(len(c.contacts)*len(c.subjects))), run: rand.Int63()}
	for range c.subjects {
		s.pacers = append(s.pacers, newPacer(*f.window, 0))
		left := make([]atomic.Int32, n)
		for i := range left {
			left[i].Store(int32(len(c.contacts)))
		}
		s.left = append(s.left, left)
	}
	c.mu.Lock()
	c.now = s
	c.mu.Unlock()
	var done sync.WaitGroup
	for i, x := range c.subjects {
		done.Go(func() { s.send(i, x, n, *f.size) })
	}
	s.l.wait(*f.idle)
	for _, p := range s.pacers {
		close(p.stop)
	}
	done.Wait()
	return s.l
}

func (s *shows) send(i int, x *client, n int64, size int) {
	for q := range n {
		ns, ok := s.pacers[i].take(x.flush)
		if !ok {
			return
		}
		x.put("<presence><status>" + payload(s.run, i, q, ns, size) + "</status></presence>")
	}
	x.flush()
}
