package badnet

import (
	"container/heap"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Side is one end of the network.
type Side int

// The sides.
const (
	Near Side = iota
	Far
)

// The addresses of the two sides, in a network of their own.
var addresses = [2]netip.Addr{netip.AddrFrom4([4]byte{10, 203, 0, 1}), netip.AddrFrom4([4]byte{10, 203, 0, 2})}

// Address is that of a side.
func (s Side) Address() netip.Addr { return addresses[s] }

// Net is a bad network that runs.
type Net struct {
	sides [2]*namespace
	wg    sync.WaitGroup
	done  chan struct{}

	mu    sync.Mutex
	paths [2]*Path // by the side that sends
}

// namespace is a network namespace, with the one thread that is in it.
type namespace struct {
	tun   *os.File
	calls chan func()
	leave chan struct{}
	ended chan struct{}
}

// Open makes the namespaces and begins to forward.
func Open(w Weather) (*Net, error) {
	n := &Net{done: make(chan struct{})}
	n.SetWeather(w)
	for s := range n.sides {
		ns, err := newNamespace(addresses[s])
		if err != nil {
			return nil, errors.Join(err, n.Close())
		}
		n.sides[s] = ns
	}
	n.wg.Go(func() { n.forward(Near, Far) })
	n.wg.Go(func() { n.forward(Far, Near) })
	return n, nil
}

// SetWeather begins anew with other weather, counters and dice. What is under way arrives as it would have.
func (n *Net) SetWeather(w Weather) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.paths = [2]*Path{NewPath(w, 1), NewPath(w, 2)}
}

// Stats returns the counters of the direction that a side sends in.
func (n *Net) Stats(from Side) Stats {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.paths[from].Stats
}

// Do runs f on a thread in a side's namespace: sockets that f makes itself, on its own goroutine, belong there and stay there.
func (n *Net) Do(s Side, f func() error) error {
	result := make(chan error, 1)
	select {
	case n.sides[s].calls <- func() { result <- f() }:
		return <-result
	case <-n.sides[s].ended:
		return errors.New("badnet: closed")
	}
}

// Start starts a program in a side's namespace. It ends when the caller ends it.
func (n *Net) Start(s Side, cmd *exec.Cmd) error { return n.Do(s, cmd.Start) }

// Close ends everything. The namespaces go with the last socket and program in them.
func (n *Net) Close() error {
	close(n.done)
	var problems []error
	for _, ns := range n.sides {
		if ns != nil {
			problems = append(problems, ns.tun.Close())
			close(ns.leave)
			<-ns.ended
		}
	}
	n.wg.Wait()
	return errors.Join(problems...)
}

// newNamespace makes a thread with a network of its own. The thread never comes back to others.
func newNamespace(address netip.Addr) (*namespace, error) {
	ns := &namespace{calls: make(chan func()), leave: make(chan struct{}), ended: make(chan struct{})}
	made := make(chan error, 1)
	go func() {
		defer close(ns.ended)
		runtime.LockOSThread() // and never unlocked: the runtime ends the thread with the goroutine
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			made <- fmt.Errorf("make a network namespace (root?): %w", err)
			return
		}
		var err error
		ns.tun, err = openTUN("bad0", address)
		made <- err
		if err != nil {
			return
		}
		for {
			select {
			case call := <-ns.calls:
				call()
			case <-ns.leave:
				return
			}
		}
	}()
	if err := <-made; err != nil {
		return nil, err
	}
	return ns, nil
}

// forward carries packets in one direction.
func (n *Net) forward(from, to Side) {
	line := &line{wake: make(chan struct{}, 1)}
	n.wg.Go(func() { line.deliver(n.done, n.sides[to].tun) })
	b := make([]byte, mtu+64)
	for {
		size, err := n.sides[from].tun.Read(b)
		if err != nil {
			return // closed
		}
		n.mu.Lock()
		arrivals := n.paths[from].Packet(time.Now(), size)
		n.mu.Unlock()
		for _, at := range arrivals {
			line.put(at, append([]byte(nil), b[:size]...))
		}
	}
}

// line is what is under way in one direction.
type line struct {
	mu    sync.Mutex
	order uint64
	queue packets
	wake  chan struct{}
}

type packet struct {
	at    time.Time
	order uint64
	data  []byte
}

func (l *line) put(at time.Time, data []byte) {
	l.mu.Lock()
	l.order++
	heap.Push(&l.queue, packet{at, l.order, data})
	first := l.queue[0].order == l.order
	l.mu.Unlock()
	if first {
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
}

// due returns a packet whose time has come, or how long until there may be one.
func (l *line) due() (data []byte, wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.queue) == 0 {
		return nil, time.Hour
	}
	if wait := time.Until(l.queue[0].at); wait > 0 {
		return nil, wait
	}
	return heap.Pop(&l.queue).(packet).data, 0 //nolint:forcetypeassert // packets holds nothing else
}

func (l *line) deliver(done <-chan struct{}, to *os.File) {
	t := time.NewTimer(time.Hour)
	defer t.Stop()
	for {
		data, wait := l.due()
		if data != nil {
			_, _ = to.Write(data) // what the kernel does not take is lost, as packets are
			continue
		}
		t.Reset(wait)
		select {
		case <-done:
			return
		case <-l.wake:
		case <-t.C:
		}
	}
}

// packets is a heap by time of arrival, and by order among equals.
type packets []packet

func (p packets) Len() int { return len(p) }
func (p packets) Less(i, j int) bool {
	return p[i].at.Before(p[j].at) || p[i].at.Equal(p[j].at) && p[i].order < p[j].order
}
func (p packets) Swap(i, j int) { p[i], p[j] = p[j], p[i] }
func (p *packets) Push(x any)   { *p = append(*p, x.(packet)) } //nolint:forcetypeassert // only put calls it
func (p *packets) Pop() any {
	last := (*p)[len(*p)-1]
	*p = (*p)[:len(*p)-1]
	return last
}
