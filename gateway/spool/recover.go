package spool

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"sallyport/internal/disk"
)

// Recovered says what Open found.
type Recovered struct {
	Fresh    bool // there was no spool, or it was lost: the epoch is new
	Entries  int
	InDoubt  []Entry // announced as "sending" and not ended: end or requeue each
	Marks    []Mark
	Segments int
	Bytes    int64
	Torn     int64 // bytes cut off the end: a batch that nobody was told of
	Damaged  []Damage
}

// Damage is something that is not as it was written.
type Damage struct {
	Segment  string
	From, To int64
	Words    string
}

// String is for the log.
func (d Damage) String() string {
	if d.To > d.From {
		return fmt.Sprintf("%s, bytes %d to %d: %s", d.Segment, d.From, d.To, d.Words)
	}
	return d.Segment + ": " + d.Words
}

// futureAfter is how far ahead of the clock an entry may have been accepted before its times count as wrong.
const futureAfter = time.Hour

// Open opens the spool in a directory, or begins one in an empty directory. Whatever is in the files, everything that can
// be read is there afterwards, and the rest is named in Recovered. An error means that the directory cannot be used now:
// locked, not readable, not writable.
func Open(fs disk.FS, o Options) (s *Spool, r Recovered, err error) {
	o, err = o.withDefaults()
	if err != nil {
		return nil, Recovered{}, fmt.Errorf("spool: %w", err)
	}
	s = &Spool{opts: o, fs: fs, queue: NewQueue(o.Limits), failed: make(chan struct{})}
	s.group = disk.NewGroup(&s.mu, o.Linger, &batch{}, &batch{})
	if s.lock, err = fs.Lock(lockName); err == nil {
		r, err = s.recover()
	}
	if err != nil {
		return nil, Recovered{}, fmt.Errorf("open spool: %w", errors.Join(err, s.release()))
	}
	if !o.Stepped {
		s.done.Go(func() { s.group.Run((*committer)(s)) })
	}
	return s, r, nil
}

// release closes what Open had opened.
func (s *Spool) release() error {
	var errs []error
	if s.log.file != nil {
		errs = append(errs, s.log.file.Close())
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Close())
	}
	return errors.Join(errs...)
}

func (s *Spool) recover() (r Recovered, err error) {
	list, err := segments.List(s.fs)
	if err != nil {
		return r, err
	}
	identity, err := s.identity()
	if err != nil {
		return r, err
	}
	usable, identity, err := s.usable(list, identity, &r)
	if err != nil {
		return r, err
	}
	if len(list) > 0 {
		s.log.top = list[len(list)-1].Number
	}
	p := newReplay()
	var tail end
	for i, f := range usable {
		if tail, err = s.readSegment(p, f, i == len(usable)-1, &r); err != nil {
			return r, err
		}
	}
	if len(usable) == 0 {
		return r, s.first(&r)
	}
	if !p.header {
		r.Damaged = append(r.Damaged, Damage{"spool", 0, 0, "no segment says the epoch; it begins anew"})
		if p.epoch, err = s.random(); err != nil {
			return r, err
		}
	}
	s.life, s.epoch, s.next, s.marks = cmp.Or(identity, p.epoch), p.epoch, p.next, p.marks
	s.adopt(p, &r)
	if tail.at == 0 {
		// The last segment holds nothing but its first write, and of that perhaps not all: the marks may be in older segments
		// only, which go when nothing in them is alive. They are written down again before that.
		s.marksDue = true
		s.repeatMarks(s.group.Active())
	}
	if err := s.reopen(usable[len(usable)-1].Name, tail); err != nil {
		return r, err
	}
	return r, s.identify()
}

// end is where the log ends: the last batch and what is torn after it.
type end struct {
	batch []byte
	at    int64
	size  int64
	torn  int64
}

func (s *Spool) readSegment(p *replay, f disk.Segment, last bool, r *Recovered) (end, error) {
	data, err := disk.ReadFile(s.fs, f.Name, maxSegmentFile)
	if err != nil {
		return end{}, fmt.Errorf("%s: %w", f.Name, err)
	}
	twice := p.twice
	found, damage, batch := p.segment(f.Number, data, last)
	if p.twice > twice {
		damage = append(damage, Damage{f.Name, 0, 0, fmt.Sprintf("%d entries were there before; they count once", p.twice-twice)})
	}
	r.Damaged = append(r.Damaged, damage...)
	r.Torn += found.Torn
	r.Bytes += found.End
	r.Segments++
	s.log.files = append(s.log.files, &segmentFile{number: f.Number, size: found.End, damaged: len(damage) > 0, alive: map[Number]*item{}})
	return end{append([]byte(nil), data[batch:found.End]...), batch, found.End, found.Torn}, nil
}

// adopt puts the recovered entries into the queue.
func (s *Spool) adopt(p *replay, r *Recovered) {
	now, future := s.opts.Clock(), 0
	for _, it := range sorted(p.alive) {
		if it.Accepted.After(now.Add(futureAfter)) {
			future++
			if !it.Expires.IsZero() {
				it.Expires = now.Add(max(it.Expires.Sub(it.Accepted), 0))
			}
			it.Accepted = now
		}
		s.queue.restore(it, now)
		s.queue.commit(it)
		if f := s.log.find(it.place.segment); f != nil {
			f.enter(it, it.place)
		}
		r.Entries++
		if it.Sending {
			it.state = doubtful
			s.queue.unindex(it)
			r.InDoubt = append(r.InDoubt, it.Entry)
		}
	}
	if future > 0 {
		r.Damaged = append(r.Damaged, Damage{"spool", 0, 0, fmt.Sprintf(
			"%d entries were accepted in the future, by a wrong clock; their lifetime begins now", future)})
	}
	r.Marks = s.marks.of("", true)
}

// reopen cuts the torn tail of the last segment off and opens it for more.
func (s *Spool) reopen(name string, tail end) (err error) {
	if s.log.file, err = s.fs.Append(name); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if tail.torn > 0 {
		if err := s.log.file.Truncate(tail.size); err != nil {
			return fmt.Errorf("%s: cut torn tail: %w", name, err)
		}
	}
	// What follows will claim that all before it is durable. The process before may have died before its sync, or
	// because of it, and then a sync alone would prove nothing: the last batch is written again.
	if err := s.log.file.Rewrite(tail.batch, tail.at); err != nil {
		return fmt.Errorf("%s: rewrite last batch: %w", name, err)
	}
	if err := errors.Join(s.log.file.Sync(), s.fs.SyncDir()); err != nil {
		return fmt.Errorf("%s: sync last batch: %w", name, err)
	}
	return nil
}

// first begins a new log, with a new epoch.
func (s *Spool) first(r *Recovered) (err error) {
	if s.life, err = s.random(); err != nil {
		return err
	}
	r.Fresh = true
	s.epoch, s.next, s.marks = s.life, 1, marks{}
	number := s.log.top + 1
	head := s.begin(number)
	head.seal(0)
	f, size, err := s.create(number, head.data)
	if err != nil {
		return err
	}
	s.log.file, s.log.top = f, number
	s.log.files = []*segmentFile{{number: number, size: size, alive: map[Number]*item{}}}
	return s.identify()
}

// random returns a new identity, never 0.
func (s *Spool) random() (uint64, error) {
	var b [8]byte
	if _, err := io.ReadFull(s.opts.Random, b[:]); err != nil {
		return 0, fmt.Errorf("new epoch: %w", err)
	}
	return max(binary.BigEndian.Uint64(b[:]), 1), nil
}
