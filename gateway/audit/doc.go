// Package audit keeps the record of what the gateway decided: an append-only, hash-chained log, durable before
// anything is released.
//
// # In the room
//
//   - [Log]: records in segments of at most 64 MiB with group commit. [Log.Append] encodes and hashes a record and
//     returns at once; the committer writes and syncs a whole batch, then tells each [Committed], in sequence order.
//     What waits for Durable(nil) before it acts is never ahead of the log.
//   - [Head]: number and hash of the last durable record, signed each second and at close, kept in the log directory
//     and copied to every [HeadSink]. With a copy kept elsewhere, [Verify] proves that nothing is missing at the end.
//   - [Verify], [Read], [Archive], [Prune] for what has been written, [AppendTableRow] and [AppendJSON] to show it.
//
// # What it must never do
//
//   - Say that a record is durable when it is not. After one failed write or sync, or when the log is full, it has
//     failed for ever: every pending and later record gets the error, so that nothing more is released.
//   - Repair. A tail that was being written when the machine stopped is cut off, because nobody was told it was
//     durable; anything else that is wrong keeps [Open] from starting, and [Verify] names it.
//   - Lose, split or reorder records because of what they say: fields have caps, are stored raw with their lengths and
//     are escaped when shown. Sequence numbers order the log; time does not.
//
// # Form on disk
//
// A segment file "segment-00000001.audit" is a row of frames of package disk. Each payload is
//
//	hash (32) | sequence (8) | kind of entry (1) | entry
//
// where hash = SHA-256(hash before | sequence | kind | entry). The first entry of a segment is its header with the hash
// before, the first sequence, the node and the policy; all others are records. So an edited record does not match
// its own hash, one with a new hash does not match the next, and a rewritten rest does not match the signed head.
package audit

import "errors"

// ErrFailed says that a write or sync failed: what the disk holds is unknown, and the log takes no more records.
var ErrFailed = errors.New("audit log failed")

// ErrFull says that the log has reached its size limit and takes no more records.
var ErrFull = errors.New("audit log full")

// ErrClosed says that the log was closed.
var ErrClosed = errors.New("audit log closed")

// ErrDamaged says that an existing log is not what was written: Verify names where.
var ErrDamaged = errors.New("audit log damaged")
