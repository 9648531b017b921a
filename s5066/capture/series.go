package capture

import (
	"errors"
	"fmt"
	"os"
)

// Limits of a series, where Options says nothing.
const (
	defaultBytes = 16 << 20 // of a file
	defaultFiles = 8
	minBytes     = 256 + maxPacket // one packet with all that is around it
)

// Series writes records to numbered files, each with its own header: a new one begins when the next record would make the old one too large, and the
// oldest goes when there are too many. Not safe for concurrent use.
type Series struct {
	prefix string
	link   Link
	bytes  int64 // of a file, at most
	files  int
	number int // of the file that is open
	size   int64
	empty  int64 // size of a file without packets
	file   *os.File
}

// OpenSeries makes the first file, PREFIX-0001.pcap, or .pcapng for D_PDUs. It is an error if it is there already. Zero stands for 16 MiB and 8 files.
func OpenSeries(prefix string, link Link, maxBytes int64, files int) (*Series, error) {
	if maxBytes == 0 {
		maxBytes = defaultBytes
	}
	if files == 0 {
		files = defaultFiles
	}
	if maxBytes < minBytes || files < 1 {
		return nil, fmt.Errorf("capture: %d files of %d bytes: at least one of %d", files, maxBytes, minBytes)
	}
	s := &Series{prefix: prefix, link: link, bytes: maxBytes, files: files}
	if err := s.next(); err != nil {
		return nil, err
	}
	return s, nil
}

// Name is the path of the file with this number, from 1.
func (s *Series) Name(number int) string {
	return fmt.Sprintf("%s-%04d.%s", s.prefix, number, s.link.format())
}

// Write appends whole records, which stay in one file.
func (s *Series) Write(records []byte) (int, error) {
	if s.file == nil {
		return 0, os.ErrClosed
	}
	if s.size > s.empty && s.size+int64(len(records)) > s.bytes {
		if err := s.next(); err != nil {
			return 0, err
		}
	}
	n, err := s.file.Write(records)
	s.size += int64(n)
	if err != nil {
		return n, fmt.Errorf("capture: %w", err)
	}
	return n, nil
}

// Close closes the open file.
func (s *Series) Close() error {
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	s.file = nil
	return err
}

// next begins a file.
func (s *Series) next() error {
	if err := s.Close(); err != nil {
		return fmt.Errorf("capture: %w", err)
	}
	s.number++
	// O_EXCL: what somebody has recorded before is never written over, and a link is not followed.
	f, err := os.OpenFile(s.Name(s.number), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("capture: %w", err)
	}
	header := AppendHeader(nil, s.link)
	if s.link == LinkDPDU {
		header = AppendSection(nil, s.link)
	}
	if _, err := f.Write(header); err != nil {
		return errors.Join(fmt.Errorf("capture: %w", err), f.Close())
	}
	s.file, s.size, s.empty = f, int64(len(header)), int64(len(header))
	if old := s.number - s.files; old > 0 {
		if err := os.Remove(s.Name(old)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return errors.Join(fmt.Errorf("capture: %w", err), s.Close())
		}
	}
	return nil
}
