package spool

import "sallyport/internal/disk"

// batch collects records for one write. Its memory is reused.
type batch struct {
	data    []byte
	actions []action
}

// action is one record of a batch, and what happens once it is durable.
type action struct {
	record  recordKind
	start   int // of its frame in the data
	it      *item
	ended   []ending
	mark    *Mark
	passed  bool // ended holds a newcomer that passed away on arrival
	number  Number
	numbers []Number // of sending and returned
	forget  Mark     // of forget
	epoch   uint64   // of epoch
	done    func(Number, error)
}

// ending is an entry that ended in memory and ends on disk with the batch.
type ending struct {
	it  *item
	how Outcome
}

// Len implements disk.Batch.
func (b *batch) Len() int { return len(b.actions) }

// Reset implements disk.Batch.
func (b *batch) Reset() {
	clear(b.actions)
	b.data, b.actions = b.data[:0], b.actions[:0]
}

// begin begins a record; its checksum is made when the batch is written and its place in the file is known.
func (b *batch) put(r *Record, a action) {
	a.record, a.start = r.kind, len(b.data)
	b.data = AppendRecord(disk.BeginFrame(b.data), r)
	b.actions = append(b.actions, a)
}

// end is where the frame of action i ends.
func (b *batch) end(i int) int {
	if i+1 < len(b.actions) {
		return b.actions[i+1].start
	}
	return len(b.data)
}

// seal completes all frames for a batch that is written at an offset.
func (b *batch) seal(offset int64) {
	for i := range b.actions {
		disk.EndFrame(b.data[:b.end(i)], b.actions[i].start, uint32(offset))
	}
}
