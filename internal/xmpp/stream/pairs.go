package stream

import "time"

// proof is one pair in one direction, proven or being proven.
type proof struct {
	Pair
	valid        bool
	method       Method
	remoteProven bool
	deadline     time.Time // of a pending proof
}

// pairs is at most MaxPairs proofs; the last one found is tried first, because
// stanzas come in runs.
type pairs struct {
	list []proof
	last int
}

// find compares domains, so that full addresses need no new value.
func (p *pairs) find(local, remote string) *proof {
	if p.last < len(p.list) {
		if q := &p.list[p.last]; q.Remote.Domain() == remote && q.Local.Domain() == local {
			return q
		}
	}
	for i := range p.list {
		if q := &p.list[i]; q.Remote.Domain() == remote && q.Local.Domain() == local {
			p.last = i
			return q
		}
	}
	return nil
}

func (p *pairs) get(pair Pair) *proof { return p.find(pair.Local.Domain(), pair.Remote.Domain()) }

// fromRemote finds any proven pair of this remote domain.
func (p *pairs) fromRemote(remote string) *proof {
	for i := range p.list {
		if q := &p.list[i]; q.valid && q.Remote.Domain() == remote {
			return q
		}
	}
	return nil
}

func (p *pairs) add(q proof) *proof {
	p.list = append(p.list, q)
	return &p.list[len(p.list)-1]
}

func (p *pairs) remove(pair Pair) {
	for i := range p.list {
		if p.list[i].Pair == pair {
			p.list = append(p.list[:i], p.list[i+1:]...)
			p.last = 0
			return
		}
	}
}

func (p *pairs) proven() int { return len(p.list) - p.asked() }

func (p *pairs) asked() int {
	n := 0
	for i := range p.list {
		if !p.list[i].valid {
			n++
		}
	}
	return n
}

// deadline is the earliest end of a pending proof.
func (p *pairs) deadline() time.Time {
	var next time.Time
	for i := range p.list {
		if q := &p.list[i]; !q.valid && (next.IsZero() || q.deadline.Before(next)) {
			next = q.deadline
		}
	}
	return next
}

// expired returns the pending pairs whose time is over.
func (p *pairs) expired(now time.Time) []Pair {
	var gone []Pair
	for i := range p.list {
		if q := &p.list[i]; !q.valid && !now.Before(q.deadline) {
			gone = append(gone, q.Pair)
		}
	}
	return gone
}

// list of one direction.
func (m *Machine) pairs(d Direction) *pairs {
	if d == Inbound {
		return &m.in
	}
	return &m.out
}

// authorise is the only way to a proven pair: by EXTERNAL, by a certificate, or by a verified key.
func (m *Machine) authorise(d Direction, p Pair, method Method) {
	certain := method.ByCertificate()
	if d == Outbound { // the method proved us; what proves the remote is its certificate
		certain = m.proves(p.Remote)
	}
	opens := m.role == Responder && d == Inbound && !m.ready
	m.grant(d, p, method, certain)
	m.reverse(d, p, method)
	if opens {
		m.open()
	}
}

func (m *Machine) grant(d Direction, p Pair, method Method, remoteProven bool) {
	q := m.pairs(d).get(p)
	if q == nil {
		q = m.pairs(d).add(proof{Pair: p})
	} else if q.valid {
		return
	}
	q.valid, q.method, q.remoteProven, q.deadline = true, method, remoteProven, zeroTime
	m.announce(d, q)
}

var zeroTime time.Time

// firstProven is the pair that was proven first, or nil.
func (p *pairs) firstProven() *proof {
	for i := range p.list {
		if p.list[i].valid {
			return &p.list[i]
		}
	}
	return nil
}
