package audit

import (
	"errors"
	"fmt"

	"sallyport/internal/disk"
)

// maxSegmentFile is the most that is read as one segment: the limit, and one record that is larger than a segment.
const maxSegmentFile = MaxSegmentBytes + headerBound + disk.FrameHeaderBytes + MaxContent + MaxFacts + 1<<16

var segmentSeries = disk.Series{Prefix: "segment-", Suffix: ".audit"}

// segmentFile is one file of a log.
type segmentFile struct {
	number uint64
	name   string
	size   int64
}

func segmentName(number uint64) string { return segmentSeries.Name(number) }

// listSegments returns the segment files by number. Other files are none of its business.
func listSegments(fs disk.FS) ([]segmentFile, error) {
	found, err := segmentSeries.List(fs)
	var list []segmentFile
	for _, s := range found {
		list = append(list, segmentFile{s.Number, s.Name, s.Size})
	}
	return list, err
}

func segmentBytes(fs disk.FS) (int64, error) {
	list, err := listSegments(fs)
	var sum int64
	for _, s := range list {
		sum += s.size
	}
	return sum, err
}

// readStatement reads one signed statement; nil when the file does not exist.
func readStatement(fs disk.FS, name string) (*Statement, error) {
	data, err := disk.ReadFile(fs, name, maxStatement)
	if errors.Is(err, disk.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	s, err := ParseStatement(data)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrDamaged, name, err)
	}
	return &s, nil
}
