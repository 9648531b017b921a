package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// ---- processes watched from outside ----

type procSample struct {
	CPU   float64 // seconds, user+system, all threads
	RSSKB int64
	HWMKB int64
}

func sampleProc(pid string) (s procSample) {
	b, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return
	}
	t := string(b)
	t = t[strings.LastIndexByte(t, ')')+2:]
	f := strings.Fields(t)
	for _, i := range []int{11, 12, 13, 14} { // its own user and system time, and that of children that have ended
		ticks, _ := strconv.ParseFloat(f[i], 64)
		s.CPU += ticks / 100
	}
	b, _ = os.ReadFile("/proc/" + pid + "/status")
	for l := range strings.SplitSeq(string(b), "\n") {
		f := strings.Fields(l)
		if len(f) > 1 && f[0] == "VmRSS:" {
			s.RSSKB, _ = strconv.ParseInt(f[1], 10, 64)
		}
		if len(f) > 1 && f[0] == "VmHWM:" {
			s.HWMKB, _ = strconv.ParseInt(f[1], 10, 64)
		}
	}
	return
}

// sampleTree sums up a process and all that it and its children started.
func sampleTree(pid string) procSample {
	s := sampleProc(pid)
	for _, child := range children(pid) {
		c := sampleTree(child)
		s.CPU, s.RSSKB, s.HWMKB = s.CPU+c.CPU, s.RSSKB+c.RSSKB, s.HWMKB+c.HWMKB
	}
	return s
}

func children(pid string) []string {
	threads, _ := filepath.Glob("/proc/" + pid + "/task/*/children")
	var all []string
	for _, t := range threads {
		b, _ := os.ReadFile(t) // gone with its thread
		all = append(all, strings.Fields(string(b))...)
	}
	return all
}

type watcher struct {
	pids   []string
	before map[string]procSample
}

// newWatcher takes "name=pid,name=pid".
func newWatcher(list string) *watcher {
	w := &watcher{before: map[string]procSample{}}
	for p := range strings.SplitSeq(list, ",") {
		if p != "" {
			w.pids = append(w.pids, p)
		}
	}
	w.pids = append(w.pids, "loadgen="+strconv.Itoa(os.Getpid()))
	w.mark()
	return w
}

func (w *watcher) mark() {
	for _, p := range w.pids {
		w.before[p] = sampleTree(p[strings.IndexByte(p, '=')+1:])
	}
}

func (w *watcher) report(msgs int64) map[string]any {
	out := map[string]any{}
	for _, p := range w.pids {
		i := strings.IndexByte(p, '=')
		name := p
		if i > 0 {
			name = p[:i]
		}
		a, b := w.before[p], sampleTree(p[i+1:])
		m := map[string]any{"cpu_s": r3(b.CPU - a.CPU), "rss_mb_before": r3(float64(a.RSSKB) / 1024), "rss_mb": r3(float64(b.RSSKB) / 1024), "hwm_mb": r3(float64(b.HWMKB) / 1024)}
		if msgs > 0 {
			m["cpu_s_per_100k"] = r3((b.CPU - a.CPU) / float64(msgs) * 1e5)
		}
		out[name] = m
	}
	return out
}

func r3(f float64) float64 { v, _ := strconv.ParseFloat(fmt.Sprintf("%.3f", f), 64); return v }

// ---- latencies ----

func percentiles(ns []int64) map[string]any {
	if len(ns) == 0 {
		return nil
	}
	slices.Sort(ns)
	at := func(p float64) float64 {
		i := int(p / 100 * float64(len(ns)))
		if i >= len(ns) {
			i = len(ns) - 1
		}
		return r3(float64(ns[i]) / 1e6)
	}
	return map[string]any{"p50_ms": at(50), "p90_ms": at(90), "p99_ms": at(99), "p999_ms": at(99.9), "max_ms": r3(float64(ns[len(ns)-1]) / 1e6), "n": len(ns)}
}

// ---- the ledger: every message exactly once and in order ----

// flow is the record of one sender as seen by one receiver.
type flow struct {
	next int64 // the sequence number due
}

type ledger struct {
	mu                  sync.Mutex
	flows               map[[2]int]*flow
	expect              int64
	got, dup, gap, errs int64
	lat                 []int64
	done                chan struct{}
	closed              bool
	lastMove            atomic.Int64
	errText             string
}

