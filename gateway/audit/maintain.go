package audit

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"time"

	"sallyport/internal/disk"
)

// maintenanceLock keeps two archive or prune commands apart. The running log does not need it: they touch only
// segments that it no longer writes.
const maintenanceLock = "maintenance.lock"

// Maintenance is what Archive and Prune need.
type Maintenance struct {
	FS    disk.FS // the log
	Key   ed25519.PrivateKey
	Clock func() time.Time // default time.Now
	// UpTo is the number of the last segment to treat; 0 means every segment but the one being written.
	UpTo uint64
}

// Moved says what Archive or Prune did.
type Moved struct {
	Segments    int
	First, Last uint64 // numbers of the segments
	Bytes       int64
}

func (m *Moved) count(number uint64, bytes int64) {
	if m.Segments == 0 {
		m.First = number
	}
	m.Last = number
	m.Segments++
	m.Bytes += bytes
}

// begin takes the lock and returns the segments to treat, and the one after them.
func (m Maintenance) begin() (treat []segmentFile, next segmentFile, unlock io.Closer, err error) {
	if unlock, err = m.FS.Lock(maintenanceLock); err != nil {
		return nil, segmentFile{}, nil, err
	}
	treat, next, err = m.closed()
	if err != nil {
		err = errors.Join(err, unlock.Close())
	}
	return treat, next, unlock, err
}

// closed returns the segments up to UpTo, and the one after them.
func (m Maintenance) closed() ([]segmentFile, segmentFile, error) {
	head, err := readStatement(m.FS, headName)
	if err != nil {
		return nil, segmentFile{}, err
	}
	if len(m.Key) != ed25519.PrivateKeySize || head == nil || head.Verify(m.Key.Public().(ed25519.PublicKey)) != nil {
		return nil, segmentFile{}, fmt.Errorf("%w: the head of the log is not signed by this key", ErrSignature)
	}
	list, err := listSegments(m.FS)
	if err != nil {
		return nil, segmentFile{}, err
	}
	if len(list) == 0 {
		return nil, segmentFile{}, errors.New("there is no segment")
	}
	open := list[len(list)-1]
	if m.UpTo >= open.number {
		return nil, segmentFile{}, fmt.Errorf("segment %d is the one being written; %d is the last that can be moved", open.number, open.number-1)
	}
	n := len(list) - 1
	for n > 0 && m.UpTo != 0 && list[n-1].number > m.UpTo {
		n--
	}
	return list[:n], list[n], nil
}

// sign completes, signs and writes a statement.
func (m Maintenance) sign(fs disk.FS, name string, s Statement) error {
	s.Time = time.Now()
	if m.Clock != nil {
		s.Time = m.Clock()
	}
	s.sign(m.Key)
	return disk.Replace(fs, name, append(AppendStatement(nil, &s), '\n'))
}

// readHeader returns the header at the beginning of a segment, unchecked.
func readHeader(data []byte) (Header, error) {
	f, _, err := disk.ParseFrame(data)
	if err != nil {
		return Header{}, err
	}
	e, err := parseEntry(f.Payload)
	if err != nil {
		return Header{}, err
	}
	if e.kind != headerEntry {
		return Header{}, fmt.Errorf("%w: no segment header", ErrRecord)
	}
	h, _, err := ParseHeader(e.body)
	return h, err
}
