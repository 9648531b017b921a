package main

import (
	"flag"
	"fmt"
	mrand "math/rand"
	"strconv"
	"strings"
	"sync"
	"time"
)

// s2sLoad is what s2s mode is asked to do.
type s2sLoad struct {
	*s2sFlags
	listenY, extra, reply, watch *string
	count                        *int64
	window, size                 *int
	rate                         *float64
	each                         *bool
	idle                         *time.Duration
}

func s2sMode(fs *flag.FlagSet) func() (map[string]any, error) {
	f := &s2sLoad{
		s2sFlags: s2sCommon(fs),
		listenY:  fs.String("listen-y", "127.0.0.1:5270", "where the gateway reaches domain Y"),
		count:    fs.Int64("count", 10000, "messages in all"),
		window:   fs.Int("window", 64, "messages under way for each pair of domains"),
		rate:     fs.Float64("rate", 0, "fixed load in messages/s in all (0: window)"),
		size:     fs.Int("size", 100, "bytes of body"),
		extra:    fs.String("extra", "", "XML to put in each message (such as a label)"),
		each:     fs.Bool("each", false, "one stanza in each write"),
		reply:    fs.String("reply", "", "where domain Y connects to answer pings (none: they are not answered)"),
		idle:     fs.Duration("idle", 15*time.Second, "give up when nothing arrives for so long"),
		watch:    fs.String("watch", "", "name=pid,... processes whose CPU and memory to report"),
	}
	return func() (map[string]any, error) {
		w, err := f.world()
		if err != nil {
			return nil, err
		}
		r := &s2sRun{f: f, w: w, xs: strings.Split(*f.xd, ","), ys: strings.Split(*f.yd, ",")}
		if len(r.xs) != len(r.ys) {
			return nil, fmt.Errorf("as many -x as -y domains, please")
		}
		w.onElem = r.take
		w.reply = r.replies()
		defer r.close()
		if err := r.listen(); err != nil {
			return nil, err
		}
		return r.measure()
	}
}

// s2sRun is one run: the streams and the pass under way.
type s2sRun struct {
	f      *s2sLoad
	w      *world
	xs, ys []string
	conns  []*xstream
	stop   []func() error

	mu     sync.RWMutex // guards the pass under way
	l      *ledger
	run    int64
	pacers []*pacer
}

// replies says where our domains connect to answer pings: X where it connects anyway, Y where it was told.
func (r *s2sRun) replies() map[string]string {
	if *r.f.reply == "" {
		return nil
	}
	at := map[string]string{}
	for i := range r.xs {
		at[r.xs[i]], at[r.ys[i]] = *r.f.connect, *r.f.reply
	}
	return at
}

func (r *s2sRun) listen() error {
	for _, a := range []string{*r.f.listenX, *r.f.listenY} {
		if a == "" {
			continue
		}
		ln, err := r.w.listen(a)
		if err != nil {
			return err
		}
		r.stop = append(r.stop, ln.Close)
		if *r.f.listenX == *r.f.listenY {
			break
		}
	}
	return nil
}

func (r *s2sRun) close() {
	for _, c := range r.conns {
		if c != nil {
			c.send("</stream:stream>")
			c.conn.Close()
		}
	}
	for _, stop := range r.stop {
		stop()
	}
}

// take books what arrived at one of our domains.
func (r *s2sRun) take(_ string, el []byte) {
	now := time.Now().UnixNano()
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.l == nil || elName(el) != "message" {
		return
	}
	if attr(el, "type") == "error" {
		if strings.HasPrefix(attr(el, "id"), r.prefix()) { // not what came back from an earlier run
			r.l.fail(string(el))
		}
		return
	}
	s, seq, ns, ok := parsePayload(childText(el, "body"), r.run)
	if !ok || s >= len(r.xs) {
		return
	}
	r.l.seen(s, s, seq, ns, now)
	r.pacers[s].give()
}

