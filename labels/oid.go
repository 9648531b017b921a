package labels

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// MaxArcs bounds an object identifier; each arc is below 2^63.
const MaxArcs = 32

var errOID = errors.New("not an object identifier")

// CheckOID says whether s is a dotted object identifier in its one form (X.660: first arc 0 to 2, second below 40
// under 0 and 1, no leading zeros).
func CheckOID(s string) error {
	arcs := strings.Split(s, ".")
	if len(arcs) < 2 || len(arcs) > MaxArcs {
		return fmt.Errorf("%w: %d arcs", errOID, len(arcs))
	}
	for i, a := range arcs {
		n, err := strconv.ParseUint(a, 10, 63)
		if err != nil || strconv.FormatUint(n, 10) != a {
			return fmt.Errorf("%w: arc %d", errOID, i+1)
		}
		if i == 0 && n > 2 || i == 1 && n > 39 && arcs[0] != "2" {
			return fmt.Errorf("%w: arc %d out of range", errOID, i+1)
		}
	}
	return nil
}
