package labels

import (
	"fmt"
	"strconv"
	"strings"
)

// rgb has the names of the XEP-0258 schema. "fuschia" is the schema's spelling.
var rgb = map[string]uint32{
	"aqua": 0x00FFFF, "black": 0x000000, "blue": 0x0000FF, "fuschia": 0xFF00FF, "gray": 0x808080, "green": 0x008000,
	"lime": 0x00FF00, "maroon": 0x800000, "navy": 0x000080, "olive": 0x808000, "purple": 0x800080, "red": 0xFF0000,
	"silver": 0xC0C0C0, "teal": 0x008080, "white": 0xFFFFFF, "yellow": 0xFFFF00, "orange": 0xFFA500,
}

// otherNames are seen in policies and not allowed in a securitylabel: they are written as numbers.
var otherNames = map[string]uint32{"gold": 0xFFD700, "pink": 0xFFC0CB, "brown": 0xA52A2A, "grey": 0x808080, "amber": 0xFFBF00}

// colors turns the color of a classification into background and a foreground that can be read on it. A color that
// is not understood gives none.
func colors(color string) (fg, bg string) {
	color = strings.ToLower(strings.TrimSpace(color))
	if color == "fuchsia" {
		color = "fuschia"
	}
	n, ok := rgb[color]
	bg = color
	if !ok {
		if n, ok = otherNames[color]; !ok {
			v, err := strconv.ParseUint(strings.TrimPrefix(color, "#"), 16, 32)
			if err != nil || len(color) != 7 || color[0] != '#' {
				return "", ""
			}
			n = uint32(v)
		}
		bg = fmt.Sprintf("#%06X", n)
	}
	// Relative luminance, weights of ITU-R BT.709 in thousandths, without gamma: enough to choose between two.
	if 213*(n>>16&255)+715*(n>>8&255)+72*(n&255) > 128*1000 {
		return "black", bg
	}
	return "white", bg
}
