package links

import "time"

// Budget is what a class of precedence may have of a link: so many bytes in a period. The zero value is no bound.
type Budget struct {
	Bytes  int
	Period time.Duration
}

// IsZero reports whether it bounds nothing.
func (b Budget) IsZero() bool { return b.Bytes <= 0 || b.Period <= 0 }

// AirTime is the budget of a share of a line's time, to be spent within an hour.
func (p Profile) AirTime(share float64) Budget {
	return Budget{Bytes: int(share * float64(p.BitsPerSecond) / 8 * time.Hour.Seconds()), Period: time.Hour}
}
