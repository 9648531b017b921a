package audit

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"sallyport/internal/disk"
)

// maxSegmentFile is the most that is read as one segment: the limit, and one record that is larger than a segment.
const maxSegmentFile = MaxSegmentBytes + headerBound + disk.FrameHeaderBytes + MaxContent + MaxFacts + 1<<16

const (
	segmentPrefix = "segment-"
	segmentSuffix = ".audit"
)

// segmentFile is one file of a log.
type segmentFile struct {
	number uint64
	name   string
	size   int64
}

func segmentName(number uint64) string {
	return fmt.Sprintf("%s%08d%s", segmentPrefix, number, segmentSuffix)
}

// listSegments returns the segment files by number. Other files are none of its business.
func listSegments(fs disk.FS) ([]segmentFile, error) {
	infos, err := fs.List()
	if err != nil {
		return nil, err
	}
	var list []segmentFile
	for _, info := range infos {
		digits, ok := strings.CutPrefix(info.Name, segmentPrefix)
		digits, ok2 := strings.CutSuffix(digits, segmentSuffix)
		number, err := strconv.ParseUint(digits, 10, 64)
		if !ok || !ok2 || err != nil || segmentName(number) != info.Name {
			continue
		}
		list = append(list, segmentFile{number, info.Name, info.Size})
	}
	slices.SortFunc(list, func(a, b segmentFile) int {
		if a.number < b.number {
			return -1
		}
		return 1
	})
	return list, nil
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
