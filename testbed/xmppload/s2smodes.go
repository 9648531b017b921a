package main

import (
	"crypto/rand"
	"crypto/tls"
	"flag"
	"fmt"
	mrand "math/rand"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

type s2sFlags struct {
	connect, listenX, xd, yd, cert, key, ca, tls, auth *string
	timeout                                            *time.Duration
	noCert                                             *bool
}

func s2sCommon(fs *flag.FlagSet) *s2sFlags {
	return &s2sFlags{
		connect: fs.String("connect", "127.0.0.1:5269", "the gateway (or server) that domain X connects to"),
		listenX: fs.String("listen-x", "", "where others reach domain X (needed for dialback)"),
		xd:      fs.String("x", "x.test", "domain(s) played on the sending side, comma-separated"),
		yd:      fs.String("y", "y.test", "domain(s) on the receiving side (s2ssetup: the domain asked for)"),
		cert:    fs.String("cert", "", "certificate chain, PEM, for all domains played"),
		key:     fs.String("key", "", "its key"),
		ca:      fs.String("ca", "", "CA to check the other side with (none: not checked)"),
		tls:     fs.String("tls", "starttls", "starttls, direct or none"),
		auth:    fs.String("auth", "external", "external or dialback"),
		noCert:  fs.Bool("no-client-cert", false, "present no certificate when connecting (so that dialback must verify the key)"),
		timeout: fs.Duration("timeout", 20*time.Second, "for one set-up"),
	}
}

func (f *s2sFlags) world() (*world, error) {
	w := &world{secret: make([]byte, 16), cfg: tlsConfig(*f.ca), tlsMode: *f.tls, auth: *f.auth, noCert: *f.noCert}
	rand.Read(w.secret)
	if *f.cert != "" {
		c, err := tls.LoadX509KeyPair(*f.cert, *f.key)
		if err != nil {
			return nil, err
		}
		w.cert = []tls.Certificate{c}
	}
	return w, nil
}

func s2sMode(fs *flag.FlagSet) func() (map[string]any, error) {
	f := s2sCommon(fs)
	listenY := fs.String("listen-y", "127.0.0.1:5270", "where the gateway reaches domain Y")
	count := fs.Int64("count", 10000, "messages in all")
	window := fs.Int("window", 64, "messages under way for each pair of domains")
	rate := fs.Float64("rate", 0, "fixed load in messages/s in all (0: window)")
	size := fs.Int("size", 100, "bytes of body")
	extra := fs.String("extra", "", "XML to put in each message (such as a label)")
	each := fs.Bool("each", false, "one stanza in each write")
	reply := fs.String("reply", "", "where domain Y connects to answer pings (none: they are not answered)")
	idle := fs.Duration("idle", 15*time.Second, "give up when nothing arrives for so long")
	watch := fs.String("watch", "", "name=pid,... processes whose CPU and memory to report")
	return func() (map[string]any, error) {
		w, err := f.world()
		if err != nil {
			return nil, err
		}
		w.reply = *reply
		xs, ys := strings.Split(*f.xd, ","), strings.Split(*f.yd, ",")
		if len(xs) != len(ys) {
			return nil, fmt.Errorf("as many -x as -y domains, please")
		}
		n := len(xs)
		var cur struct {
			sync.RWMutex
			l      *ledger
			run    int64
			pacers []*pacer
		}
		w.onElem = func(to string, el []byte) {
			now := time.Now().UnixNano()
			cur.RLock()
			defer cur.RUnlock()
			if cur.l == nil || elName(el) != "message" {
				return
			}
			if attr(el, "type") == "error" {
				cur.l.fail(string(el))
				return
			}
			s, seq, ns, ok := parsePayload(childText(el, "body"), cur.run)
			if !ok || s >= n {
				return
			}
			cur.l.seen(s, s, seq, ns, now)
			cur.pacers[s].give()
		}
		for _, a := range []string{*f.listenX, *listenY} {
			if a != "" {
				ln, err := w.listen(a)
				if err != nil {
					return nil, err
				}
				defer ln.Close()
				if *f.listenX == *listenY {
					break
				}
			}
		}
		start := time.Now()
		conns := make([]*xstream, n)
		if err := parallel(n, 8, func(i int) error {
			c, err := w.dial(*f.connect, xs[i], ys[i], *f.timeout)
			conns[i] = c
			return err
		}); err != nil {
			return nil, err
		}
		setup := time.Since(start)
		for _, c := range conns {
			go func() {
				for {
					el, err := c.next()
					if err != nil {
						return
					}
					if elName(el) == "message" && attr(el, "type") == "error" {
						cur.RLock()
						cur.l.fail(string(el))
						cur.RUnlock()
					}
				}
			}()
		}
		pass := func(per int64, win int, rate float64) *ledger {
			cur.Lock()
			cur.run = mrand.Int63()
			cur.l = newLedger(per * int64(n))
			cur.pacers = make([]*pacer, n)
			for i := range cur.pacers {
				cur.pacers[i] = newPacer(win, rate/float64(n))
			}
			l, run, pacers := cur.l, cur.run, cur.pacers
			cur.Unlock()
			var wg sync.WaitGroup
			for i, c := range conns {
				wg.Go(func() {
					for q := range per {
						ns, ok := pacers[i].take(func() { c.flush() })
						if !ok {
							return
						}
						c.put("<message type='chat' from='s@" + xs[i] + "/r' to='r@" + ys[i] + "/r' id='" + fmt.Sprint(i, "-", q) + "'><body>" + payload(run, i, q, ns, *size) + "</body>" + *extra + "</message>")
						if *each {
							c.flush()
						}
					}
					c.flush()
				})
			}
			l.wait(*idle)
			for _, p := range pacers {
				close(p.stop)
			}
			wg.Wait()
			return l
		}
		first := pass(1, 1, 0) // brings up the gateway's own streams
		out := map[string]any{"pairs": n, "window": *window, "rate_asked": *rate, "auth": *f.auth, "setup_ms": r3(setup.Seconds() * 1000), "first_message_ms": r3(float64(time.Unix(0, first.lastMove.Load()).Sub(start)) / 1e6)}
		if first.got != first.expect {
			first.report(out)
			return out, fmt.Errorf("the first message did not arrive")
		}
		wt := newWatcher(*watch)
		t := time.Now()
		l := pass(*count/int64(n), *window, *rate)
		el := time.Unix(0, l.lastMove.Load()).Sub(t)
		out["seconds"] = r3(el.Seconds())
		out["msgs_per_s"] = r3(float64(l.got) / el.Seconds())
		l.report(out)
		out["processes"] = wt.report(l.got)
		w.mu.Lock()
		var in []map[string]any
		for _, p := range w.accepted {
			in = append(in, map[string]any{"from": p.from, "to": p.to, "auth": p.how, "bytes_in": p.authBytes[0], "bytes_out": p.authBytes[1], "flights": p.authBytes[2], "ms": r3(p.authedAt.Sub(p.openedAt).Seconds() * 1000)})
		}
		w.mu.Unlock()
		if len(in) > 4 {
			in = in[:4]
		}
		out["inbound_setups"] = in
		out["dialback_verifications"] = w.verified.Load()
		for _, c := range conns {
			c.send("</stream:stream>")
			c.conn.Close()
		}
		return out, nil
	}
}

func s2sSetupMode(fs *flag.FlagSet) func() (map[string]any, error) {
	f := s2sCommon(fs)
	n := fs.Int("n", 20, "set-ups")
	k := fs.Int("parallel", 1, "at once")
	watch := fs.String("watch", "", "name=pid,... processes whose CPU and memory to report")
	return func() (map[string]any, error) {
		w, err := f.world()
		if err != nil {
			return nil, err
		}
		if *f.listenX != "" {
			ln, err := w.listen(*f.listenX)
			if err != nil {
				return nil, err
			}
			defer ln.Close()
		}
		wt := newWatcher(*watch)
		var mu sync.Mutex
		var ms, in, outb, fl []int64
		t := time.Now()
		err = parallel(*n, *k, func(i int) error {
			s := time.Now()
			x, err := w.dial(*f.connect, *f.xd, *f.yd, *f.timeout)
			if err != nil {
				return err
			}
			mu.Lock()
			ms = append(ms, int64(time.Since(s)))
			in = append(in, atomic.LoadInt64(&x.raw.in))
			outb = append(outb, atomic.LoadInt64(&x.raw.out))
			fl = append(fl, atomic.LoadInt64(&x.raw.flights))
			mu.Unlock()
			x.send("</stream:stream>")
			x.conn.Close()
			return nil
		})
		el := time.Since(t)
		med := func(v []int64) int64 {
			if len(v) == 0 {
				return 0
			}
			slices.Sort(v)
			return v[len(v)/2]
		}
		return map[string]any{"setups": len(ms), "per_s": r3(float64(len(ms)) / el.Seconds()), "auth": *f.auth, "latency": percentiles(ms), "bytes_out": med(outb), "bytes_in": med(in), "flights": med(fl), "dialback_verifications": w.verified.Load(), "processes": wt.report(int64(len(ms)))}, err
	}
}
