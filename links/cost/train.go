package cost

import (
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"slices"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/links/deflate"
)

// TrainOptions say how to train.
type TrainOptions struct {
	Size  int  // of the dictionary in bytes; deflate.MaxDictionary if zero
	Texts bool // bodies, subjects and states may get into the dictionary; without it they are left out of the samples
}

// Training is what a dictionary does to conversations that it was not trained on.
type Training struct {
	Samples    int    `json:"samples"`    // stanzas it was made of
	HeldOut    int    `json:"heldOut"`    // stanzas it was measured on
	Plain      int64  `json:"plain"`      // their bytes
	Without    int64  `json:"without"`    // compressed without a dictionary
	With       int64  `json:"with"`       // compressed with it
	Dictionary int    `json:"dictionary"` // its own bytes
	ID         string `json:"id"`
}

// maxTraining bounds how many stanzas are kept for it.
const maxTraining = 200_000

// heldOut is one conversation in so many that is measured on.
const heldOut = 5

// ErrFew is what a recording gets that is too small to train on and to measure on.
var ErrFew = fmt.Errorf("%w: too few conversations to train on some and to measure on others", ErrRecording)

// Train makes a dictionary of a recording. Whole conversations are held out, so that what is measured has not been seen.
func Train(next func() (Entry, error), o TrainOptions) (deflate.Dictionary, Training, error) {
	if o.Size <= 0 {
		o.Size = deflate.MaxDictionary
	}
	stanzas, err := collect(next)
	if err != nil {
		return deflate.Dictionary{}, Training{}, err
	}
	measured := drawn(stanzas)
	var samples, held [][]byte
	for _, s := range stanzas {
		e := s.Element()
		out := measured[conversation(s)]
		if !out && !o.Texts {
			e = silent(e)
		}
		text, err := xmlstream.AppendElement(nil, e, xmlstream.NSServer)
		switch {
		case err != nil:
			return deflate.Dictionary{}, Training{}, fmt.Errorf("%w: %w", ErrRecording, err)
		case out:
			held = append(held, text)
		default:
			samples = append(samples, text)
		}
	}
	if len(samples) == 0 || len(held) == 0 {
		return deflate.Dictionary{}, Training{}, ErrFew
	}
	dict := deflate.Train(samples, o.Size)
	t := Training{Samples: len(samples), HeldOut: len(held), Dictionary: dict.Len(), ID: dict.ID()}
	t.measure(held, dict)
	return dict, t, nil
}

// Measure counts what an existing dictionary does to a recording.
func Measure(next func() (Entry, error), dict deflate.Dictionary) (Training, error) {
	t := Training{Dictionary: dict.Len(), ID: dict.ID()}
	stanzas, err := collect(next)
	if err != nil {
		return t, err
	}
	held := make([][]byte, len(stanzas))
	for i, s := range stanzas {
		if held[i], err = xmlstream.AppendElement(nil, s.Element(), xmlstream.NSServer); err != nil {
			return t, fmt.Errorf("%w: %w", ErrRecording, err)
		}
	}
	t.HeldOut = len(held)
	t.measure(held, dict)
	return t, nil
}

// collect reads a recording, or as much of it as training looks at.
func collect(next func() (Entry, error)) (out []stanza.Stanza, err error) {
	for len(out) < maxTraining {
		e, err := next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		out = append(out, e.Stanza)
	}
	return out, nil
}

// drawn are the conversations to measure on: one in five, and at least one.
func drawn(stanzas []stanza.Stanza) map[uint32]bool {
	var all []uint32
	for _, s := range stanzas {
		all = append(all, conversation(s))
	}
	slices.Sort(all)
	out := make(map[uint32]bool)
	for i, c := range slices.Compact(all) {
		if i%heldOut == 0 {
			out[c] = true
		}
	}
	return out
}

func (t *Training) measure(held [][]byte, dict deflate.Dictionary) {
	without, with := deflate.NewWriter(deflate.Config{}), deflate.NewWriter(deflate.Config{Dictionary: dict})
	var frame []byte
	size := func(w *deflate.Writer, text []byte) int64 {
		out, err := w.Append(frame[:0], text)
		if err != nil { // no gain: it goes as it is
			return int64(len(text))
		}
		frame = out
		return int64(len(out))
	}
	for _, text := range held {
		t.Plain += int64(len(text))
		t.Without += size(without, text)
		t.With += size(with, text)
	}
}

// conversation is the same for both ways between two people.
func conversation(s stanza.Stanza) uint32 {
	ends := []string{s.From().Bare().String(), s.To().Bare().String()}
	slices.Sort(ends)
	h := fnv.New32a()
	for _, e := range ends {
		h.Write([]byte(e))
		h.Write([]byte{0})
	}
	return h.Sum32()
}

// silent leaves the texts out that people write: nothing of them gets into a dictionary.
func silent(e *xmlstream.Element) *xmlstream.Element {
	nodes := make([]xmlstream.Node, 0, e.NumNodes())
	for i := range e.NumNodes() {
		n := e.NodeAt(i)
		switch {
		case n.Element != nil:
			nodes = append(nodes, xmlstream.ElementNode(silent(n.Element)))
		case !spoken(e):
			nodes = append(nodes, n)
		}
	}
	return e.WithNodes(nodes...)
}

// spoken are elements whose text people write, wherever they stand.
func spoken(e *xmlstream.Element) bool {
	switch e.Space() {
	case "http://www.w3.org/1999/xhtml", "urn:xmpp:rtt:0", "vcard-temp", "urn:ietf:params:xml:ns:vcard-4.0":
		return true
	}
	switch e.Local() {
	case "body", "subject", "status", "reason", "nick", "text", "value", "password":
		return true
	}
	return false
}
