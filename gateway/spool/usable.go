package spool

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"sallyport/internal/disk"
)

// usable picks the segments of this log and puts the remains of one that was never finished out of the way. It returns
// which log that is, 0 when nothing says so.
func (s *Spool) usable(list []disk.Segment, identity uint64, r *Recovered) (usable []disk.Segment, _ uint64, err error) {
	heads := make([]Record, len(list))
	for i, f := range list {
		if heads[i], err = s.peek(f); err != nil {
			return nil, 0, err
		}
	}
	identity = whose(list, heads, identity, r)
	for i, f := range list {
		h := heads[i].header
		switch {
		case heads[i].kind == headerRecord && h.Segment != f.Number:
			r.Damaged = append(r.Damaged, Damage{f.Name, 0, 0, fmt.Sprintf("a copy of %s; it was not read", segments.Name(h.Segment))})
			continue
		case heads[i].kind == headerRecord && h.Life != identity:
			r.Damaged = append(r.Damaged, Damage{f.Name, 0, 0, "belongs to another spool; it was not read"})
			continue
		case heads[i].kind == noRecord && i == len(list)-1:
			unborn, err := s.putAside(f, r)
			if err != nil {
				return nil, 0, err
			}
			if unborn {
				continue
			}
		}
		usable = append(usable, f)
	}
	return usable, identity, nil
}

// whose says which log the directory holds: the one of the identity file, if any segment is of it, or that of the first
// segment which says.
func whose(list []disk.Segment, heads []Record, identity uint64, r *Recovered) uint64 {
	first := uint64(0)
	for i, head := range heads {
		if head.kind != headerRecord || head.header.Segment != list[i].Number {
			continue
		}
		if head.header.Life == identity {
			return identity
		}
		first = cmp.Or(first, head.header.Life)
	}
	if first != 0 && identity != 0 {
		r.Damaged = append(r.Damaged, Damage{identityName, 0, 0, "names another spool than all segments; the segments are believed"})
	}
	return cmp.Or(first, identity)
}

// peek reads the first record of a segment; its kind is noRecord when there is none.
func (s *Spool) peek(f disk.Segment) (head Record, err error) {
	reader, err := s.fs.Open(f.Name)
	if err != nil {
		return head, fmt.Errorf("%s: %w", f.Name, err)
	}
	defer func() { err = errors.Join(err, reader.Close()) }()
	data := make([]byte, min(f.Size, peekBytes))
	n, err := reader.ReadAt(data, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return head, fmt.Errorf("%s: %w", f.Name, err)
	}
	frame, _, err := disk.ParseFrame(data[:n])
	if err != nil {
		return head, nil //nolint:nilerr // damage is for replay to report
	}
	if head, err = ParseRecord(frame.Payload); err != nil || head.kind != headerRecord {
		head = Record{kind: numRecords} // something else is first
	}
	return head, nil
}

// peekBytes is more than a header needs.
const peekBytes = 512

// putAside treats a last segment that does not begin with a whole frame. When there is no whole frame in it at all, it is
// not part of the log: it was being made when the machine stopped, or it is ruined.
func (s *Spool) putAside(f disk.Segment, r *Recovered) (unborn bool, err error) {
	data, err := disk.ReadFile(s.fs, f.Name, maxSegmentFile)
	if err != nil {
		return false, fmt.Errorf("%s: %w", f.Name, err)
	}
	if found := disk.Scan(data, nil); found.Frames > 0 || len(found.Gaps) > 0 {
		return false, nil
	}
	_, _, err = disk.ParseFrame(data)
	r.Torn += int64(len(data))
	if errors.Is(err, disk.ErrShort) || binary.BigEndian.Uint64(data) == 0 { // torn, or never written
		return true, s.fs.Remove(f.Name)
	}
	r.Damaged = append(r.Damaged, Damage{f.Name, 0, f.Size, "not one whole record; it was renamed and not read"})
	return true, s.fs.Rename(f.Name, damagedPrefix+f.Name)
}

// identity reads which log belongs into the directory, 0 when nothing says so.
func (s *Spool) identity() (uint64, error) {
	data, err := disk.ReadFile(s.fs, identityName, 64)
	if errors.Is(err, disk.ErrNotExist) || errors.Is(err, disk.ErrTooLarge) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("%s: %w", identityName, err)
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(data)), 16, 64)
	if err != nil {
		return 0, nil //nolint:nilerr // the first segment says it too
	}
	return n, nil
}

// identify writes it, if it is not there.
func (s *Spool) identify() error {
	have, err := s.identity()
	if err != nil || have == s.life {
		return err
	}
	if err := disk.Replace(s.fs, identityName, fmt.Appendf(nil, "%016x\n", s.life)); err != nil {
		return fmt.Errorf("%s: %w", identityName, err)
	}
	return nil
}
