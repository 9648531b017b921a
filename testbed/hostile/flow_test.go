package hostile_test

import (
	"crypto/tls"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"sallyport/internal/xmpp/xmlstream"
)

const (
	calm      = "calm-" // how the ids of bystanders begin
	flowEvery = 10 * time.Millisecond
	flowTotal = 10_000          // messages of both flows in all
	quietFor  = 6 * time.Second // before the first attack
	starved   = 2 * time.Second // p99 beside attacks, or ten times that of quiet times: one attack holds everybody up
)

// flow is a bystander: 100 messages a second from one server to another through the node, while others are attacked
// (rule 2).
type flow struct {
	name string
	from *raw
	text string // of one message, with two places for the number
	stop chan struct{}
	wg   sync.WaitGroup
	disk *disk // that all of them have to be recorded on

	mu      sync.Mutex
	sent    []time.Time
	delays  []time.Duration // by number; zero is not there yet
	arrived int
	wrong   []string
}

func startFlow(t testing.TB, name string, n *node, at string, from, to string, cert *tls.Certificate) *flow {
	t.Helper()
	f := &flow{name: name, from: n.dial(t, at), stop: make(chan struct{})}
	f.sent, f.delays = make([]time.Time, 0, 30_000), make([]time.Duration, 0, 30_000) // not to grow beside what is weighed
	f.text = fmt.Sprintf("<message from='calm@%s/x' to='calm@%s/y' type='chat' id='%s%s-%%d'>%s<body>number %%d</body></message>",
		from, to, calm, name, publicLabel)
	f.from.authenticated(from, to, cert)
	return f
}

func (f *flow) run() {
	f.wg.Go(f.from.discard)
	f.wg.Go(func() {
		tick := time.NewTicker(flowEvery)
		defer tick.Stop()
		for n := 0; ; n++ {
			select {
			case <-f.stop:
				return
			case <-tick.C:
			}
			f.mu.Lock()
			f.sent = append(f.sent, time.Now())
			f.delays = append(f.delays, 0)
			f.mu.Unlock()
			f.from.sayf(f.text, n, n)
		}
	})
}

// take is the hook of the receiving station.
func (f *flow) take(e *xmlstream.Element, at time.Time) bool {
	id, _ := e.Attr("id")
	number, ok := strings.CutPrefix(id, calm+f.name+"-")
	if !ok {
		return false
	}
	n, err := strconv.Atoi(number)
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case err != nil || n >= len(f.sent):
		f.wrong = append(f.wrong, "never sent: "+id)
	case n != f.arrived:
		f.wrong = append(f.wrong, fmt.Sprintf("number %d came when %d was due", n, f.arrived))
		f.arrived = n + 1
	default:
		f.delays[n] = max(at.Sub(f.sent[n]), 1)
		f.arrived++
	}
	return true
}

// count is how many messages were sent and how many arrived in order.
func (f *flow) count() (sent, arrived int, wrong []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.sent), f.arrived, slices.Clone(f.wrong)
}

// percentile of the delays of the messages from first on, without the time in which the disk stood still.
func (f *flow) percentile(first int, p float64) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	d := slices.Clone(f.delays[first:f.arrived])
	if len(d) == 0 {
		return 0
	}
	for i := range d {
		d[i] -= f.disk.within(f.sent[first+i], f.sent[first+i].Add(d[i]))
	}
	slices.Sort(d)
	return d[min(int(float64(len(d))*p), len(d)-1)]
}

// end stops the flow and waits for what is on its way.
func (f *flow) end(t testing.TB) {
	t.Helper()
	close(f.stop)
	eventually(t, patience, "flow "+f.name+" arrives to the end", func() bool {
		sent, arrived, _ := f.count()
		return sent == arrived
	})
	f.from.close()
	f.wg.Wait()
}
