package spool_test

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"sallyport/gateway/spool"
	"sallyport/internal/disk"
	"sallyport/internal/disk/faulty"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
)

var (
	local  = jid.MustParse("a.example")
	remote = jid.MustParse("b.example")
	noon   = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
)

// entry is a message for a peer; Conversation is how the tests know it again.
func entry(peer string, id int) spool.Entry {
	return spool.Entry{
		Peer: peer, Local: local, Remote: remote, Kind: stanza.Message, Conversation: uint64(id),
		Stored: fmt.Appendf(nil, "message %d %s", id, strings.Repeat(".", id%200)),
	}
}

// bed is a stepped spool on a disk in memory, with a clock that stands still.
type bed struct {
	t     testing.TB
	fs    *faulty.FS
	now   time.Time
	s     *spool.Spool
	r     spool.Recovered
	opts  spool.Options
	ended []string
}

func newBed(t testing.TB, opts spool.Options) *bed {
	t.Helper()
	b := &bed{t: t, fs: faulty.New(), now: noon, opts: opts}
	b.open()
	return b
}

func (b *bed) open() {
	b.t.Helper()
	if err := b.tryOpen(); err != nil {
		b.t.Fatal(err)
	}
}

// tryOpen starts anew on the same disk, as after kill -9.
func (b *bed) tryOpen() (err error) {
	o := b.opts
	o.Stepped, o.Clock = true, func() time.Time { return b.now }
	o.Settled = func(e spool.Entry, how spool.Outcome) {
		b.ended = append(b.ended, fmt.Sprintf("%d %s", e.Conversation, how))
	}
	b.s, b.r, err = spool.Open(unlocked{b.fs}, o)
	return err
}

// put appends an entry and commits it.
func (b *bed) put(e spool.Entry) spool.Number {
	b.t.Helper()
	var number spool.Number
	err := b.s.Append(e, func(n spool.Number, err error) {
		if err != nil {
			b.t.Errorf("not durable: %v", err)
		}
		number = n
	})
	if err != nil {
		b.t.Fatalf("append: %v", err)
	}
	b.s.Step()
	return number
}

// next hands out one entry, 0 when there is none.
func (b *bed) next(peer string) int {
	e, ok := b.s.Next(peer, "link", b.now)
	if !ok {
		return 0
	}
	if want := entry(peer, int(e.Conversation)).Stored; string(e.Stored) != string(want) {
		b.t.Errorf("entry %d holds %q", e.Number, e.Stored)
	}
	return int(e.Conversation)
}

// all hands out everything.
func (b *bed) all(peer string) (ids []int) {
	for id := b.next(peer); id != 0; id = b.next(peer) {
		ids = append(ids, id)
	}
	return ids
}

// unlocked keeps no lock: a killed process leaves none behind.
type unlocked struct{ disk.FS }

type noLock struct{}

func (noLock) Close() error { return nil }

func (unlocked) Lock(string) (io.Closer, error) { return noLock{}, nil }
