package spool

import (
	"fmt"

	"sallyport/internal/disk"
)

// replay is what the records of all segments, read in order, come to.
type replay struct {
	header   bool
	epoch    uint64
	next     Number
	alive    map[Number]*item
	finished numberSet
	marks    marks
	twice    int // entries that were there before
}

func newReplay() *replay {
	return &replay{next: 1, alive: map[Number]*item{}, finished: numberSet{}, marks: marks{}}
}

// segment applies all records of one file. It returns what in it is no record, in words, and where the last batch begins.
func (p *replay) segment(number uint64, data []byte, last bool) (found disk.Found, damage []Damage, batch int64) {
	name := segments.Name(number)
	visit := func(at int64, f disk.Frame) {
		batch = int64(f.Mark)
		size := int64(disk.FrameHeaderBytes + len(f.Payload))
		r, err := ParseRecord(f.Payload)
		if err != nil {
			damage = append(damage, Damage{name, at, at + size, err.Error()})
			return
		}
		p.apply(&r, place{number, at, int32(size)})
	}
	if last {
		found = disk.Scan(data, visit)
	} else {
		found = disk.ScanRest(data, 0, visit)
	}
	for _, g := range found.Gaps {
		damage = append(damage, Damage{name, g.From, g.To, fmt.Sprintf("%d bytes are no record; what was in them is lost", g.To-g.From)})
	}
	return found, damage, min(batch, found.End)
}

func (p *replay) apply(r *Record, at place) {
	switch r.kind {
	case noRecord, numRecords:
	case headerRecord:
		if at.at != 0 || r.header.Segment != at.segment {
			return // anywhere else it says nothing of this file
		}
		p.header, p.epoch = true, r.header.Epoch
		p.next = max(p.next, r.header.Next)
	case entryRecord:
		p.entry(r, at)
	case endRecord:
		p.ends(r.ends)
	case sendingRecord, returnedRecord:
		for _, n := range r.numbers {
			p.saw(n)
			if it := p.alive[n]; it != nil {
				it.Sending = r.kind == sendingRecord
				if it.Sending {
					it.Attempts++
				}
			}
		}
	case markRecord:
		p.marks.commit(&r.mark)
	case mergeRecord:
		p.merge(r)
	case forgetRecord:
		p.marks.keep(r.mark.Peer, r.mark.Epoch)
	case epochRecord:
		p.epoch = r.header.Epoch
		p.next = max(p.next, r.header.Next)
	}
}

func (p *replay) saw(n Number) { p.next = max(p.next, n+1) }

func (p *replay) entry(r *Record, at place) {
	e := r.entry
	p.saw(e.Number)
	if e.Mark != nil && !r.moved {
		p.marks.commit(e.Mark)
	}
	p.ends(e.Ends)
	if have := p.alive[e.Number]; p.finished.has(e.Number) || have != nil && !r.moved {
		if !r.moved {
			p.twice++
		}
		return
	}
	it := &item{Entry: e, place: at, weight: len(e.Stored) + entryOverhead, durable: true, old: true}
	it.Stored, it.Ends = nil, nil // the segment they are in is not kept in memory
	p.alive[e.Number] = it
}

func (p *replay) ends(ends []End) {
	for _, e := range ends {
		p.saw(e.Number)
		p.finished.add(e.Number)
		delete(p.alive, e.Number)
	}
}

func (p *replay) merge(r *Record) {
	p.saw(r.number)
	if r.marked {
		p.marks.commit(&r.mark)
	}
	if p.finished.has(r.number) {
		return
	}
	p.finished.add(r.number)
	if it := p.alive[r.into]; it != nil && len(it.Also) < MaxRecipients {
		it.Also = append(it.Also, r.to)
	}
}

// numberSet holds numbers, most of which are close to each other.
type numberSet map[uint64]*[64]uint64

func (s numberSet) add(n Number) {
	page := s[uint64(n)>>12]
	if page == nil {
		page = &[64]uint64{}
		s[uint64(n)>>12] = page
	}
	page[n>>6&63] |= 1 << (n & 63)
}

func (s numberSet) has(n Number) bool {
	page := s[uint64(n)>>12]
	return page != nil && page[n>>6&63]&(1<<(n&63)) != 0
}
