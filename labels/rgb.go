package labels

import (
	"strconv"
	"strings"
)

// RGB returns the red, green and blue of a colour as XEP-0258 writes it: a name of its schema, or # and six
// hexadecimal digits.
func RGB(color string) (r, g, b uint8, ok bool) {
	n, named := rgb[strings.ToLower(color)]
	if !named {
		v, err := strconv.ParseUint(strings.TrimPrefix(color, "#"), 16, 32)
		if err != nil || len(color) != 7 || color[0] != '#' {
			return 0, 0, 0, false
		}
		n = uint32(v)
	}
	return uint8(n >> 16), uint8(n >> 8), uint8(n), true
}
