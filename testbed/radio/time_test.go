package radio_test

import "time"

// deadline is what a part of a simulation has as Deadline.
type deadline = func() (time.Time, bool)

// next is the virtual time at which the first of all parts has something to do, at most end. It does not go back.
func next(now, end time.Time, due []deadline) time.Time {
	first := end
	for _, d := range due {
		if at, ok := d(); ok && at.Before(first) {
			first = at
		}
	}
	if first.Before(now) {
		return now
	}
	return first
}
