package timeline

import (
	"fmt"
	"html"
	"io"
	"strings"
)

// svg writes elements until the first error, which it keeps.
type svg struct {
	w   io.Writer
	err error
}

func (s *svg) raw(format string, args ...any) {
	if s.err == nil {
		_, s.err = fmt.Fprintf(s.w, format, args...)
	}
}

// text is what may stand in an element or an attribute: escaped, without what XML has no place for.
func text(t string) string {
	t = strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f || r == 0xfffe || r == 0xffff {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(t, "?"))
	return html.EscapeString(t)
}

// box draws a rectangle with a tooltip. Narrow ones are kept visible.
func (s *svg) box(x, y, w, h float64, class, tip string) {
	if tip == "" {
		s.raw("<rect x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\" class=\"%s\"/>\n", x, y, max(w, 0.6), h, class)
		return
	}
	s.raw("<rect x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\" class=\"%s\"><title>%s</title></rect>\n", x, y, max(w, 0.6), h, class, text(tip))
}

func (s *svg) label(x, y float64, class, t string) {
	s.raw("<text x=\"%.2f\" y=\"%.2f\" class=\"%s\">%s</text>\n", x, y, class, text(t))
}

func (s *svg) line(x1, y1, x2, y2 float64, class string) {
	s.raw("<line x1=\"%.2f\" y1=\"%.2f\" x2=\"%.2f\" y2=\"%.2f\" class=\"%s\"/>\n", x1, y1, x2, y2, class)
}
