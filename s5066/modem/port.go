package modem

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// Limits of a running port.
const (
	readBytes   = 32 << 10
	writeWithin = 30 * time.Second
	eventsAhead = 64 // of the station
)

// ErrGone is in the chain of the error for orders to a modem that is not there any more.
var ErrGone = errors.New("the modem is gone")

// Port is a station's running end of a modem: orders go in, events come out. Its methods may be called from any goroutine.
//
// A station that takes no events for 45 s may find its modem counted as silent, since it is not read then.
type Port struct {
	stream  io.ReadWriteCloser
	machine Machine // run's
	waiting []Event // run's: what Events has no room for
	orders  chan Order
	events  chan Event
	ready   chan struct{}
	down    chan struct{} // the stream has ended; err is set
	done    chan struct{} // run has ended
	stop    chan struct{}
	once    sync.Once
	readied sync.Once
	err     error
}

// Start runs a machine over a stream, which belongs to the port from now on. first is written before anything else.
func Start(stream io.ReadWriteCloser, m Machine, first []byte) *Port {
	p := &Port{
		stream: stream, machine: m, orders: make(chan Order), events: make(chan Event, eventsAhead),
		ready: make(chan struct{}), down: make(chan struct{}), done: make(chan struct{}), stop: make(chan struct{}),
	}
	go p.run(first)
	return p
}

// Events is closed when the modem is gone, after a Lost for the transmission that was outstanding and a Carrier that is off if it was on.
// (After Close, these are there unless the station has left events waiting.)
func (p *Port) Events() <-chan Event { return p.events }

// Order gives an order. It waits while the stream takes no bytes; ErrGone once the modem is gone.
func (p *Port) Order(ctx context.Context, o Order) error {
	select {
	case p.orders <- o:
		return nil
	case <-p.down:
		return fmt.Errorf("%w: %w", ErrGone, p.err)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Err says why the modem is gone; nil while it is there.
func (p *Port) Err() error {
	select {
	case <-p.down:
		return p.err
	default:
		return nil
	}
}

// Close ends the stream and waits for the port's goroutines. Events is closed then.
func (p *Port) Close() error {
	p.once.Do(func() { close(p.stop) })
	_ = p.stream.Close() // run may be writing
	<-p.done
	return nil
}

// run owns the machine. The reader is its only helper and ends with the stream.
func (p *Port) run(first []byte) {
	chunks := make(chan []byte)
	var reader sync.WaitGroup
	var readErr error
	reader.Go(func() { readErr = p.read(chunks) })
	err := p.write(first)
	if err == nil {
		err = p.loop(chunks)
	}
	_ = p.stream.Close()
	for range chunks { //nolint:revive // the reader may have one more
	}
	reader.Wait()
	if errors.Is(err, io.EOF) {
		err = readErr
	}
	p.err = err
	close(p.down)
	p.part()
}

// read ends with the stream, and closes chunks.
func (p *Port) read(chunks chan<- []byte) error {
	defer close(chunks)
	for {
		b := make([]byte, readBytes)
		n, err := p.stream.Read(b)
		if n > 0 {
			chunks <- b[:n]
		}
		if err != nil {
			return fmt.Errorf("read from modem: %w", err)
		}
	}
}

// loop returns io.EOF when the reader has ended. While events wait for the station the modem is not read, but orders go through.
func (p *Port) loop(chunks <-chan []byte) error {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		if at, ok := p.machine.Deadline(); ok {
			timer.Reset(time.Until(at))
		} else {
			timer.Stop()
		}
		in, out, next := chunks, chan<- Event(nil), Event(nil)
		if len(p.waiting) > 0 {
			in, out, next = nil, p.events, p.waiting[0]
		}
		var s Step
		select {
		case <-p.stop:
			return ErrGone
		case out <- next:
			p.waiting = p.waiting[1:]
			continue
		case o := <-p.orders:
			s = p.machine.Order(time.Now(), o)
		case b, ok := <-in:
			if !ok {
				return io.EOF
			}
			s = p.machine.Receive(time.Now(), b)
		case <-timer.C:
			s = p.machine.Tick(time.Now())
		}
		if err := p.take(s); err != nil {
			return err
		}
	}
}

// take does what the machine wants.
func (p *Port) take(s Step) error {
	p.waiting = append(p.waiting, s.Events...)
	if p.machine.Ready() {
		p.readied.Do(func() { close(p.ready) })
	}
	return errors.Join(p.write(s.Write), s.Err)
}

func (p *Port) write(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	if d, ok := p.stream.(interface{ SetWriteDeadline(t time.Time) error }); ok {
		if err := d.SetWriteDeadline(time.Now().Add(writeWithin)); err != nil {
			return fmt.Errorf("write to modem: %w", err)
		}
	}
	if _, err := p.stream.Write(b); err != nil {
		return fmt.Errorf("write to modem: %w", err)
	}
	return nil
}

// part hands out what still waits and what the end means, and closes Events. While the port is not closed it waits for the station to take them.
func (p *Port) part() {
	defer close(p.done)
	defer close(p.events)
	for _, e := range append(p.waiting, p.machine.End()...) {
		select {
		case p.events <- e:
			continue
		default:
		}
		select {
		case p.events <- e:
		case <-p.stop:
			return
		}
	}
}
