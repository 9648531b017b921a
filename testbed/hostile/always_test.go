package hostile_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strings"
	"testing"
	"time"
)

// stanzaLimit is what the node takes from a peer, and the measure of the heap (rule 6).
const stanzaLimit = 512 << 10

// baseline is what the process holds when nothing is attacked.
type baseline struct {
	goroutines, files int
	heap              uint64
}

func measure() baseline {
	return baseline{goroutines: runtime.NumGoroutine(), files: openFiles(), heap: liveHeap()}
}

func openFiles() int {
	names, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return -1
	}
	return len(names) - 1 // but for the one that read them
}

func liveHeap() uint64 {
	runtime.GC()
	runtime.GC() // what sync.Pool held goes with the second
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// tidy forgets what the tests themselves keep.
func (w *world) tidy() {
	w.audit.read()
	w.audit.forget()
	for _, s := range []*station{w.b, w.evil, w.trap, w.c, w.d} {
		s.forget()
	}
	w.taps.each((*tap).forget)
}

func (w *world) begin() {
	w.tidy()
	w.start = measure()
}

// end checks at the end of a group what holds always, but for what the cases themselves have checked.
func (w *world) end(t *testing.T) {
	for range lanes {
		l := <-w.lanes
		w.pass(t, l)
		defer func() { w.lanes <- l }()
	}
	w.nothingLeaks(t)
	w.nothingEscapes(t)
	w.adds(t)
	w.secretsKept(t)
	for _, f := range w.flows {
		eventually(t, patience, "bystander "+f.name+" is not behind", func() bool {
			sent, arrived, _ := f.count()
			return sent-arrived <= 200
		})
		if sent, arrived, wrong := f.count(); len(wrong) > 0 {
			t.Errorf("bystander %s: sent %d, arrived %d, wrong %v", f.name, sent, arrived, wrong)
		}
	}
	w.tidy()
	var heap uint64
	if !eventually(t, patience, "the heap is as before (rule 6)", func() bool {
		heap = liveHeap()
		return heap <= w.start.heap+4*stanzaLimit+noise
	}) {
		var b strings.Builder
		_ = pprof.Lookup("heap").WriteTo(&b, 1)
		t.Log(b.String())
	}
	t.Logf("the heap was %d KiB and is %d KiB", w.start.heap>>10, heap>>10)
}

// nothingLeaks is rule 1.
func (w *world) nothingLeaks(t *testing.T) {
	t.Helper()
	var now baseline
	if eventually(t, patience, "goroutines and descriptors are as before", func() bool {
		for _, s := range []*station{w.b, w.evil, w.trap} { // the streams of domains that cases made up, also those that come late
			s.dismiss(func(pair string) bool { return strings.Contains(pair, "lane") && strings.Contains(pair, "b.example") })
		}
		now.goroutines, now.files = runtime.NumGoroutine()-1, openFiles() // a subtest is one itself
		return now.goroutines <= w.start.goroutines && now.files <= w.start.files
	}) {
		return
	}
	t.Errorf("%d goroutines, were %d; %d descriptors, were %d", now.goroutines, w.start.goroutines, now.files, w.start.files)
	for _, s := range []*station{w.b, w.evil, w.trap} {
		s.dismiss(func(pair string) bool {
			t.Logf("station %s still has %s", s.name, pair)
			return true
		})
	}
	var b strings.Builder
	_ = pprof.Lookup("goroutine").WriteTo(&b, 1)
	t.Log(b.String())
}

// nothingEscapes is rule 4: what was refused is nowhere, in no form.
func (w *world) nothingEscapes(t *testing.T) {
	t.Helper()
	w.taps.each(func(p *tap) {
		if found := findMark(p.since(0)); found != "" {
			t.Errorf("refused input at %s: %s", p.name, found)
		}
	})
	names, err := filepath.Glob(filepath.Join(w.audit.dir, "*"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no audit log: %v", err)
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Error(err)
		} else if found := findMark(b); found != "" {
			t.Errorf("refused input in the audit log: %s", found)
		}
	}
}

// adds wants every stanza accounted for (docs/architecture.md), and a node without problems.
func (w *world) adds(t *testing.T) {
	t.Helper()
	status, err := w.g.Status(context.Background())
	if err != nil || len(status.Problems) > 0 {
		t.Errorf("status: %v %v", err, status.Problems)
	}
	if w.audit.broken != nil {
		t.Errorf("audit log: %v", w.audit.broken)
	}
}

// calmness is rule 2, over the whole run.
//
// Delays are those of the machine too, and of what others do on it, so that only starvation is a failure, and not that of a disk that
// stands still; what they were is printed, with the share that others took. What is lost or repeated counts always.
func (w *world) calmness(t *testing.T, quiet [2]int, quietDelay time.Duration, others float64) {
	var total int
	worst := time.Duration(0)
	for i, f := range w.flows {
		f.end(t)
		sent, arrived, wrong := f.count()
		if sent != arrived || len(wrong) > 0 {
			t.Errorf("bystander %s: sent %d, arrived %d, wrong %.5v", f.name, sent, arrived, wrong)
		}
		total += arrived
		p := f.percentile(quiet[i], 0.99)
		worst = max(worst, p)
		t.Logf("bystander %s: %d messages, p50 %v, p99 %v, p99.9 %v", f.name, arrived, f.percentile(quiet[i], 0.5), p, f.percentile(quiet[i], 0.999))
	}
	limit := max(10*quietDelay, starved)
	if still := w.disk.within(time.Time{}, time.Now()); still > 0 {
		fmt.Printf("hostile: the disk stood still for %v\n", still)
	}
	fmt.Printf("hostile: bystanders %d messages, p99 %v beside attacks, %v without, others took %.0f %% of the machine\n", total, worst, quietDelay, 100*others)
	if worst > limit && total >= flowTotal && !raceEnabled {
		t.Errorf("p99 of bystanders is %v beside attacks and %v without: limit %v (rule 2)", worst, quietDelay, limit)
	}
}
