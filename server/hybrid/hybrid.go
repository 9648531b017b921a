// Package hybrid makes ids that say when and where: hybrid time (physical time that never goes back, with a counter) and the
// name of the node. Ids of one sequence sort as text in the order in which they were made, ids of different nodes never
// collide, and what one node has seen it stands behind.
//
// It never reads a clock of its own, and never trusts one: an id after another is later even when the clock was set back.
// Not inside: what the ids are of; their storage.
package hybrid

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// maxNode bounds the name of a node, in bytes.
const maxNode = 64

// ErrID: the text is not an id.
var ErrID = errors.New("not an id of the form TIME-NODE")

// ID is a moment on a node. IDs are comparable; the zero value is before all others, and was made by nobody.
type ID struct {
	ticks uint64 // milliseconds since 1970 times 2^16, and a counter below that
	node  string
}

// After gives an id that is later than prev, at the time now on the node where possible, and as little later as possible where the
// clock is behind. The node is a name of letters, digits, dots, dashes and underscores.
func After(prev ID, now time.Time, node string) (ID, error) {
	if !nodeName(node) {
		return ID{}, fmt.Errorf("%w: %q is not the name of a node", ErrID, node)
	}
	ticks := uint64(max(now.UnixMilli(), 0)) << 16
	if ticks <= prev.ticks {
		if ticks = prev.ticks + 1; ticks == 0 {
			return ID{}, fmt.Errorf("%w: there is no later time", ErrID)
		}
	}
	return ID{ticks, node}, nil
}

func nodeName(s string) bool {
	return s != "" && len(s) <= maxNode && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '.' && r != '-' && r != '_'
	})
}

// IsZero reports whether it is the id before all others.
func (id ID) IsZero() bool { return id == ID{} }

// Time is when the id was made, to the millisecond, as far as the clock of its node was right.
func (id ID) Time() time.Time { return time.UnixMilli(int64(id.ticks >> 16)).UTC() }

// Node is where the id was made.
func (id ID) Node() string { return id.node }

// Compare orders ids as their texts are ordered: by time, then by node.
func (id ID) Compare(other ID) int { return strings.Compare(id.String(), other.String()) }

// String is 16 hexadecimal digits, a dash and the node; empty for the zero value.
func (id ID) String() string {
	if id.IsZero() {
		return ""
	}
	return fmt.Sprintf("%016x-%s", id.ticks, id.node)
}

// First is the text that no id of the moment or later is before.
func First(t time.Time) string { return fmt.Sprintf("%016x", uint64(max(t.UnixMilli(), 0))<<16) }

// Parse is the inverse of String.
func Parse(s string) (ID, error) {
	if s == "" {
		return ID{}, nil
	}
	digits, node, ok := strings.Cut(s, "-")
	ticks, err := strconv.ParseUint(digits, 16, 64)
	id := ID{ticks, node}
	if !ok || err != nil || !nodeName(node) || id.String() != s {
		return ID{}, ErrID
	}
	return id, nil
}
