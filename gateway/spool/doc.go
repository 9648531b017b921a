// Package spool keeps what was accepted and cannot leave yet: a durable queue per peer, in lanes of precedence, that
// survives kill -9, power loss, a full disk and a failing one.
//
// # In the room
//
//   - [Queue], the pure core: lanes, budgets, lifetimes, coalescing, the rule of one link per lane, the poison rule. It has
//     no clock, no lock and no I/O.
//   - [Spool], the queue with its log: [Spool.Append] numbers an entry and returns at once; the committer makes a whole
//     batch durable with one sync and then tells each, in order. Only what is durable is handed out by [Spool.Next].
//   - Marks: how far each peer's numbered entries have come in. A mark is in the same frame as the entry or the refusal it
//     belongs to, so that "acknowledged" and "committed" are the same event. [ErrRepeated] is the answer to a repetition.
//   - Recovery from any bytes ([Open]): what is damaged is isolated and said in words, everything else is delivered.
//
// # What it must never do
//
//   - Say that an entry is durable when it is not. After one failed sync the spool has stopped for ever: nothing is
//     accepted and nothing handed out until a new process has recovered from the disk.
//   - Accept beyond its budgets or a full disk. It refuses new work and keeps what it has.
//   - Hand out stored bytes as something that may leave. [Entry.Stored] is evidence; peering.Rejudge makes a release of it.
//   - Merge a copy into an earlier entry when something of the same conversation lies in between, or into one that was ever
//     handed out: the far side may hold it, and would drop the newcomer with the repetition. While an entry takes copies in
//     it is not handed out, so that one window is the price of a merge.
//   - Hand out an entry of a lane while a later one is under way, or two links entries of the same lane: the receiver's
//     rule would take what comes late for a repetition.
//
// # Form on disk
//
// A segment "segment-00000001.spool" is a row of frames of package disk. Its first frame is a header (life of the log,
// epoch, number of the segment, next entry number), followed by all marks, so that older segments are needed only for the
// entries that live in them. Then: entries, ends of entries, "sending" before the first write to a neighbour that does
// not confirm durably, "returned", marks of refusals, recipients merged into an entry, epochs forgotten. Segments are
// removed from the oldest on, once nothing in them is alive; few survivors are moved to the newest segment.
//
// The end of an entry (delivered, bounced …) is written lazily with the next batch. When that of a delivered one is lost in
// a crash, a peer with custody drops the repetition by its mark, and for any other the "sending" frame turns it into "in
// doubt". What ended otherwise would hide behind the mark of what was sent after it: its lane waits until the end is on disk.
//
// Not in the room: links and who is connected (gateway), judging again (peering), what a sender is told.
package spool

import (
	"errors"
	"fmt"
)

// What can go wrong. Callers treat them differently, see each.
var (
	// ErrStopped: a write or sync failed, or an earlier one did. Whether the entry is on disk is not known: neither
	// acknowledge it nor tell its sender that it failed.
	ErrStopped = errors.New("spool stopped")
	// ErrClosed: the spool was closed. The entry was not taken.
	ErrClosed = errors.New("spool closed")
	// ErrRepeated: the mark says that this was taken before. Acknowledge it when Marks says so, and do nothing else.
	ErrRepeated = errors.New("repetition of what was taken before")
	// ErrEpoch: the mark is of an epoch that the peer has not said (see Greeted), or no longer has.
	ErrEpoch = errors.New("mark of another epoch than the peer is known by")
	// ErrEntry: the entry cannot be stored as it is.
	ErrEntry = errors.New("not an entry")
	// ErrFull is what every FullError is.
	ErrFull = errors.New("spool full")
	// ErrUnknown: there is no such entry, or it is not in the state for this.
	ErrUnknown = errors.New("no such entry in the spool")
	// ErrRolledBack: a peer holds numbers that this spool never issued, so the directory is an old copy of itself: see Renew.
	ErrRolledBack = errors.New("the peer holds numbers that this spool never issued")
)

// FullError says which budget is used up. The entry was not taken.
type FullError struct {
	What        string // "disk", "buffer", "spool" or "peer"
	Peer        string
	Have, Limit int64
}

// Error says it in words for the log.
func (e *FullError) Error() string {
	if e.What == "disk" {
		return "spool full: the disk has no room"
	}
	return fmt.Sprintf("spool full: %s (to %s): %d of %d", e.What, e.Peer, e.Have, e.Limit)
}

// Is makes every FullError an ErrFull.
func (e *FullError) Is(target error) bool { return target == ErrFull }
