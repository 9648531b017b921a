package cost

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
)

// Head is the first line of a recording.
const Head = "# sallyport recording 1"

// MaxLine bounds a line.
const MaxLine = 1 << 20

// ErrRecording is wrapped by every error about a recording.
var ErrRecording = errors.New("recording")

// Direction says who sent something. The zero value is our side.
type Direction uint8

// The directions.
const (
	Out Direction = iota
	In
)

// String returns out or in.
func (d Direction) String() string {
	if d == In {
		return "in"
	}
	return "out"
}

// Entry is one line.
type Entry struct {
	Time      time.Time
	Direction Direction
	Stanza    stanza.Stanza
}

// Append appends the line of e, its end included.
func Append(dst []byte, e Entry) ([]byte, error) {
	text, err := xmlstream.AppendElement(nil, e.Stanza.Element(), xmlstream.NSServer)
	if err != nil {
		return dst, fmt.Errorf("%w: %w", ErrRecording, err)
	}
	text = bytes.ReplaceAll(text, []byte("\n"), []byte("&#xA;")) // stands only in texts: in values it is written so anyway
	dst = e.Time.UTC().AppendFormat(dst, time.RFC3339Nano)
	dst = append(append(append(dst, ' '), e.Direction.String()...), ' ')
	return append(append(dst, text...), '\n'), nil
}

// Parse reads one line, without its end.
func Parse(line []byte) (Entry, error) {
	if len(line) > MaxLine {
		return Entry{}, fmt.Errorf("%w: line of %d bytes", ErrRecording, len(line))
	}
	stamp, rest, _ := bytes.Cut(line, []byte(" "))
	way, xml, ok := bytes.Cut(rest, []byte(" "))
	if !ok {
		return Entry{}, fmt.Errorf("%w: not a time, a direction and a stanza", ErrRecording)
	}
	var e Entry
	var err error
	if e.Time, err = time.Parse(time.RFC3339Nano, string(stamp)); err != nil {
		return Entry{}, fmt.Errorf("%w: %q is no time like 2026-11-20T06:00:00.25Z", ErrRecording, clip(string(stamp)))
	}
	e.Time = e.Time.UTC()
	switch string(way) {
	case "out":
	case "in":
		e.Direction = In
	default:
		return Entry{}, fmt.Errorf("%w: %q is neither out nor in", ErrRecording, clip(string(way)))
	}
	limits := xmlstream.ServerLimits()
	limits.ElementBytes = MaxLine
	tree, err := xmlstream.ParseDocument(xml, xmlstream.Options{Limits: limits, ContentNS: xmlstream.NSServer})
	if err == nil {
		e.Stanza, err = stanza.From(tree)
	}
	if err != nil {
		return Entry{}, fmt.Errorf("%w: stanza: %w", ErrRecording, err)
	}
	return e, nil
}

func clip(s string) string {
	if len(s) > 40 {
		return strings.ToValidUTF8(s[:40], "") + "…"
	}
	return s
}

// Reader reads a recording line by line.
type Reader struct {
	lines *bufio.Scanner
	line  int
	last  time.Time
}

// NewReader reads from r; it does not close it.
func NewReader(r io.Reader) *Reader {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, MaxLine)
	return &Reader{lines: lines}
}

// Next returns the next entry, io.EOF after the last. Errors name the line.
func (r *Reader) Next() (Entry, error) {
	for r.lines.Scan() {
		r.line++
		text := r.lines.Bytes()
		switch {
		case r.line == 1 && string(text) != Head:
			return Entry{}, fmt.Errorf("%w: the first line is not %q", ErrRecording, Head)
		case len(text) == 0 || text[0] == '#':
			continue
		}
		e, err := Parse(text)
		if err != nil {
			return Entry{}, fmt.Errorf("line %d: %w", r.line, err)
		}
		if e.Time.Before(r.last) {
			return Entry{}, fmt.Errorf("line %d: %w: its time is before that of the line above", r.line, ErrRecording)
		}
		r.last = e.Time
		return e, nil
	}
	if err := r.lines.Err(); err != nil {
		return Entry{}, fmt.Errorf("line %d: %w: %w", r.line+1, ErrRecording, err)
	}
	if r.line == 0 {
		return Entry{}, fmt.Errorf("%w: it is empty", ErrRecording)
	}
	return Entry{}, io.EOF
}
