package links

import (
	"fmt"
	"time"
)

const day = 24 * time.Hour

// Window is a part of the day, in UTC, in which a link may be used. The zero value is the whole day.
type Window struct {
	From, To time.Duration // since midnight; a To that is not after From lies in the next day
}

// ParseWindow reads "22:00-06:30".
func ParseWindow(text string) (Window, error) {
	var h1, m1, h2, m2 int
	if n, err := fmt.Sscanf(text, "%02d:%02d-%02d:%02d", &h1, &m1, &h2, &m2); n != 4 || err != nil || len(text) != len("22:00-06:30") {
		return Window{}, fmt.Errorf("links: %q is no window of time like 22:00-06:30", text)
	}
	for _, v := range []struct{ have, most int }{{h1, 23}, {h2, 23}, {m1, 59}, {m2, 59}} {
		if v.have < 0 || v.have > v.most {
			return Window{}, fmt.Errorf("links: %q is no window of time like 22:00-06:30", text)
		}
	}
	clock := func(h, m int) time.Duration { return time.Duration(h)*time.Hour + time.Duration(m)*time.Minute }
	return Window{clock(h1, m1), clock(h2, m2)}, nil
}

// String is the inverse of ParseWindow.
func (w Window) String() string {
	clock := func(d time.Duration) string { return fmt.Sprintf("%02d:%02d", d/time.Hour, d%time.Hour/time.Minute) }
	return clock(w.From) + "-" + clock(w.To)
}

// until returns how long the window is still open, 0 when it is not.
func (w Window) until(now time.Time) time.Duration {
	length := w.To - w.From
	if length <= 0 {
		length += day
	}
	if since := (sinceMidnight(now) - w.From + day) % day; since < length {
		return length - since
	}
	return 0
}

func sinceMidnight(t time.Time) time.Duration {
	t = t.UTC()
	return t.Sub(time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC))
}

// Open reports whether the link may be used now, and when to ask again: the zero time is never.
func (p Profile) Open(now time.Time) (open bool, again time.Time) {
	if len(p.Windows) == 0 {
		return true, time.Time{}
	}
	wait := day
	for _, w := range p.Windows {
		if left := w.until(now); left > 0 {
			return true, now.Add(left)
		}
		wait = min(wait, (w.From-sinceMidnight(now)+day)%day)
	}
	return false, now.Add(wait)
}
