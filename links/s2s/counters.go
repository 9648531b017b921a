package s2s

import "sync/atomic"

// Counters count since the link was made. Read them with Load; they only grow.
type Counters struct {
	Accepted      atomic.Uint64 // connections taken
	RefusedSource atomic.Uint64 // connections refused for their address's limit (D13)
	Dialled       atomic.Uint64 // streams opened by us
	DialFailed    atomic.Uint64
	Established   atomic.Uint64 // streams that got to Ready
	Closed        atomic.Uint64
	Lost          atomic.Uint64 // of these: without an orderly close
	AuthFailed    atomic.Uint64
	TLSFailed     atomic.Uint64
	StreamErrors  atomic.Uint64 // stream errors, ours and theirs
	Unsolicited   atomic.Uint64 // dialback answers nobody asked for (G01, G02)
	Spoofed       atomic.Uint64 // dialback keys that the domain's own server denied
	Verified      atomic.Uint64 // dialback keys that it confirmed
	StanzasIn     atomic.Uint64
	StanzasOut    atomic.Uint64
	BytesIn       atomic.Uint64 // of stanzas, as on the wire
	BytesOut      atomic.Uint64
	BadStanzas    atomic.Uint64 // malformed but addressable
	Oversize      atomic.Uint64
	NotHosted     atomic.Uint64
	Delivered     atomic.Uint64 // reports by disposition
	Failed        atomic.Uint64
	InDoubt       atomic.Uint64
	Expired       atomic.Uint64
	Resent        atomic.Uint64 // written again after a loss
	Resumed       atomic.Uint64 // sessions resumed
	Pings         atomic.Uint64 // sent for confirmation
	Revoked       atomic.Uint64 // streams closed because their proof was gone
}
