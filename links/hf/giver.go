package hf

import (
	"time"

	"sallyport/links"
)

const (
	unitTime  = 15 * time.Second // of the line: no U_PDU takes longer than that, if it can be helped
	minUnit   = 200              // bytes; below, headers weigh more than what they carry
	nodeTime  = 45 * time.Second // of the line that a class may have at the node
	maxAtNode = 64 << 10
	maxTTL    = 15 * 24 * time.Hour
	shortLife = time.Hour
)

// giver bounds what the node holds of each class, so that flash never waits behind what was submitted long before it.
type giver struct {
	profile links.Profile
	mtu     int
	most    int // bytes of a class that may be at the node
	held    [links.Lanes]int
	count   [links.Lanes]int
	given   map[uint64]grant
	last    uint64
}

type grant struct {
	lane  uint8
	bytes int
	until time.Time // of what is not confirmed: when it will have been sent
}

// size says what the node takes, and follows from that what is given.
func (g *giver) size(mtu int) {
	g.mtu, g.most = mtu, maxAtNode
	if r := g.profile.BitsPerSecond; r > 0 {
		g.mtu = min(mtu, max(minUnit, int(float64(r)/8*unitTime.Seconds())))
		g.most = min(maxAtNode, max(2*g.mtu, int(float64(r)/8*nodeTime.Seconds())))
	}
	g.reset()
}

func (g *giver) reset() {
	g.held, g.count, g.given = [links.Lanes]int{}, [links.Lanes]int{}, make(map[uint64]grant)
}

// may reports whether that many bytes of a class may be submitted.
func (g *giver) may(lane uint8, bytes int) bool {
	return g.mtu > 0 && (g.count[lane] == 0 || g.held[lane]+bytes <= g.most)
}

// idle reports that the node has nothing of the class.
func (g *giver) idle(lane uint8) bool { return g.count[lane] == 0 }

// give notes a U_PDU and returns its id. until is zero where the node will tell.
func (g *giver) give(lane uint8, bytes int, until time.Time) uint64 {
	g.last++
	g.given[g.last] = grant{lane, bytes, until}
	g.held[lane] += bytes
	g.count[lane]++
	return g.last
}

// done takes it away again; false when it is not known.
func (g *giver) done(id uint64) bool {
	x, ok := g.given[id]
	if ok {
		delete(g.given, id)
		g.held[x.lane] -= x.bytes
		g.count[x.lane]--
	}
	return ok
}

// pass lets go of what has been sent by now without a word.
func (g *giver) pass(now time.Time) {
	for id, x := range g.given {
		if !x.until.IsZero() && !now.Before(x.until) {
			g.done(id)
		}
	}
}

// deadline is when pass has something to do.
func (g *giver) deadline() (at time.Time) {
	for _, x := range g.given {
		at = sooner(at, x.until)
	}
	return at
}

// airtime is how long unconfirmed bytes are on their way, sent that often.
func (g *giver) airtime(bytes, times int) time.Duration {
	return g.profile.Transmit(bytes*times) + g.profile.RoundTrip/2 + time.Second
}

// shortTTL is the same under custody, where the frame says when it expires: the node is told only of what it may have to drop itself, since
// a time to die goes along over the air. More of it than nodeTime does not lie there.
func shortTTL(now, expires time.Time) time.Duration {
	if expires.Sub(now) > shortLife {
		return 0
	}
	return ttl(now, expires)
}

// ttl is the time to live of what expires then.
func ttl(now, expires time.Time) time.Duration {
	if expires.IsZero() || expires.Sub(now) > maxTTL {
		return 0
	}
	return max(expires.Sub(now), 2*time.Second)
}
