package fanout

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
)

// NS is the namespace of the custody framing, which the list is part of.
const NS = "urn:sallyport:custody:0"

// Limits of one list.
const (
	MaxRecipients = 1024 // beside the one in the stanza
	MaxBytes      = 64 << 10
)

// ErrList is wrapped by every error of Parse, Elements and Expand.
var ErrList = errors.New("recipient list")

// name of one recipient on the wire.
var name = xmlstream.Name{Space: NS, Local: "t"}

// to is the attribute in which copies differ.
var to = xmlstream.Name{Local: "to"}

// Mergeable reports whether copies of s may be merged: a groupchat message, as a room sends it to its occupants (XEP-0045 §7.4), with
// an id that all copies share.
func Mergeable(s stanza.Stanza) bool {
	return s.Type() == stanza.MessageGroupchat && s.ID() != "" && s.From().Resource() != "" && s.From().Local() != "" &&
		s.To().Local() != "" && s.ContentNS() == xmlstream.NSServer
}

// Digest is the same for two mergeable stanzas if and only if they are equal but for to. The domain of to is part of it: copies for
// different domains do not share a list. ok is false for a stanza that is not mergeable.
func Digest(s stanza.Stanza) (sum [32]byte, ok bool) {
	if !Mergeable(s) {
		return sum, false
	}
	b, err := xmlstream.AppendElement(nil, s.Element().WithAttr(to, s.To().Domain()), xmlstream.NSServer)
	if err != nil {
		return sum, false
	}
	return sha256.Sum256(b), true
}

// Elements makes the list that stands after s in its frame, nothing for an empty one.
func Elements(s stanza.Stanza, also []jid.JID) ([]*xmlstream.Element, error) {
	if err := check(s, also); err != nil || len(also) == 0 {
		return nil, err
	}
	out := make([]*xmlstream.Element, len(also))
	for i, j := range also {
		out[i] = xmlstream.NewElement(name, nil, xmlstream.TextNode(j.String()))
	}
	return out, nil
}

// Parse reads the list that stands after s: the elements of the frame but the stanza itself.
func Parse(s stanza.Stanza, list []*xmlstream.Element) ([]jid.JID, error) {
	if len(list) > MaxRecipients {
		return nil, fmt.Errorf("%w: %d recipients, at most %d", ErrList, len(list), MaxRecipients)
	}
	var also []jid.JID
	for _, e := range list {
		if e == nil || e.Name() != name || e.NumAttrs() != 0 || e.NumNodes() != 1 || e.NodeAt(0).Element != nil {
			return nil, fmt.Errorf("%w: an element that is no recipient", ErrList)
		}
		j, err := jid.Parse(e.Text())
		if err != nil || j.String() != e.Text() {
			return nil, fmt.Errorf("%w: an address that is not canonical", ErrList)
		}
		also = append(also, j.Clone())
	}
	if err := check(s, also); err != nil {
		return nil, err
	}
	return also, nil
}

func check(s stanza.Stanza, also []jid.JID) error {
	if len(also) == 0 {
		return nil
	}
	switch {
	case !Mergeable(s):
		return fmt.Errorf("%w: on a stanza that has no copies", ErrList)
	case len(also) > MaxRecipients:
		return fmt.Errorf("%w: %d recipients, at most %d", ErrList, len(also), MaxRecipients)
	}
	seen := make(map[jid.JID]bool, len(also)+1)
	seen[s.To()] = true
	bytes := 0
	for _, j := range also {
		switch {
		case j.Domain() != s.To().Domain() || j.Local() == "":
			return fmt.Errorf("%w: a recipient who is not in the domain of the first", ErrList)
		case seen[j]:
			return fmt.Errorf("%w: a recipient twice", ErrList)
		}
		seen[j] = true
		if bytes += len(j.String()); bytes > MaxBytes {
			return fmt.Errorf("%w: above %d bytes", ErrList, MaxBytes)
		}
	}
	return nil
}

// Expand makes the copies: s itself, then one for each of the list, in its order. Each is to be judged as an arrival of its own.
func Expand(s stanza.Stanza, also []jid.JID) ([]stanza.Stanza, error) {
	if err := check(s, also); err != nil {
		return nil, err
	}
	out := slices.Grow([]stanza.Stanza{s}, len(also))
	for _, j := range also {
		out = append(out, s.WithAddresses(jid.JID{}, j))
	}
	return out, nil
}
