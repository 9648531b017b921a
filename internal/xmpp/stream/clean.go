package stream

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Clean makes text of the peer fit for one log line: at most MaxLogBytes, what
// is not printable escaped (D10). It looks at no more input than it needs.
func Clean(text string) string {
	const more = "..."
	var b strings.Builder
	for len(text) > 0 {
		r, n := utf8.DecodeRuneInString(text)
		piece := text[:n]
		switch {
		case r == utf8.RuneError && n == 1:
			piece = fmt.Sprintf(`\x%02x`, text[0])
		case r == '\\':
			piece = `\\`
		case !strconv.IsPrint(r):
			piece = fmt.Sprintf(`\u{%x}`, r)
		}
		text = text[n:]
		if b.Len()+len(piece) > MaxLogBytes-len(more) && (text != "" || b.Len()+len(piece) > MaxLogBytes) {
			b.WriteString(more)
			break
		}
		b.WriteString(piece)
	}
	return b.String()
}
