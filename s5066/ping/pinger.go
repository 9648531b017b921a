package ping

import "time"

// Round is one question and what became of it.
type Round struct {
	Number    uint32
	Sent      time.Time
	Confirmed time.Duration // until the node said that the other one has it; 0: it has not
	Answered  time.Duration // until the answer came; 0: none has
	Rejected  string        // why the node could not deliver it
}

// Done reports whether nothing more is to be expected: it was answered, or refused.
func (r Round) Done() bool { return r.Answered > 0 || r.Rejected != "" }

// Pinger keeps the rounds. Not safe for concurrent use.
type Pinger struct{ rounds []Round }

// Ask begins a round and gives its number, from 1.
func (p *Pinger) Ask(now time.Time) uint32 {
	n := uint32(len(p.rounds) + 1) //nolint:gosec // nobody asks so often
	p.rounds = append(p.rounds, Round{Number: n, Sent: now})
	return n
}

// Confirmed says that the other node has a question.
func (p *Pinger) Confirmed(now time.Time, number uint64) {
	if r := p.at(number); r != nil && r.Confirmed == 0 {
		r.Confirmed = now.Sub(r.Sent)
	}
}

// Rejected says why a question was not delivered.
func (p *Pinger) Rejected(number uint64, reason string) {
	if r := p.at(number); r != nil && !r.Done() {
		r.Rejected = reason
	}
}

// Heard takes a U_PDU and reports whether it ends a round.
func (p *Pinger) Heard(now time.Time, b []byte) bool {
	number, ok := ParseAnswer(b)
	if !ok {
		return false
	}
	r := p.at(uint64(number))
	if r == nil || r.Answered > 0 {
		return false
	}
	r.Answered = max(now.Sub(r.Sent), 1)
	return true
}

// Round is one of them.
func (p *Pinger) Round(number uint32) Round {
	if r := p.at(uint64(number)); r != nil {
		return *r
	}
	return Round{}
}

func (p *Pinger) at(number uint64) *Round {
	if number < 1 || number > uint64(len(p.rounds)) {
		return nil
	}
	return &p.rounds[number-1]
}

// Summary is of all rounds.
type Summary struct {
	Sent, Answered, Rejected int
	Least, Mean, Most        time.Duration
}

// Summary sums up.
func (p *Pinger) Summary() Summary {
	s := Summary{Sent: len(p.rounds)}
	var sum time.Duration
	for _, r := range p.rounds {
		if r.Rejected != "" {
			s.Rejected++
		}
		if r.Answered == 0 {
			continue
		}
		s.Answered++
		sum += r.Answered
		s.Most = max(s.Most, r.Answered)
		if s.Least == 0 || r.Answered < s.Least {
			s.Least = r.Answered
		}
	}
	if s.Answered > 0 {
		s.Mean = sum / time.Duration(s.Answered)
	}
	return s
}
