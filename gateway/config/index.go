package config

import "bytes"

// Bounds on the shape of the file. No setting comes near them.
const (
	maxNesting  = 16 // lists and inline tables inside each other
	maxSegments = 16 // parts of a dotted key
)

// index says on which line each key of a TOML text stands, because the TOML library
// keeps that to itself. It reads the text before the library does, takes any bytes,
// proves nothing about their grammar, and is exact for texts that the library accepts.
//
// A key is written as in the file, parts joined by dots and quoted where they must be;
// entries of lists are counted from 1: pair[2].between[1].
type index struct {
	text   []byte
	pos    int
	line   int
	prefix string         // the table that keys belong to
	lines  map[string]int // first line of each key and table
	leaves map[string]bool
	tables map[string]bool // tables with a header of their own
	lists  map[string]int  // entries of each [[list]] so far

	duplicates []duplicate
	tooDeep    int // line where nesting goes beyond the bounds; 0: nowhere
}

// duplicate is a key that is defined again.
type duplicate struct {
	key         string
	line, first int
}

func newIndex(text []byte) *index {
	x := &index{
		text: bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")), line: 1,
		lines: map[string]int{}, leaves: map[string]bool{}, tables: map[string]bool{}, lists: map[string]int{},
	}
	for x.skipBlank(); x.pos < len(x.text) && x.tooDeep == 0; x.skipBlank() {
		if x.text[x.pos] == '[' {
			x.header()
		} else {
			x.assignment(x.prefix)
		}
		x.skipLine()
	}
	return x
}

// lineOf returns the line of a key, or of the nearest table around it, or 0.
func (x *index) lineOf(key string) int {
	for key != "" {
		if n, ok := x.lines[key]; ok {
			return n
		}
		key = parentKey(key)
	}
	return 0
}

func (x *index) header() {
	start := x.line
	x.pos++
	list := x.pos < len(x.text) && x.text[x.pos] == '['
	if list {
		x.pos++
	}
	parts := x.dottedKey()
	if len(parts) == 0 {
		return
	}
	key := x.resolve("", parts[:len(parts)-1], start)
	last := joinKey(key, parts[len(parts)-1])
	if list {
		x.lists[last]++
		x.note(last, start)
		x.prefix = entryKey(last, x.lists[last])
		x.note(x.prefix, start)
		return
	}
	if x.lists[last] > 0 {
		last = entryKey(last, x.lists[last])
	}
	if x.tables[last] || x.leaves[last] {
		x.again(last, start)
	}
	x.tables[last] = true
	x.note(last, start)
	x.prefix = last
}

// assignment reads key = value below a table.
func (x *index) assignment(table string) {
	start := x.line
	parts := x.dottedKey()
	if len(parts) == 0 {
		x.pos++ // not a key; the library will say so
		return
	}
	key := joinKey(x.resolve(table, parts[:len(parts)-1], start), parts[len(parts)-1])
	if x.leaves[key] || x.tables[key] {
		x.again(key, start)
	}
	x.leaves[key] = true
	x.note(key, start)
	x.skipSpace()
	if x.peek() != '=' {
		return
	}
	x.pos++
	x.value(key, 0)
}

// value skips a value and notes what is inside it.
func (x *index) value(key string, depth int) {
	x.skipSpace()
	if depth > maxNesting {
		x.tooDeep = x.line
		return
	}
	switch x.peek() {
	case '"', '\'':
		x.skipString()
	case '[':
		x.list(key, depth)
	case '{':
		x.inlineTable(key, depth)
	default:
		for x.pos < len(x.text) && !bytes.ContainsRune([]byte(",]}#\n"), rune(x.text[x.pos])) {
			x.pos++
		}
	}
}

func (x *index) list(key string, depth int) {
	x.pos++
	for n := 1; x.tooDeep == 0; n++ {
		x.skipBlank()
		if x.pos >= len(x.text) || x.peek() == ']' {
			break
		}
		entry, before := entryKey(key, n), x.pos
		x.note(entry, x.line)
		x.value(entry, depth+1)
		x.skipBlank()
		if x.peek() == ',' {
			x.pos++
		}
		if x.pos == before {
			break // no progress: not a list the library would take
		}
	}
	x.pos++
}

func (x *index) inlineTable(key string, depth int) {
	x.pos++
	for x.tooDeep == 0 {
		x.skipBlank()
		if x.pos >= len(x.text) || x.peek() == '}' {
			break
		}
		x.inlineEntry(key, depth)
		x.skipBlank()
		if x.peek() == ',' {
			x.pos++
		}
	}
	x.pos++
}

func (x *index) inlineEntry(table string, depth int) {
	start := x.line
	parts := x.dottedKey()
	if len(parts) == 0 {
		x.pos++
		return
	}
	key := joinKey(x.resolve(table, parts[:len(parts)-1], start), parts[len(parts)-1])
	if x.leaves[key] {
		x.again(key, start)
	}
	x.leaves[key] = true
	x.note(key, start)
	x.skipSpace()
	if x.peek() == '=' {
		x.pos++
		x.value(key, depth+1)
	}
}

// resolve walks into tables; a [[list]] on the way means its last entry.
func (x *index) resolve(table string, parts []string, line int) string {
	for _, part := range parts {
		table = joinKey(table, part)
		x.note(table, line)
		if n := x.lists[table]; n > 0 {
			table = entryKey(table, n)
		}
	}
	return table
}

func (x *index) note(key string, line int) {
	if _, ok := x.lines[key]; !ok {
		x.lines[key] = line
	}
}

func (x *index) again(key string, line int) {
	x.duplicates = append(x.duplicates, duplicate{key, line, x.lines[key]})
}
