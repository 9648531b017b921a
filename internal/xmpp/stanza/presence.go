package stanza

import "strconv"

// Show is the availability of RFC 6121 §4.7.2.1. The zero value is none.
type Show uint8

// The five availabilities; Online is presence without <show/>.
const (
	NoShow Show = iota
	Online
	Away
	Chat
	DND
	XA
	numShows
)

var shows = [numShows]string{"", "online", "away", "chat", "dnd", "xa"}

// String returns the element text, "online" for Online, or the empty string for NoShow.
func (s Show) String() string {
	if s >= numShows {
		return ""
	}
	return shows[s]
}

// ParseShow is the inverse of String; ok is false for any other word.
func ParseShow(word string) (s Show, ok bool) {
	for s := Online; s < numShows; s++ {
		if shows[s] == word {
			return s, true
		}
	}
	return NoShow, false
}

// Show returns the availability in a presence stanza without type. ok is false for any other stanza, for more than one
// <show/> and for a text that RFC 6121 §4.7.2.1 does not list.
func (s Stanza) Show() (show Show, ok bool) {
	text, n := s.presenceChild("show")
	switch {
	case s.typ != PresenceAvailable || n > 1:
		return NoShow, false
	case n == 0:
		return Online, true
	}
	show, ok = ParseShow(text)
	if !ok || show == Online {
		return NoShow, false
	}
	return show, true
}

// Priority returns the priority in a presence stanza without type, 0 where it has none. ok is false for any other
// stanza, for more than one <priority/> and for what is no integer from -128 to 127 (RFC 6121 §4.7.2.3).
func (s Stanza) Priority() (priority int8, ok bool) {
	text, n := s.presenceChild("priority")
	switch {
	case s.typ != PresenceAvailable || n > 1:
		return 0, false
	case n == 0:
		return 0, true
	}
	v, err := strconv.ParseInt(text, 10, 8)
	return int8(v), err == nil
}

// presenceChild returns the text of the first child of that name in the content namespace and how many there are. A
// child with elements inside counts as two, so that nobody takes half of its text for the whole.
func (s Stanza) presenceChild(local string) (text string, n int) {
	if s.kind != Presence {
		return "", 0
	}
	for c := range s.el.Children() {
		if !c.Is(s.el.Space(), local) {
			continue
		}
		if n == 0 {
			text = c.Text()
		}
		n++
		for range c.Children() {
			return text, 2
		}
	}
	return text, n
}
