package peering

import (
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
)

// Told is a sentence that a sender may read in an error about what was not delivered. It is a closed set: none says anything of the
// stanza, of the policy, or of how the far side is reached.
type Told uint8

// The sentences.
const (
	ToldNothing   Told = iota // the reference alone
	ToldExpired               // it waited as long as it may
	ToldLinkDown              // the way there was down for longer than it may wait
	ToldNoAnswer              // a request was delivered, or on its way, and nothing came back
	ToldTakenOut              // it was tried again and again, and the stream broke each time
	ToldTooBig                // larger than what is taken there
	ToldNoRoom                // too much waits already
	ToldUncertain             // it may have arrived
	numTold
)

var sentences = [numTold]string{
	ToldExpired:   "Not delivered: it waited for its whole lifetime.",
	ToldLinkDown:  "Not delivered: the connection to this domain has been down for longer than the lifetime.",
	ToldNoAnswer:  "No answer came in time. The connection to this domain is slow.",
	ToldTakenOut:  "Not delivered: the connection broke each time this was sent.",
	ToldTooBig:    "Not delivered: it is larger than the other side accepts.",
	ToldNoRoom:    "Not delivered: too much is waiting for this domain. Try again later.",
	ToldUncertain: "It may have been delivered: the connection broke before that was confirmed.",
}

// String returns the sentence.
func (t Told) String() string {
	if t >= numTold {
		return ""
	}
	return sentences[t]
}

// ReplyTold is Reply with a sentence before the reference.
func (e *Engine) ReplyTold(v *Verdict, cause Cause, told Told) (Released, bool) {
	r, ok := e.Reply(v, cause)
	if !ok || told.String() == "" || !r.stanza.IsError() {
		return r, ok
	}
	root := r.stanza.Element()
	said, err := r.stanza.WithElement(root.MapChildren(func(child *xmlstream.Element) *xmlstream.Element {
		if child.Local() != "error" {
			return child
		}
		return child.MapChildren(func(text *xmlstream.Element) *xmlstream.Element {
			if !text.Is(xmlstream.NSStanzas, "text") {
				return text
			}
			return text.WithNodes(xmlstream.TextNode(told.String() + " (" + text.Text() + ")"))
		})
	}))
	if err != nil {
		return r, true // the error without the sentence is still true
	}
	r.stanza = said
	return r, true
}

// Error conditions by which a room takes an occupant for gone (XEP-0045 §18.1.2).
func removesOccupant(c stanza.Condition) bool {
	switch c {
	case stanza.Gone, stanza.ItemNotFound, stanza.RecipientUnavailable, stanza.Redirect, stanza.RemoteServerNotFound,
		stanza.RemoteServerTimeout:
		return true
	default:
		return false
	}
}

// RemovesOccupant reports whether an error for this cause makes a room take the recipient of its message for gone.
func (c Cause) RemovesOccupant() bool {
	return int(c) < len(causeConditions) && removesOccupant(causeConditions[c])
}
