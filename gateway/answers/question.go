package answers

import (
	"fmt"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
)

// Kind is what a question is about. The zero value is no question.
type Kind uint8

// The kinds.
const (
	NoKind     Kind = iota
	DiscoInfo       // XEP-0030 §3
	DiscoItems      // XEP-0030 §4
	VCard           // XEP-0054
	VCard4          // XEP-0292
	Version         // XEP-0092
	numKinds
)

var kindNames = [numKinds]xmlstream.Name{
	DiscoInfo:  {Space: "http://jabber.org/protocol/disco#info", Local: "query"},
	DiscoItems: {Space: "http://jabber.org/protocol/disco#items", Local: "query"},
	VCard:      {Space: "vcard-temp", Local: "vCard"},
	VCard4:     {Space: "urn:ietf:params:xml:ns:vcard-4.0", Local: "vcard"},
	Version:    {Space: "jabber:iq:version", Local: "query"},
}

var kindWords = [numKinds]string{"none", "disco-info", "disco-items", "vcard", "vcard4", "version"}

// String returns the word for metrics.
func (k Kind) String() string {
	if k >= numKinds {
		return fmt.Sprintf("kind(%d)", uint8(k))
	}
	return kindWords[k]
}

// Question is what is asked, of whomever.
type Question struct {
	Kind Kind
	Node string // of disco; empty for none
}

// maxNode bounds what is kept as a key.
const maxNode = 1024

// Of reads the question in a request. ok is false for everything else: what has anything in it beyond the bare question (a result set,
// a form) may be answered otherwise each time.
func Of(s stanza.Stanza) (q Question, ok bool) {
	e := s.Payload()
	if s.Type() != stanza.IQGet || e == nil || e.NumNodes() != 0 {
		return Question{}, false
	}
	q.Kind = kindOf(e.Name())
	if q.Kind == NoKind {
		return Question{}, false
	}
	if e.NumAttrs() == 0 {
		return q, true
	}
	node, has := e.Attr("node")
	if !has || e.NumAttrs() != 1 || node == "" || len(node) > maxNode || q.Kind != DiscoInfo && q.Kind != DiscoItems {
		return Question{}, false
	}
	q.Node = node
	return q, true
}

func kindOf(n xmlstream.Name) Kind {
	for k := DiscoInfo; k < numKinds; k++ {
		if kindNames[k] == n {
			return k
		}
	}
	return NoKind
}

// answers reports whether a result is an answer to q: its payload is of the kind, and names the node that was asked for or none.
func (q Question) answers(s stanza.Stanza) bool {
	e := s.Payload()
	if e == nil || e.Name() != kindNames[q.Kind] {
		return false
	}
	node, has := e.Attr("node")
	return !has || node == q.Node
}

// lasting reports whether an error is true for a while: it is about the question, not about the way.
func lasting(s stanza.Stanza) bool {
	switch c, _ := s.Error(); c {
	case stanza.ItemNotFound, stanza.ServiceUnavailable, stanza.FeatureNotImplemented:
		return true
	default:
		return false
	}
}
