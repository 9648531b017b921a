package disk

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Series names the files of one log: prefix, eight digits or more, suffix.
type Series struct{ Prefix, Suffix string }

// Segment is one file of a series.
type Segment struct {
	Number uint64
	Name   string
	Size   int64
}

// Name is the name of a segment.
func (s Series) Name(number uint64) string {
	return fmt.Sprintf("%s%08d%s", s.Prefix, number, s.Suffix)
}

// List returns the segments by number. Other files are none of its business.
func (s Series) List(fs FS) ([]Segment, error) {
	infos, err := fs.List()
	if err != nil {
		return nil, err
	}
	var list []Segment
	for _, info := range infos {
		digits, ok := strings.CutPrefix(info.Name, s.Prefix)
		digits, ok2 := strings.CutSuffix(digits, s.Suffix)
		number, err := strconv.ParseUint(digits, 10, 64)
		if !ok || !ok2 || err != nil || s.Name(number) != info.Name {
			continue
		}
		list = append(list, Segment{number, info.Name, info.Size})
	}
	slices.SortFunc(list, func(a, b Segment) int { return cmp.Compare(a.Number, b.Number) })
	return list, nil
}
