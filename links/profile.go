package links

import "time"

// Profile says what a link is like, so that timers, batching and traffic folding follow from it instead of from its kind.
// The zero value describes a fast, cheap, reliable network.
type Profile struct {
	// BitsPerSecond is the usable rate; 0 means that rate is no concern.
	BitsPerSecond int64
	// RoundTrip is the usual time from a question to its answer; 0 means a local network.
	RoundTrip time.Duration
	// HalfDuplex says that only one end speaks at a time: acknowledgements wait for a turn of the line.
	HalfDuplex bool
	// Cost orders links that can reach the same neighbour; the lower is used first.
	Cost int
	// Windows are the times of day in which the link may be used; none is always.
	Windows []Window
	// KeepAlive is how long the link may be silent before something is sent; 0 means never.
	KeepAlive time.Duration
	// IdleClose is how long a carrier may be without traffic before it is closed; 0 means never.
	IdleClose time.Duration
	// Patience multiplies every protocol timer of the layers above; 0 means 1.
	Patience int
	// Budgets are what the classes of precedence may have of the link; that of the highest is not looked at.
	Budgets [Lanes]Budget
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

// Transmit is how long that many bytes occupy the line.
func (p Profile) Transmit(bytes int) time.Duration {
	if p.BitsPerSecond <= 0 {
		return 0
	}
	return time.Duration(float64(bytes) * 8 / float64(p.BitsPerSecond) * float64(time.Second))
}

// Bounds of what follows from a profile.
const (
	minWindowBytes = 64 << 10
	maxWindowBytes = 4 << 20
	handshakeBytes = 6 << 10 // of TLS with two certificates
	baseHandshake  = 10 * time.Second
	baseAnswer     = 30 * time.Second
	maxGather      = 2 * time.Second
)

// WindowBytes is how much may be written and unconfirmed: twice what fits on the line in a round trip, within bounds.
func (p Profile) WindowBytes() int {
	if p.BitsPerSecond <= 0 {
		return maxWindowBytes
	}
	return int(min(max(2*float64(p.BitsPerSecond)/8*p.RoundTrip.Seconds(), minWindowBytes), maxWindowBytes))
}

// HandshakeTimeout is for connecting, and again for the security of the carrier: a few round trips and a few kilobytes.
func (p Profile) HandshakeTimeout() time.Duration {
	return p.Timeout(baseHandshake) + 2*p.RoundTrip + 2*p.Transmit(handshakeBytes)
}

// AnswerTimeout is how long an acknowledgement of something may take when that many bytes stand before it on the line. After that the
// carrier is dead.
func (p Profile) AnswerTimeout(bytes int) time.Duration {
	d := p.Timeout(baseAnswer) + 2*p.Transmit(bytes)
	if p.HalfDuplex {
		d += p.Transmit(p.WindowBytes()) // the other end may be at its own
	}
	return d
}

// WriteTimeout is how long one write of that many bytes may take.
func (p Profile) WriteTimeout(bytes int) time.Duration {
	return p.Timeout(2*time.Minute) + 2*p.Transmit(bytes)
}

// Gather is how long small things may wait for company before they are written: what a tenth of a round trip costs nobody notices.
func (p Profile) Gather() time.Duration {
	if p.HalfDuplex {
		return min(max(p.RoundTrip/4, 0), maxGather)
	}
	return min(p.RoundTrip/10, maxGather)
}

// ackOnAir is what an acknowledgement takes when it travels alone: itself, TLS or DTLS, IP.
const ackOnAir = 100

// AckDelay is how long an acknowledgement may wait for more to acknowledge, or for something to travel with: a quarter of the round trip
// (half, where the line must turn for it), on a slow line until acknowledgements are a tenth of what it carries, never over two seconds.
// WindowBytes leaves room for it.
func (p Profile) AckDelay() time.Duration {
	d := p.RoundTrip / 4
	if p.HalfDuplex {
		d = p.RoundTrip / 2
	}
	return min(max(d, 10*p.Transmit(ackOnAir)), maxGather)
}

// RetryFirst and RetryMost bound the time between attempts to connect: a slow link is not asked again before its answer can be there.
func (p Profile) RetryFirst() time.Duration { return time.Second + p.RoundTrip }

// RetryMost is the longest wait between two attempts.
func (p Profile) RetryMost() time.Duration { return max(2*time.Minute, 4*p.HandshakeTimeout()) }