func (r *s2sRun) dial() error {
	r.conns = make([]*xstream, len(r.xs))
	err := parallel(len(r.xs), 8, func(i int) error {
		c, err := r.w.dial(*r.f.connect, r.xs[i], r.ys[i], *r.f.timeout)
		r.conns[i] = c
		return err
	})
	if err != nil {
		return err
	}
	for _, c := range r.conns {
		go func() {
			for {
				el, err := c.next()
				if err != nil {
					return
				}
				if elName(el) == "message" && attr(el, "type") == "error" {
					r.take("", el)
				}
			}
		}()
	}
	return nil
}

// pass sends per messages for each pair and waits for all of them.
func (r *s2sRun) pass(per int64, window int, rate float64) *ledger {
	n := len(r.conns)
	r.mu.Lock()
	r.run = mrand.Int63()
	r.l = newLedger(per * int64(n))
	r.pacers = make([]*pacer, n)
	for i := range r.pacers {
		r.pacers[i] = newPacer(window, rate/float64(n))
	}
	l, pacers := r.l, r.pacers
	r.mu.Unlock()
	var wg sync.WaitGroup
	for i := range r.conns {
		wg.Go(func() { r.send(i, per, pacers[i]) })
	}
	l.wait(*r.f.idle)
	for _, p := range pacers {
		close(p.stop)
	}
	wg.Wait()
	return l
}

// prefix begins the ids of the messages of this pass.
func (r *s2sRun) prefix() string { return strconv.FormatInt(r.run, 36) + "-" }

func (r *s2sRun) send(i int, per int64, p *pacer) {
	c := r.conns[i]
	head := "<message type='chat' from='s@" + r.xs[i] + "/r' to='r@" + r.ys[i] + "/r' id='" + r.prefix()
	for q := range per {
		ns, ok := p.take(func() { c.flush() })
		if !ok {
			return
		}
		c.put(head + fmt.Sprint(i, "-", q) + "'><body>" + payload(r.run, i, q, ns, *r.f.size) + "</body>" + *r.f.extra + "</message>")
		if *r.f.each {
			c.flush()
		}
	}
	c.flush()
}

func (r *s2sRun) measure() (map[string]any, error) {
	start := time.Now()
	if err := r.dial(); err != nil {
		return nil, err
	}
	setup := time.Since(start)
	first := r.pass(1, 1, 0) // brings up the gateway's own streams
	out := map[string]any{
		"pairs": len(r.xs), "window": *r.f.window, "rate_asked": *r.f.rate, "auth": *r.f.auth, "setup_ms": r3(setup.Seconds() * 1000),
		"first_message_ms": r3(float64(time.Unix(0, first.lastMove.Load()).Sub(start)) / 1e6),
	}
	if first.got != first.expect {
		first.report(out)
		return out, fmt.Errorf("the first message did not arrive")
	}
	watched := newWatcher(*r.f.watch)
	t := time.Now()
	l := r.pass(*r.f.count/int64(len(r.xs)), *r.f.window, *r.f.rate)
	el := time.Unix(0, l.lastMove.Load()).Sub(t)
	out["seconds"] = r3(el.Seconds())
	out["msgs_per_s"] = r3(float64(l.got) / el.Seconds())
	l.report(out)
	out["processes"] = watched.report(l.got)
	out["inbound_setups"] = r.w.setups(4)
	out["dialback_verifications"] = r.w.verified.Load()
	return out, nil
}

// setups tells what the first inbound streams cost.
func (w *world) setups(most int) []map[string]any {
	w.mu.Lock()
	defer w.mu.Unlock()
	var in []map[string]any
	for _, p := range w.accepted[:min(most, len(w.accepted))] {
		in = append(in, map[string]any{
			"from": p.from, "to": p.to, "auth": p.how, "bytes_in": p.authBytes[0], "bytes_out": p.authBytes[1],
			"flights": p.authBytes[2], "ms": r3(p.authedAt.Sub(p.openedAt).Seconds() * 1000),
		})
	}
	return in
}
