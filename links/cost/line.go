package cost

import (
	"slices"
	"time"

	"sallyport/links"
)

// job is one thing that wants to go over the line.
type job struct {
	ready time.Time
	since time.Time // of an acknowledgement: when there was something to acknowledge
	dir   Direction
	lane  uint8
	ack   bool
	bytes int32
}

// line is a pair of transmitters, or one that both ends share. The highest lane goes first; what has begun is finished.
type line struct {
	jobs []job
}

func (l *line) arrive(j job) { l.jobs = append(l.jobs, j) }

// maxTurn bounds how long one end of a half-duplex line speaks while the other waits, in turnarounds.
const maxTurn = 8

// transmitter serves one direction, or both.
type transmitter struct {
	both    bool
	free    time.Time
	todo    []job // not yet there, in order of time
	acks    []job // the same
	waiting [2][links.Lanes + 1][]job
	count   int
	speaks  Direction
	since   time.Time // when it began to speak
	bytes   int64
}

// drain plays everything. It fills in what the report has of time.
func (l *line) drain(p *links.Profile, ack int, r *Report) {
	slices.SortStableFunc(l.jobs, func(a, b job) int { return a.ready.Compare(b.ready) })
	servers := []*transmitter{{}, {}}
	if p.HalfDuplex {
		servers = []*transmitter{{both: true}}
	}
	of := func(d Direction) *transmitter { return servers[min(int(d), len(servers)-1)] }
	for _, j := range l.jobs {
		of(j.dir).todo = append(of(j.dir).todo, j)
	}
	for {
		var next *transmitter
		var at time.Time
		for _, s := range servers {
			if t, ok := s.start(); ok && (next == nil || t.Before(at)) {
				next, at = s, t
			}
		}
		if next == nil {
			return
		}
		j, done := next.serve(p, at, r)
		if ack > 0 && !j.ack {
			of(1-j.dir).acknowledge(p, done, 1-j.dir, ack)
		}
	}
}

// start is when the transmitter can begin the next job.
func (s *transmitter) start() (at time.Time, ok bool) {
	if s.count > 0 {
		return s.free, true
	}
	for _, list := range [2][]job{s.todo, s.acks} {
		if len(list) > 0 && (!ok || list[0].ready.Before(at)) {
			at, ok = list[0].ready, true
		}
	}
	if ok && at.Before(s.free) {
		at = s.free
	}
	return at, ok
}

// admit takes what has come until now into the lanes; acknowledgements have one of their own above all.
func (s *transmitter) admit(now time.Time, r *Report) {
	for len(s.todo) > 0 && !s.todo[0].ready.After(now) {
		j := s.todo[0]
		s.todo = s.todo[1:]
		s.waiting[j.dir][j.lane] = append(s.waiting[j.dir][j.lane], j)
		s.count++
		s.bytes += int64(j.bytes)
	}
	for len(s.acks) > 0 && !s.acks[0].ready.After(now) {
		j := s.acks[0]
		s.acks = s.acks[1:]
		s.waiting[j.dir][links.Lanes] = append(s.waiting[j.dir][links.Lanes], j)
		s.count++
		s.bytes += int64(j.bytes)
	}
	r.Queue = max(r.Queue, s.bytes)
}

// serve sends one job and returns it with the time when the far end has it.
func (s *transmitter) serve(p *links.Profile, now time.Time, r *Report) (job, time.Time) {
	if open, again := p.Open(now); !open && !again.IsZero() {
		now = again
	}
	s.admit(now, r)
	now = s.turn(p, now, r)
	j := s.take()
	air := p.Transmit(int(j.bytes))
	s.free = now.Add(air)
	s.bytes -= int64(j.bytes)
	arrived := s.free.Add(p.RoundTrip / 2)
	r.Air[j.dir] += air
	r.Bytes[j.dir] += int64(j.bytes)
	if !j.ack {
		s.company(j.dir, now)
	}
	if j.ack {
		r.Acks += int64(j.bytes)
		r.AckAir += air
	} else {
		c := &r.Classes[j.lane]
		c.Air += air
		c.waits = append(c.waits, arrived.Sub(j.ready))
	}
	if s.free.After(r.Drained) {
		r.Drained = s.free
	}
	return j, arrived
}

// turn changes who speaks on a half-duplex line, where the one who does has nothing left or has spoken long enough. That takes half a
// round trip.
func (s *transmitter) turn(p *links.Profile, now time.Time, r *Report) time.Time {
	if !s.both {
		s.speaks = s.any()
		return now
	}
	if s.since.IsZero() {
		s.speaks, s.since = s.any(), now
	}
	turnaround := p.RoundTrip / 2
	long := now.Sub(s.since) > maxTurn*max(turnaround, time.Second)
	if s.has(s.speaks) && (!long || !s.has(1-s.speaks)) {
		return now
	}
	s.speaks = 1 - s.speaks
	r.Turns++
	now = now.Add(turnaround)
	s.since = now
	return now
}

func (s *transmitter) any() Direction {
	if s.has(Out) {
		return Out
	}
	return In
}

func (s *transmitter) has(d Direction) bool {
	return slices.ContainsFunc(s.waiting[d][:], func(q []job) bool { return len(q) > 0 })
}

// take removes the first of the highest lane of who speaks.
func (s *transmitter) take() job {
	lanes := &s.waiting[s.speaks]
	for lane := len(lanes) - 1; lane >= 0; lane-- {
		if q := lanes[lane]; len(q) > 0 {
			lanes[lane] = q[1:]
			s.count--
			return q[0]
		}
	}
	return job{} // cannot be: start has said that there is one
}

// company lets an acknowledgement that waits travel with what goes now.
func (s *transmitter) company(d Direction, now time.Time) {
	for i := range s.acks {
		if a := &s.acks[i]; a.dir == d && a.ready.After(now) && !a.since.After(now) {
			a.ready = now
		}
	}
	slices.SortStableFunc(s.acks, func(a, b job) int { return a.ready.Compare(b.ready) })
}

// acknowledge orders one acknowledgement for everything that arrives while it waits.
func (s *transmitter) acknowledge(p *links.Profile, at time.Time, d Direction, bytes int) {
	if len(s.waiting[d][links.Lanes]) > 0 || slices.ContainsFunc(s.acks, func(j job) bool { return j.dir == d }) {
		return
	}
	s.acks = append(s.acks, job{ready: at.Add(p.AckDelay()), since: at, dir: d, ack: true, bytes: int32(min(bytes, 1<<20))}) //nolint:gosec // bounded
	slices.SortStableFunc(s.acks, func(a, b job) int { return a.ready.Compare(b.ready) })
}
