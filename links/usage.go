package links

import (
	"sync"
	"time"
)

// Use is what one direction, class and content had of a link.
type Use struct {
	Inbound bool
	Lane    int // class of precedence; NoLane where there is none
	Content Content
	Stanzas uint64
	Plain   uint64 // bytes before compression
	Wire    uint64 // bytes on the link; what came in counts with its framing
	Hour    uint64 // of Wire: in the last hour, to five minutes
	Day     uint64 // in the last day, to the hour
}

// NoLane is the lane of what has no class: everything without custody, and what is no stanza.
const NoLane = -1

// The ages that are told apart.
const (
	hourPart  = 5 * time.Minute
	hourParts = int(time.Hour / hourPart)
	dayPart   = time.Hour
	dayParts  = int(24 * time.Hour / dayPart)
)

// Usage adds up what fills a link. The zero value is ready; a nil one forgets everything. It is safe for concurrent use, and never
// calls anybody.
type Usage struct {
	mu    sync.Mutex
	cells [2][Lanes + 1][NumContents]cell
}

// cell is one direction, class and content.
type cell struct {
	stanzas, plain, wire uint64
	hour                 [hourParts]uint64 // rings
	day                  [dayParts]uint64
	newest               [2]int64 // part of each, counted since 1970
}

// Add takes that many bytes. Stanzas is how many they are of, 0 for more of the same; plain is what they were before compression.
func (u *Usage) Add(now time.Time, what Use) {
	if u == nil || what.Content >= NumContents || what.Lane < NoLane || what.Lane >= Lanes {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	c := &u.cells[way(what.Inbound)][what.Lane+1][what.Content]
	c.stanzas += what.Stanzas
	c.plain += what.Plain
	c.wire += what.Wire
	*roll(c.hour[:], &c.newest[0], now, hourPart) += what.Wire
	*roll(c.day[:], &c.newest[1], now, dayPart) += what.Wire
}

func way(inbound bool) int {
	if inbound {
		return 1
	}
	return 0
}

// roll empties the parts that have passed since the newest, and returns that of now. A clock that goes back adds to the newest.
func roll(parts []uint64, last *int64, now time.Time, each time.Duration) *uint64 {
	n := int64(len(parts))
	at := max(now.UnixNano()/int64(each), *last)
	for passed := max(*last+1, at-n+1); passed <= at; passed++ {
		parts[passed%n] = 0
	}
	*last = at
	return &parts[at%n]
}

// Tell returns everything that was ever used: what leaves first, without class first, in the order of the contents.
func (u *Usage) Tell(now time.Time) (all []Use) {
	if u == nil {
		return nil
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	for d := range u.cells {
		for lane := range u.cells[d] {
			for content := range u.cells[d][lane] {
				c := &u.cells[d][lane][content]
				if c.wire == 0 && c.stanzas == 0 {
					continue
				}
				roll(c.hour[:], &c.newest[0], now, hourPart)
				roll(c.day[:], &c.newest[1], now, dayPart)
				one := Use{
					Inbound: d == 1, Lane: lane - 1, Content: Content(content), Stanzas: c.stanzas, Plain: c.plain, Wire: c.wire, //nolint:gosec // one of them
				}
				for _, n := range c.hour {
					one.Hour += n
				}
				for _, n := range c.day {
					one.Day += n
				}
				all = append(all, one)
			}
		}
	}
	return all
}
