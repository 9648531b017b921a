package capture

import (
	"errors"
	"sync"
	"time"
)

// queued is how many pieces of records may wait for the disk.
const queued = 1024

// Options say where a Recorder writes.
type Options struct {
	// Prefix is the beginning of the files' paths: PREFIX-sis-0001.pcap and PREFIX-dpdu-0001.pcap.
	Prefix string
	Bytes  int64 // of one file; 0: 16 MiB
	Files  int   // of each kind; 0: 8
	// StandardPort writes the node's end of connections as port 5066, which Wireshark decodes without being told.
	StandardPort bool
}

// Stats of a Recorder.
type Stats struct {
	Primitives uint64 // pieces of connections
	Frames     uint64 // D_PDUs
	Dropped    uint64 // pieces that found the queue full, or the disk failing
	Err        error  // the first of the disk; nothing is written after it
}

// Recorder records a node. Its methods may be called from several goroutines and never wait for the disk; only Close does.
type Recorder struct {
	opts   Options
	queue  chan piece
	done   chan struct{}
	series [2]*Series

	mu     sync.Mutex
	closed bool
	stats  Stats
	air    [2]Frames
}

// piece is records for one of the two series.
type piece struct {
	kind    int
	records []byte
}

const (
	sisKind = iota
	dpduKind
)

// Open makes the first file of each kind and begins.
func Open(o Options) (*Recorder, error) {
	sis, err := OpenSeries(o.Prefix+"-sis", LinkIP, o.Bytes, o.Files)
	if err != nil {
		return nil, err
	}
	dts, err := OpenSeries(o.Prefix+"-dpdu", LinkDPDU, o.Bytes, o.Files)
	if err != nil {
		return nil, errors.Join(err, sis.Close())
	}
	r := &Recorder{
		opts: o, queue: make(chan piece, queued), done: make(chan struct{}), series: [2]*Series{sisKind: sis, dpduKind: dts},
		air: [2]Frames{Heard: {packet: packets(Heard)}, Keyed: {packet: packets(Keyed)}},
	}
	go r.write()
	return r, nil
}

// packets writes what comes from one direction, damaged frames too.
func packets(d Direction) func([]byte, time.Time, Damage, []byte) []byte {
	return func(dst []byte, at time.Time, wrong Damage, packet []byte) []byte {
		return AppendPacket(dst, at, d, wrong, packet)
	}
}

// Modem records bytes that were keyed or heard, as they came: damaged frames too, which say so.
func (r *Recorder) Modem(at time.Time, d Direction, b []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f := &r.air[d&1]
	before := f.Count()
	records := f.Append(nil, at, b)
	r.stats.Frames += f.Count() - before
	r.add(piece{dpduKind, records})
}

// ModemEnd says that a transmission is over. A frame that has begun is recorded as it is.
func (r *Recorder) ModemEnd(at time.Time, d Direction) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f := &r.air[d&1]
	before := f.Count()
	records := f.Rest(nil, at)
	r.stats.Frames += f.Count() - before
	r.add(piece{dpduKind, records})
}

// Frame records one D_PDU that somebody has cut already.
func (r *Recorder) Frame(at time.Time, d Direction, b []byte) {
	if len(b) == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stats.Frames++
	r.add(piece{dpduKind, AppendPacket(nil, at, d, Whole, b)})
}

// primitives records records of a Stream.
func (r *Recorder) primitives(records []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stats.Primitives++
	r.add(piece{sisKind, records})
}

// add queues a piece. The lock is held.
func (r *Recorder) add(p piece) {
	if len(p.records) == 0 || r.closed {
		return
	}
	select {
	case r.queue <- p:
	default:
		r.stats.Dropped++
	}
}

// write owns the files until the queue is closed.
func (r *Recorder) write() {
	defer close(r.done)
	for p := range r.queue {
		r.mu.Lock()
		failed := r.stats.Err != nil
		r.mu.Unlock()
		var err error
		if !failed {
			_, err = r.series[p.kind].Write(p.records)
		}
		if failed || err != nil {
			r.mu.Lock()
			r.stats.Dropped++
			r.stats.Err = errors.Join(r.stats.Err, err)
			r.mu.Unlock()
		}
	}
}

// Stats returns the counts.
func (r *Recorder) Stats() Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stats
}

// Close writes what is queued and closes the files. It gives the first error of the disk.
func (r *Recorder) Close() error {
	r.mu.Lock()
	if !r.closed {
		r.closed = true
		close(r.queue)
	}
	r.mu.Unlock()
	<-r.done
	return errors.Join(r.Stats().Err, r.series[sisKind].Close(), r.series[dpduKind].Close())
}
