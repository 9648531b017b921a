package c2s

// How many connections may be unauthenticated at a time, of one address (of IPv6: of one /64) and of all, where nothing else is said (bad-inputs D13).
const (
	MaxPending    = 50
	maxPendingAll = 20_000
)
