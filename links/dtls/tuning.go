package dtls

import (
	"time"

	"sallyport/links"
)

// Bounds of what follows from a profile.
const (
	// payloadMTU is an SCTP packet that fits, with DTLS, UDP and IPv6, into the 1,280 bytes that every IPv6 path carries (RFC 8200 §5).
	payloadMTU   = 1180
	handshakeMTU = 1180
	// replayWindow is in records: paths of several links reorder by far more than the customary 64.
	replayWindow   = 1024
	minFlight      = 250 * time.Millisecond
	minRTOMax      = 3 * time.Second
	minRecvBuffer  = 256 << 10
	maxRecvBuffer  = 1 << 20
	flightBytes    = 4 << 10
	minLaneBuffer  = 32 << 10
	minDatagramRTT = 100 * time.Millisecond
	// Floors of the congestion window: ten packets, as connections may begin with (RFC 6928), where rate is no concern; two, so that an
	// acknowledgement is never delayed for want of a second packet, where there is one.
	floorOpen = 10 * payloadMTU
	floorThin = 2 * payloadMTU
	// growTrip is the round trip at which the congestion window grows by one packet a round trip, as RFC 9260 §7.2.2 has it. Over a longer
	// one it grows by as many as the shorter trips that fit, so that a satellite's line is found sooner: by one packet in 600 ms, half of
	// 2 Mbit/s takes 38 s to regain. maxGrow bounds that.
	growTrip = 50 * time.Millisecond
	maxGrow  = 16
)

// tuning is how pion's layers are set for a link. Everything is derived from the profile, nothing from the kind of link.
type tuning struct {
	flight     time.Duration // until an unanswered flight of the handshake is sent again, the first time
	rtoMax     time.Duration // the longest SCTP waits before it sends again (RFC 9260 §6.3.1 RTO.Max)
	recvBuffer int           // bytes received and not yet read, of all lanes
	minWindow  int           // floor of the congestion window, in bytes
	grow       int           // by which it grows in a round trip without loss, in bytes
	laneBuffer int           // bytes of one lane given to SCTP and not yet acknowledged
	pace       time.Duration // between challenges of a new address
	heartbeat  time.Duration // of silence, before one is sent; 0: never
	doubt      time.Duration // without any answer, after which another association is tried beside it
	patience   time.Duration // without any answer, after which the neighbour is gone
	handshake  time.Duration // until the association is established
}

// tune derives the settings. pion's SCTP goes down to one packet after a timeout, and stays there while it recovers what was lost, with an
// acknowledgement delayed by 200 ms for each: the floor of its window decides what lossy links are like. A rate in the profile says that
// the link is ours up to that rate: then the window never falls below half of what fills the path, whatever is lost.
func tune(p links.Profile, limits Limits, lanes int) tuning {
	trip := max(p.RoundTrip, minDatagramRTT)
	t := tuning{
		flight:     max(trip*3/2+p.Transmit(flightBytes), minFlight),
		rtoMax:     max(4*trip+2*p.Transmit(payloadMTU), minRTOMax),
		recvBuffer: min(max(p.WindowBytes(), minRecvBuffer), maxRecvBuffer),
		laneBuffer: max(min(p.WindowBytes(), maxRecvBuffer)/max(lanes, 1), minLaneBuffer),
		pace:       2 * trip,
		heartbeat:  p.KeepAlive,
		patience:   p.AnswerTimeout(p.WindowBytes()),
		handshake:  max(p.HandshakeTimeout(), limits.Handshake),
	}
	// One loss is no reason: SCTP has sent again by then, and could have been answered.
	t.doubt = t.rtoMax + 2*trip + 2*p.Transmit(p.WindowBytes())
	if p.HalfDuplex {
		t.doubt += p.Transmit(p.WindowBytes()) // the other end may be at its own
	}
	t.minWindow = floorOpen
	t.grow = payloadMTU * min(max(int(trip/growTrip), 1), maxGrow)
	if p.BitsPerSecond > 0 {
		t.minWindow = min(max(int(float64(p.BitsPerSecond)/8*trip.Seconds()/2), floorThin), maxRecvBuffer)
	}
	return t
}
