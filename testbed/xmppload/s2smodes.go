package main

import (
	"crypto/rand"
	"crypto/tls"
	"flag"
	"slices"
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
