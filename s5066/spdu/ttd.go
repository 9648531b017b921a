package spdu

import "time"

const (
	day     = 24 * time.Hour
	dayBits = 16
	ahead   = 7 // days
	back    = 8
)

// MaxTTD is the longest lifetime whose end can be told on the wire.
const MaxTTD = ahead*day - 2*time.Second

// TTD is a time to die as it crosses: day of the year modulo 16, and half the seconds of that day, both GMT. The zero value is none.
type TTD struct {
	Valid bool
	Day   uint8  // 0 to 15
	Half  uint16 // 0 to 43199
}

// DieAt is the TTD of a time, cut to the full two seconds above; none if that is more than MaxTTD after now, or not after now.
func DieAt(now, t time.Time) TTD {
	if !t.After(now) || t.Sub(now) > MaxTTD {
		return TTD{}
	}
	t = t.UTC().Add(2*time.Second - 1)
	return TTD{true, uint8(t.YearDay() % dayBits), uint16((t.Hour()*3600 + t.Minute()*60 + t.Second()) / 2)}
}

func (t TTD) possible() bool { return t.Day < dayBits && int(t.Half) < int(day/(2*time.Second)) }

// Time is the time that is meant, seen from now; false if there is none. Of the days that fit, the latest counts.
func (t TTD) Time(now time.Time) (time.Time, bool) {
	if !t.Valid || !t.possible() {
		return time.Time{}, false
	}
	today := now.UTC().Truncate(day)
	for d := ahead; d >= -back; d-- {
		at := today.Add(time.Duration(d) * day)
		if at.YearDay()%dayBits == int(t.Day) {
			return at.Add(time.Duration(t.Half) * 2 * time.Second), true
		}
	}
	return time.Time{}, false // across a new year some days are missing: as if it said nothing
}

// Dead reports whether the time is over by more than slack, by which the clocks of two nodes may differ.
func (t TTD) Dead(now time.Time, slack time.Duration) bool {
	at, ok := t.Time(now)
	return ok && now.After(at.Add(slack))
}
