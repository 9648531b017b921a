package node

import "time"

// clock is the time of a node whose channel may run faster than the wall clock. It does not go back, and neither jumps when the speed changes.
type clock struct {
	real  time.Time
	told  time.Time
	speed float64
}

func newClock(now time.Time) clock { return clock{now, now, 1} }

// at is the node's time at a time of the wall clock.
func (c *clock) at(now time.Time) time.Time {
	return c.told.Add(time.Duration(float64(now.Sub(c.real)) * c.speed))
}

// until is how long the wall clock takes to a time of the node.
func (c *clock) until(now, t time.Time) time.Duration {
	return time.Duration(float64(t.Sub(c.at(now)))/c.speed) + time.Microsecond // rounded up, so that it is not woken just before
}

func (c *clock) setSpeed(now time.Time, speed float64) {
	c.real, c.told, c.speed = now, c.at(now), speed
}
