package docs

import (
	"fmt"
	"strings"
)

// Block is one fenced block of a document.
type Block struct {
	Line     int // of its fence
	Language string
	Mark     string // what is done with it
	Option   string // after "=" in the mark or behind it
	Text     string
}

// marks are the words that a language may be followed by.
var marks = map[string][]string{
	"sh": {"run", "demo", "manual"}, "text": {"", "output", "show"}, "toml": {"file", "add", "of"}, "xml": {"of"},
}

// Blocks reads the fenced blocks of a document. A block of a language that is run has to say how.
func Blocks(document string) ([]Block, error) {
	var all []Block
	var open *Block
	for i, line := range strings.Split(document, "\n") {
		fence, fenced := strings.CutPrefix(line, "```")
		switch {
		case fenced && open == nil:
			b, err := begin(i+1, fence)
			if err != nil {
				return nil, err
			}
			open = &b
		case fenced:
			all = append(all, *open)
			open = nil
		case open != nil:
			open.Text += line + "\n"
		}
	}
	if open != nil {
		return nil, fmt.Errorf("line %d: the block does not end", open.Line)
	}
	return all, nil
}

func begin(line int, fence string) (Block, error) {
	b := Block{Line: line}
	words := strings.Fields(fence)
	if len(words) > 0 {
		b.Language = words[0]
	}
	if len(words) > 1 {
		b.Mark, b.Option, _ = strings.Cut(words[1], "=")
	}
	if len(words) > 2 {
		_, b.Option, _ = strings.Cut(words[2], "=")
	}
	known, run := marks[b.Language]
	if !run && b.Mark == "" {
		return b, nil
	}
	for _, m := range known {
		if m == b.Mark {
			return b, nil
		}
	}
	return b, fmt.Errorf("line %d: a block of %q may be marked %q, not %q", line, b.Language, known, b.Mark)
}

// Contains reports whether the lines of want stand in got, in order; if not, it returns the first that does not. In a line
// of want "…" stands for any text; alone it allows any lines in between, which are not allowed otherwise.
func Contains(got, want string) (missing string, ok bool) {
	lines := strings.Split(strings.TrimRight(got, "\n"), "\n")
	at, gap := 0, true
	for _, w := range strings.Split(strings.TrimRight(want, "\n"), "\n") {
		if w == "…" {
			gap = true
			continue
		}
		for at < len(lines) && gap && !like(lines[at], w) {
			at++
		}
		if at >= len(lines) || !like(lines[at], w) {
			return w, false
		}
		at, gap = at+1, false
	}
	return "", true
}

// like compares a line with one that may have "…" in it.
func like(line, want string) bool {
	parts := strings.Split(strings.TrimRight(want, " "), "…")
	rest, ok := strings.CutPrefix(strings.TrimRight(line, " "), parts[0])
	if !ok {
		return false
	}
	for i, part := range parts[1:] {
		if i == len(parts)-2 {
			return strings.HasSuffix(rest, part)
		}
		_, after, found := strings.Cut(rest, part)
		if !found {
			return false
		}
		rest = after
	}
	return rest == ""
}
