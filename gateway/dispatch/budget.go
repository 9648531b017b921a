package dispatch

import (
	"time"

	"sallyport/links"
)

// budget is what one class has used of one link. What was used comes back evenly, so that after a period without traffic all of it is
// there again. What begins within the budget goes, however long it is; the next waits the longer.
type budget struct {
	links.Budget
	full time.Time // when all of it is there again
}

// longestDebt bounds for how long one item can use a budget up, in periods.
const longestDebt = 100

// open reports whether something of the class may go.
func (b *budget) open(now time.Time) bool { return b.IsZero() || !now.Before(b.opens()) }

// opens is when something may go again; the zero time where nothing was used.
func (b *budget) opens() time.Time {
	if b.full.IsZero() {
		return b.full
	}
	return b.full.Add(1 - b.Period)
}

func (b *budget) spend(now time.Time, bytes int) {
	if b.IsZero() {
		return
	}
	if b.full.Before(now) {
		b.full = now
	}
	b.full = b.full.Add(b.cost(bytes))
}

// refund gives back what was spent for something that was not sent.
func (b *budget) refund(bytes int) {
	if !b.full.IsZero() {
		b.full = b.full.Add(-b.cost(bytes))
	}
}

// cost is how long that many bytes take to come back.
func (b *budget) cost(bytes int) time.Duration {
	if b.IsZero() {
		return 0
	}
	return time.Duration(min(float64(bytes)/float64(b.Bytes), longestDebt) * float64(b.Period))
}

// left is how many bytes there are; below zero when the last was larger than what there was.
func (b *budget) left(now time.Time) int {
	if !b.full.After(now) {
		return b.Bytes
	}
	return b.Bytes - int(float64(b.full.Sub(now))/float64(b.Period)*float64(b.Bytes))
}

// Spending is how a class stands with its budget on a link.
type Spending struct {
	Class uint8
	links.Budget
	Left  int       // bytes; may be below 0
	Opens time.Time // when something may go again; zero: now
}

// Spent tells how the budgets of a link stand.
func (p *Peer) Spent(now time.Time, at int) (all []Spending) {
	if at < 0 || at >= len(p.links) {
		return nil
	}
	for class := range p.links[at].budgets {
		b := &p.links[at].budgets[class]
		if b.IsZero() {
			continue
		}
		s := Spending{Class: uint8(class), Budget: b.Budget, Left: b.left(now)} //nolint:gosec // a lane
		if !b.open(now) {
			s.Opens = b.opens()
		}
		all = append(all, s)
	}
	return all
}

// Weigh says how many thousandths of its bytes a stanza has on a link, by compression; 1000 when nobody says.
func (p *Peer) Weigh(at, thousandths int) {
	if at >= 0 && at < len(p.links) && thousandths > 0 {
		p.links[at].weight = thousandths
	}
}

// budgeted makes the budgets of a link. The highest class has none: flash never waits.
func budgeted(f *links.Profile) (out [links.Lanes]budget) {
	for class := range len(out) - 1 {
		out[class].Budget = f.Budgets[class]
	}
	return out
}

// pay takes from the budget what an item has on the link.
func (p *Peer) pay(it *item, l *link, now time.Time) {
	it.paid = it.Bytes * l.weight / 1000
	l.budgets[it.Lane].spend(now, it.paid)
}

// payBack is for what did not get to the wire.
func (p *Peer) payBack(it *item) {
	p.links[it.link].budgets[it.Lane].refund(it.paid)
	it.paid = 0
}
