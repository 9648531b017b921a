package radio

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/sys/unix"
)

// Roll is a terminal on which lines roll by, with rows below the last of them that change in place. Its methods are safe for concurrent use.
type Roll struct {
	columns int // of the terminal; rows are cut to them. 0: it is none, and there are no rows

	mu    sync.Mutex // guards what follows
	w     io.Writer
	shown []string
}

// NewRoll writes to w. Without columns, w is no terminal and nothing changes in place.
func NewRoll(w io.Writer, columns int) *Roll { return &Roll{w: w, columns: columns} }

// Columns is how wide a terminal is, and 0 for what is none.
func Columns(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok {
		return 0
	}
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ) //nolint:gosec // a file descriptor
	if err != nil {
		return 0
	}
	return int(size.Col)
}

// Write implements io.Writer. It is given whole lines.
func (r *Roll) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	text := r.cleared() + string(p) + rowsText(r.shown)
	if _, err := io.WriteString(r.w, text); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Show replaces the rows. Errors are those of the next Write.
func (r *Roll) Show(rows ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	cut := make([]string, 0, len(rows))
	for _, row := range rows {
		if utf8.RuneCountInString(row) > r.columns {
			row = string([]rune(row)[:max(r.columns-1, 0)]) + "…"
		}
		cut = append(cut, row)
	}
	if r.columns == 0 || slices.Equal(cut, r.shown) {
		return
	}
	text := r.cleared() + rowsText(cut)
	r.shown = cut
	_, _ = io.WriteString(r.w, text) // what is wrong with it, the next line says
}

// cleared goes back to where the rows begin and erases them (ECMA-48: CUU, ED).
func (r *Roll) cleared() string {
	if len(r.shown) == 0 {
		return ""
	}
	return fmt.Sprintf("\x1b[%dA\r\x1b[J", len(r.shown))
}

func rowsText(rows []string) string {
	var b strings.Builder
	for _, row := range rows {
		b.WriteString(row + "\n")
	}
	return b.String()
}
