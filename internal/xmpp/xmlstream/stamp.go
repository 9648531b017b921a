package xmlstream

import (
	"math"
	"strings"
)

// Stamp is what the owner of a stream gives to what came on it: another namespace, and attributes without one. A Decoder that knows it leaves
// room for it in what it reads, so that stamping costs next to nothing. It never changes.
type Stamp struct {
	space string
	attrs []Attr
	room  string   // names and values, one behind the other
	at    []uint32 // where each attribute begins in room
	usual struct { // memory of attrs and at: a stamp lives as long as its stream, and should be in one piece
		attrs [2]Attr
		at    [2]uint32
	}
}

// NewStamp returns a stamp. Attributes have no namespace.
func NewStamp(space string, attrs ...Attr) *Stamp {
	s := &Stamp{space: space}
	s.attrs, s.at = append(s.usual.attrs[:0], attrs...), s.usual.at[:0]
	var room strings.Builder
	for _, a := range attrs {
		s.at = append(s.at, uint32(room.Len())) //nolint:gosec // addresses
		room.WriteString(a.Name.Local)
		room.WriteString(a.Value)
	}
	s.room = strings.Clone(room.String())
	return s
}

// SetStamp makes the decoder leave room for a stamp in each first-level element from the next one on, nil for none.
func (d *Decoder) SetStamp(s *Stamp) { d.stamp = s }

// Stamped returns e as Moved would with the first n attributes of the stamp. The caller has e from a Decoder and has shown it to nobody: it is
// changed in its place where there is room, and must not be used any more.
func (e *Element) Stamped(s *Stamp, n int) *Element {
	if !e.stampHere(s, n) {
		return e.Moved(s.space, s.attrs[:n]...)
	}
	return e
}

// stampHere does it in the room that was left; false: nothing was changed.
func (e *Element) stampHere(s *Stamp, n int) bool {
	b := e.block
	space, known := knownSpace(s.space)
	if !known || b == nil || b.stamp != s || len(b.elems) == 0 || e != &b.elems[0] || int(e.numAttrs)+n > math.MaxUint16 {
		return false
	}
	b.stamp = nil // it fits once
	b.move(e, e.space, space)
	from := uint32(len(b.attrs)) //nolint:gosec // bounded by the text
	b.attrs = append(b.attrs, b.attrs[e.attrs:e.attrs+uint32(e.numAttrs)]...)
	e.attrs = from
	room := uint32(len(b.text) - len(s.room)) //nolint:gosec // as above
	for i := range n {
		a := &s.attrs[i]
		b.put(e, attrRecord{off: room + s.at[i], name: uint16(len(a.Name.Local)), value: uint32(len(a.Value))}, a.Name.Local, b.text) //nolint:gosec // addresses
	}
	return true
}

// put gives the element whose attributes are the last ones of the block another one, in the place of one that has the same name.
func (b *block) put(e *Element, r attrRecord, local, text string) {
	for i := range b.attrs[e.attrs:] {
		old := &b.attrs[e.attrs+uint32(i)]
		if old.space == r.space && text[old.off+uint32(old.prefix):old.off+uint32(old.name)] == local {
			*old = r
			return
		}
	}
	b.attrs = append(b.attrs, r)
	e.numAttrs++
}