func newLedger(expect int64) *ledger {
	l := &ledger{flows: map[[2]int]*flow{}, expect: expect, done: make(chan struct{}), lat: make([]int64, 0, expect)}
	l.lastMove.Store(time.Now().UnixNano())
	return l
}

// seen books message seq of sender s at receiver r; false when it was not the
// one due (a repeat, or one out of order).
func (l *ledger) seen(r, s int, seq, sentNS, nowNS int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.flows[[2]int{r, s}]
	if f == nil {
		f = &flow{}
		l.flows[[2]int{r, s}] = f
	}
	l.lastMove.Store(nowNS)
	if seq < f.next {
		l.dup++
		return false
	}
	if seq > f.next {
		l.gap += seq - f.next
	}
	f.next = seq + 1
	l.got++
	l.lat = append(l.lat, nowNS-sentNS)
	if l.got >= l.expect && !l.closed {
		l.closed = true
		close(l.done)
	}
	return true
}

func (l *ledger) fail(what string) {
	l.mu.Lock()
	l.errs++
	if l.errText == "" {
		l.errText = what
	}
	l.mu.Unlock()
}

// wait ends when all arrived, or nothing arrived for the given time.
func (l *ledger) wait(idle time.Duration) {
	t := time.NewTicker(50 * time.Millisecond)
	defer t.Stop()
	for {
		select {
		case <-l.done:
			return
		case <-t.C:
			if time.Since(time.Unix(0, l.lastMove.Load())) > idle {
				return
			}
		}
	}
}

func (l *ledger) report(out map[string]any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	out["expected"] = l.expect
	out["delivered"] = l.got
	out["repeated_or_late"] = l.dup
	out["skipped"] = l.gap
	out["error_stanzas"] = l.errs
	if l.errText != "" {
		out["first_error"] = l.errText
	}
	out["exactly_once_in_order"] = l.got == l.expect && l.dup == 0 && l.gap == 0 && l.errs == 0
	out["latency"] = percentiles(l.lat)
}

// payload: "L run sender seq nanoseconds" then padding.
func payload(run int64, s int, seq, ns int64, size int) string {
	b := "L " + strconv.FormatInt(run, 36) + " " + strconv.Itoa(s) + " " + strconv.FormatInt(seq, 10) + " " + strconv.FormatInt(ns, 10) + " "
	if n := size - len(b); n > 0 {
		b += strings.Repeat("x", n)
	}
	return b
}

func parsePayload(b []byte, run int64) (s int, seq, ns int64, ok bool) {
	f := strings.SplitN(string(b), " ", 6)
	if len(f) < 6 || f[0] != "L" || f[1] != strconv.FormatInt(run, 36) {
		return
	}
	var e1, e2, e3 error
	s, e1 = strconv.Atoi(f[2])
	seq, e2 = strconv.ParseInt(f[3], 10, 64)
	ns, e3 = strconv.ParseInt(f[4], 10, 64)
	return s, seq, ns, e1 == nil && e2 == nil && e3 == nil
}

// ---- pacing ----

// pacer hands out leave to send: a window of messages under way, or a fixed
// rate (open loop: the stamp is the time the message was due, so that a stall
// shows in the latencies).
type pacer struct {
	tokens chan struct{}
	rate   float64 // messages/s for this sender, 0: window only
	start  time.Time
	n      int64
	stop   chan struct{}
}

func newPacer(window int, rate float64) *pacer {
	p := &pacer{rate: rate, stop: make(chan struct{})}
	if rate == 0 {
		p.tokens = make(chan struct{}, window)
		for range window {
			p.tokens <- struct{}{}
		}
	}
	return p
}

// take waits for leave; flush is called before it would wait.
func (p *pacer) take(flush func()) (stamp int64, ok bool) {
	if p.rate > 0 {
		if p.n == 0 {
			p.start = time.Now()
		}
		due := p.start.Add(time.Duration(float64(p.n) / p.rate * 1e9))
		p.n++
		if d := time.Until(due); d > 0 {
			flush()
			time.Sleep(d)
		}
		return due.UnixNano(), true
	}
	select {
	case <-p.tokens:
	default:
		flush()
		select {
		case <-p.tokens:
		case <-p.stop:
			return 0, false
		}
	}
	return time.Now().UnixNano(), true
}

func (p *pacer) give() {
	if p.tokens != nil {
		select {
		case p.tokens <- struct{}{}:
		default:
		}
	}
}
