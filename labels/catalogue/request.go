package catalogue

import (
	"slices"
	"strings"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
)

// MaxNode bounds the name of a pubsub node in a request, in bytes.
const MaxNode = 1023

// Request asks for the labels that may be used towards somebody (XEP-0258 §4).
type Request struct {
	// To is whom the labels are for: a contact, a room, a domain; zero for nobody in particular.
	To jid.JID
	// From is the user on whose behalf the sender asks, always bare. It is the sender's own address where the request
	// names nobody; a domain there asks for a generic catalogue.
	From jid.JID
	// Node is the pubsub node at To (XEP-0314), "" for none.
	Node string
}

// RequestError says why a request is not answered. The condition is for the asker, the detail for the log.
type RequestError struct {
	Condition stanza.Condition
	Detail    string
}

func (e *RequestError) Error() string { return "catalogue request: " + e.Detail }

func badRequest(detail string) error {
	return &RequestError{Condition: stanza.BadRequest, Detail: detail}
}

// IsRequest says whether the stanza is meant for ParseRequest: an iq that asks, with a catalog in it.
func IsRequest(s stanza.Stanza) bool {
	return s.IsRequest() && s.Payload().Is(NS, "catalog")
}

// ParseRequest reads a request strictly: the three attributes that a request has, and nothing inside. One without the
// address to ask about is for the generic catalogue: the schema of XEP-0258 has it optional, and its text says nothing
// of it. Errors are *RequestError.
func ParseRequest(s stanza.Stanza) (Request, error) {
	switch {
	case !IsRequest(s):
		return Request{}, &RequestError{Condition: stanza.ServiceUnavailable, Detail: "not a catalogue request"}
	case s.Type() != stanza.IQGet:
		return Request{}, &RequestError{Condition: stanza.NotAllowed, Detail: "a catalogue cannot be set"}
	}
	e := s.Payload()
	if err := onlyAttributes(e, "to", "from", "node"); err != nil {
		return Request{}, badRequest(err.Error())
	}
	if e.NumNodes() > 0 && (e.NumNodes() > 1 || e.NodeAt(0).Element != nil || !isSpace(e.NodeAt(0).Text)) {
		return Request{}, badRequest("something inside the catalog")
	}
	var r Request
	var err error
	if to, has := e.Attr("to"); has {
		if r.To, err = jid.Parse(to); err != nil {
			return Request{}, &RequestError{Condition: stanza.JIDMalformed, Detail: "to: " + err.Error()}
		}
	}
	if r.From, err = asker(s, e); err != nil {
		return Request{}, err
	}
	node, has := e.Attr("node")
	if has && (node == "" || len(node) > MaxNode || !printable(node)) {
		return Request{}, badRequest("the node has no name, a long one or one with control characters")
	}
	r.Node = node
	return r, nil
}

// asker returns on whose behalf the request is. A server may ask for its own users, a user for himself.
func asker(s stanza.Stanza, e *xmlstream.Element) (jid.JID, error) {
	sender := s.From()
	if sender.IsZero() {
		return jid.JID{}, badRequest("a request from nobody")
	}
	from, has := e.Attr("from")
	if !has {
		return sender.Bare(), nil
	}
	user, err := jid.Parse(from)
	switch {
	case err != nil:
		return jid.JID{}, &RequestError{Condition: stanza.JIDMalformed, Detail: "from: " + err.Error()}
	case !user.IsBare():
		return jid.JID{}, badRequest("from is not the bare address of a user")
	case user.Domain() != sender.Domain() || sender.Local() != "" && user != sender.Bare():
		return jid.JID{}, &RequestError{Condition: stanza.Forbidden, Detail: "a request on behalf of somebody else's user"}
	}
	return user, nil
}

func isSpace(s string) bool { return strings.Trim(s, " \t\r\n") == "" }

// onlyAttributes refuses every other attribute, with or without namespace: XEP-0258's schema declares them global, all
// examples and clients write them plain.
func onlyAttributes(e *xmlstream.Element, names ...string) error {
	for i := range e.NumAttrs() {
		a := e.AttrAt(i)
		if a.Name.Space != "" || !slices.Contains(names, a.Name.Local) {
			return errorf(0, "attribute %s is not one of %s", quoted(a.Name), strings.Join(names, ", "))
		}
	}
	return nil
}

// Answer is what an asker gets. The zero value refuses.
type Answer uint8

const (
	RefuseRequest  Answer = iota // not-authorized
	EmptyCatalogue               // a catalogue without items: says nothing, breaks nothing
	GiveCatalogue                // the catalogue, filtered
)

var answerNames = [...]string{RefuseRequest: "refuse", EmptyCatalogue: "empty", GiveCatalogue: "give"}

func (a Answer) String() string {
	if int(a) < len(answerNames) {
		return answerNames[a]
	}
	return "unknown"
}

// ParseAnswer is the inverse of String.
func ParseAnswer(s string) (Answer, bool) {
	i := slices.Index(answerNames[:], s)
	return Answer(max(i, 0)), i >= 0
}

// Admission says who gets an answer: a catalogue reveals clearances. The zero value refuses everybody.
type Admission struct {
	// Local are the domains of this service. Their users, and no other addresses of them, get the catalogue.
	Local []string
	// Peers are other domains with a rule of their own.
	Peers map[string]Answer
	// Strangers is the answer to everybody else.
	Strangers Answer
}

// Decide returns the answer to a request.
func (a Admission) Decide(r Request) Answer {
	domain := r.From.Domain()
	if domain == "" {
		return RefuseRequest
	}
	if slices.Contains(a.Local, domain) {
		if r.From.Local() == "" {
			return RefuseRequest // rooms, components and the server itself have no clearance to reveal
		}
		return GiveCatalogue
	}
	if own, ok := a.Peers[domain]; ok {
		return own
	}
	return a.Strangers
}

// Refusal returns the error for the answer RefuseRequest (XEP-0258 prescribes none).
func Refusal() *RequestError {
	return &RequestError{Condition: stanza.NotAuthorized, Detail: "the asker gets no catalogue"}
}

func quoted(n xmlstream.Name) string {
	if n.Space != "" {
		return labels.Quote("{" + n.Space + "}" + n.Local)
	}
	return labels.Quote(n.Local)
}
