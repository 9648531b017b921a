package links

import "time"

// Profile says what a link is like, so that timers, batching and traffic folding follow from it instead of from its kind.
// The zero value describes a fast, cheap, reliable network.
type Profile struct {
	// BitsPerSecond is the usable rate; 0 means that rate is no concern.
	BitsPerSecond int64
	// RoundTrip is the usual time from a question to its answer; 0 means a local network.
	RoundTrip time.Duration
	// Cost orders links that can reach the same neighbour; the lower is used first.
	Cost int
	// KeepAlive is how long the link may be silent before something is sent; 0 means never.
	KeepAlive time.Duration
	// Patience multiplies every protocol timer of the layers above; 0 means 1.
	Patience int
	// Compressed says that the carrier compresses, so that secret and hostile text must not share a context.
	Compressed bool
	// Thin asks the engine to fold presence and drop what only decorates.
	Thin bool
}

// Timeout stretches a protocol timer to the link.
func (p Profile) Timeout(base time.Duration) time.Duration {
	n := max(p.Patience, 1)
	return base*time.Duration(n) + 2*p.RoundTrip
}
