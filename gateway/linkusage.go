package gateway

import (
	"slices"
	"time"

	"sallyport/gateway/control"
	"sallyport/gateway/prom"
	"sallyport/gateway/spool"
	"sallyport/links"
)

// usageOf says what fills a link, with shares and air time.
func usageOf(st *links.Status) []control.LinkUse {
	var hour, day [2]uint64
	at := func(u links.Use) int {
		if u.Inbound {
			return 1
		}
		return 0
	}
	for _, u := range st.Usage {
		hour[at(u)] += u.Hour
		day[at(u)] += u.Day
	}
	air := func(bytes uint64) float64 { return st.Profile.Transmit(int(bytes)).Seconds() } //nolint:gosec // a day of a link
	var out []control.LinkUse
	for _, u := range st.Usage {
		out = append(out, control.LinkUse{
			Inbound: u.Inbound, Class: classOf(u), Content: u.Content.String(), Stanzas: u.Stanzas, Plain: u.Plain, Wire: u.Wire,
			Hour: u.Hour, Day: u.Day, HourShare: share(u.Hour, hour[at(u)]), DayShare: share(u.Day, day[at(u)]),
			HourAir: air(u.Hour), DayAir: air(u.Day),
		})
	}
	return out
}

func classOf(u links.Use) string {
	if u.Lane == links.NoLane {
		return ""
	}
	return spool.Class(u.Lane).String() //nolint:gosec // a lane
}

func share(part, whole uint64) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

// lossOf is nil where nobody measures it.
func lossOf(q links.Quality) *float64 {
	if !q.LossMeasured {
		return nil
	}
	return &q.Loss
}

// weighEvery is how often a scheduler hears how much compression saves on a link with budgets.
const weighEvery = time.Minute

// weigh tells it. Caller holds mu.
func (x *dispatcher) weigh(now time.Time) {
	if now.Sub(x.weighed) < weighEvery {
		return
	}
	x.weighed = now
	for i, b := range x.plan.bearers {
		z, ok := b.(zeroHandshake)
		if !ok || z.like.Budgets == [links.Lanes]links.Budget{} {
			continue
		}
		if t := z.Status().Traffic; t.Plain > 0 {
			x.sched.Weigh(i, max(1, int(1000-1000*t.Saved/int64(t.Plain)))) //nolint:gosec // bytes of a link
		}
	}
}

// budgetsOf says what classes may have of a link, and have had.
func (d *depot) budgetsOf(peer, link string) (out []control.LinkBudget) {
	d.mu.Lock()
	x := d.peers[peer]
	d.mu.Unlock()
	if x == nil {
		return nil
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	now := d.g.now()
	for _, s := range x.sched.Spent(now, slices.Index(x.plan.names, link)) {
		one := control.LinkBudget{Class: spool.Class(s.Class).String(), Bytes: s.Bytes, Period: s.Period.Seconds(), Left: s.Left}
		if !s.Opens.IsZero() {
			one.Waits, one.Reopened = true, s.Opens.Sub(now).Seconds()
		}
		out = append(out, one)
	}
	return out
}

// emitUsage tells what fills a link to who collects metrics.
func emitUsage(emit prom.Emit, st *links.Status) {
	for _, u := range st.Usage {
		direction := "out"
		if u.Inbound {
			direction = "in"
		}
		emit(prom.LinkContentBytes, float64(u.Wire), st.Name, direction, classOf(u), u.Content.String())
	}
	emit(prom.LinkSaved, float64(st.Traffic.Saved), st.Name, "compression")
	emit(prom.LinkSaved, float64(st.Folded), st.Name, "folding")
	if st.Quality.LossMeasured {
		emit(prom.LinkLoss, st.Quality.Loss, st.Name)
	}
	if st.Quality.RoundTrip > 0 {
		emit(prom.LinkRoundTrip, st.Quality.RoundTrip.Seconds(), st.Name)
	}
}
