package spool

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"io"
	"time"
)

// Limits and defaults of Options.
const (
	MaxSegmentBytes     = 64 << 20
	minSegmentBytes     = 4 << 10
	defaultSegmentBytes = 16 << 20
	defaultBufferBytes  = 16 << 20
	defaultCacheBytes   = 64 << 20
	defaultLinger       = 50 * time.Microsecond
	// retryFull is how long a full disk is left alone before it is tried again.
	retryFull = time.Second
)

// Options say how to open a spool. The zero value of each field is its default.
type Options struct {
	Limits       Limits
	SegmentBytes int64         // 16 MiB, at most MaxSegmentBytes
	BufferBytes  int           // that may wait to be written; 16 MiB
	CacheBytes   int64         // of stored entries that are kept in memory as well; 64 MiB, negative for none
	Linger       time.Duration // see disk.Group; 50 µs, which cost nothing where 64 wait, and halve the syncs

	// Settled hears how each entry ended, in order, once that is durable, so that what has to follow (audit record,
	// bounce) never runs ahead of the disk. Ready hears that there is something to hand out for a peer. Both are called
	// by the committer and must not block; they may call the spool.
	Settled func(Entry, Outcome)
	Ready   func(peer string)

	// Stepped starts no goroutine: nothing becomes durable but by Step. For simulations.
	Stepped bool
	Clock   func() time.Time // time.Now
	Random  io.Reader        // of epochs; crypto/rand
}

func (o Options) withDefaults() (Options, error) {
	o.SegmentBytes = cmp.Or(o.SegmentBytes, defaultSegmentBytes)
	o.BufferBytes = cmp.Or(o.BufferBytes, defaultBufferBytes)
	o.CacheBytes = cmp.Or(o.CacheBytes, defaultCacheBytes)
	o.Linger = cmp.Or(o.Linger, defaultLinger)
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	l := o.Limits
	switch {
	case o.SegmentBytes < minSegmentBytes || o.SegmentBytes > MaxSegmentBytes:
		return o, fmt.Errorf("segment size must be %d to %d bytes", minSegmentBytes, MaxSegmentBytes)
	case l.Bytes < 0 || l.PeerBytes < 0 || l.Entries < 0 || l.PeerEntries < 0 || l.MergeWindow < 0 || l.PoisonAfter < 0 ||
		o.BufferBytes < 0 || o.Linger < 0:
		return o, fmt.Errorf("negative limit")
	}
	return o, nil
}
