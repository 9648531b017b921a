package scenario

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"sallyport/gateway/audit"
	"sallyport/testbed/client"
)

// Flow is numbered messages from one person to another, and an account of each: what arrived, in which order, and what came back.
type Flow struct {
	from, to *User
	mark     string // of the ids, so that flows can share people

	mu   sync.Mutex
	sent int

	arrived []int
	back    map[int]string // condition of the error
	again   []int          // came back more than once
}

// NewFlow begins with nothing sent.
func NewFlow(from, to *User, mark string) *Flow {
	return &Flow{from: from, to: to, mark: mark, back: map[int]string{}}
}

// Send sends n more messages to the bare address.
func (f *Flow) Send(n int, extra ...string) {
	f.from.t.Helper()
	for range n {
		f.mu.Lock()
		f.sent++
		i := f.sent
		f.mu.Unlock()
		f.from.must(f.from.Client.Send(client.Message{
			To: f.to.Bare(), ID: f.mark + strconv.Itoa(i), Body: fmt.Sprintf("%s %d", f.mark, i), Extra: extra,
		}))
	}
}

// Sent is how many there were.
func (f *Flow) Sent() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sent
}

// Keep sends until the returned function is called, which waits for the last and returns how many there were.
func (f *Flow) Keep() (stop func() int) {
	done := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
			}
			f.mu.Lock()
			f.sent++
			i := f.sent
			f.mu.Unlock()
			if err := f.from.Client.Send(client.Message{To: f.to.Bare(), ID: f.mark + strconv.Itoa(i), Body: fmt.Sprintf("%s %d", f.mark, i)}); err != nil {
				f.from.t.Errorf("send %s %d: %v", f.mark, i, err)
				return
			}
		}
	})
	return func() int {
		close(done)
		running.Wait()
		return f.Sent()
	}
}

func (f *Flow) collect() {
	mine := func(e client.Event, text string) (int, bool) {
		rest, ok := strings.CutPrefix(text, f.mark)
		n, err := strconv.Atoi(strings.TrimSpace(rest))
		return n, ok && err == nil && e.Kind == "message"
	}
	for _, e := range f.to.Received(func(e client.Event) bool { _, ok := mine(e, e.Body); return ok && e.Type != "error" }) {
		n, _ := mine(e, e.Body)
		f.arrived = append(f.arrived, n)
	}
	for _, e := range f.from.Received(func(e client.Event) bool { _, ok := mine(e, e.ID); return ok && e.Type == "error" }) {
		n, _ := mine(e, e.ID)
		if f.back[n] != "" {
			f.again = append(f.again, n)
		}
		f.back[n] = e.Condition
	}
}

// Arrived waits until n messages have arrived.
func (f *Flow) Arrived(n int, limit time.Duration) bool {
	return eventually(limit, func() bool { f.collect(); return len(f.arrived) >= n })
}

// missing lists what neither arrived nor came back.
func (f *Flow) missing() (all []int) {
	there := map[int]bool{}
	for _, n := range f.arrived {
		there[n] = true
	}
	for n := 1; n <= f.Sent(); n++ {
		if !there[n] && f.back[n] == "" {
			all = append(all, n)
		}
	}
	return all
}

// Settle waits until each message arrived or came back, and reports those that did neither, and those that arrived twice or late.
func (f *Flow) Settle(t *testing.T, limit time.Duration) {
	t.Helper()
	eventually(limit, func() bool { f.collect(); return len(f.missing()) == 0 })
	if missing := f.missing(); len(missing) > 0 {
		t.Errorf("%s: of %d sent, %d arrived and %d came back; lost without a word: %v", f.mark, f.Sent(), len(f.arrived), len(f.back), missing)
	}
	f.wantOnceInOrder(t)
	if len(f.again) > 0 {
		t.Errorf("%s: came back twice: %v", f.mark, f.again)
	}
	t.Logf("%s: %d sent, %d arrived, %d came back", f.mark, f.Sent(), len(f.arrived), len(f.back))
}

// wantOnceInOrder reports what arrived twice or late.
func (f *Flow) wantOnceInOrder(t *testing.T) {
	t.Helper()
	seen := map[int]bool{}
	for i, n := range f.arrived {
		if seen[n] {
			t.Errorf("%s: %d arrived twice", f.mark, n)
		}
		seen[n] = true
		if i > 0 && n < f.arrived[i-1] {
			t.Errorf("%s: %d arrived after %d", f.mark, n, f.arrived[i-1])
		}
	}
}

// WantAllArrived reports what came back.
func (f *Flow) WantAllArrived(t *testing.T, limit time.Duration) {
	t.Helper()
	f.Settle(t, limit)
	if len(f.back) > 0 {
		t.Errorf("%s: came back: %v", f.mark, f.back)
	}
}

// WantExcused reports what came back without the log of a gateway calling it in doubt; only such may arrive as well.
func (f *Flow) WantExcused(t *testing.T, lines []audit.Entry) {
	t.Helper()
	doubtful := map[string]bool{}
	for _, l := range lines {
		if l.Kind == audit.Settlement && l.Outcome == "uncertain" && bare(l.From) == f.from.Bare() {
			doubtful[l.StanzaID] = true
		}
	}
	var unexcused []int
	for _, n := range slices.Sorted(maps.Keys(f.back)) {
		if !doubtful[f.mark+strconv.Itoa(n)] {
			unexcused = append(unexcused, n)
		}
	}
	if len(unexcused) > 0 {
		t.Errorf("%s: came back, and was never in doubt: %v", f.mark, unexcused)
	}
	t.Logf("%s: %d in doubt", f.mark, len(doubtful))
}

// flows are traffic in both directions between two people who have talked before.
func (w *World) flows(t *testing.T) (out, in *Flow) {
	t.Helper()
	alice, bob := w.Inside(t, "alice"), w.Outside(t, "bob")
	out, in = NewFlow(alice, bob, "out"), NewFlow(bob, alice, "in")
	out.Send(1)
	in.Send(1)
	if !out.Arrived(1, 2*Patience) || !in.Arrived(1, 2*Patience) {
		t.Fatal("nothing crosses the link")
	}
	return out, in
}

// bothWays are flows that are kept up until they are ended, at the latest by the end of the test.
type bothWays struct {
	out, in *Flow
	end     func()
}

func (w *World) traffic(t *testing.T) *bothWays {
	t.Helper()
	out, in := w.flows(t)
	stopOut, stopIn := out.Keep(), in.Keep()
	f := &bothWays{out: out, in: in, end: sync.OnceFunc(func() { stopOut(); stopIn() })}
	t.Cleanup(f.end)
	return f
}

// flows wants some messages of each.
func (f *bothWays) flows(t *testing.T) {
	t.Helper()
	if !f.out.Arrived(50, Patience) || !f.in.Arrived(50, Patience) {
		t.Fatal("traffic does not flow")
	}
}

// allArrived ends both, and wants each message to have arrived once and in order.
func (f *bothWays) allArrived(t *testing.T) {
	t.Helper()
	f.end()
	f.out.WantAllArrived(t, Patience)
	f.in.WantAllArrived(t, Patience)
}
