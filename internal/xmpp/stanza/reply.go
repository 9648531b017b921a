package stanza

import (
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/xmlstream"
)

// ErrorOptions vary the template of an error. The zero value is the condition with its usual type and nothing else.
type ErrorOptions struct {
	Type ErrorType          // instead of the usual one
	Text string             // words of ours, in English; never words of a peer
	App  *xmlstream.Element // an application-specific condition of ours
	From jid.JID            // who answers, where it is not the recipient of s
}

// ErrorReply builds the answer to s. ok is false where RFC 6120 §8.3.1 and RFC 6121 §4.7.2 forbid one: to an error, to
// an IQ result, to unavailable presence; and where s names no sender.
func ErrorReply(s Stanza, c Condition, opts ErrorOptions) (answer Stanza, ok bool) {
	if s.IsZero() {
		return Stanza{}, false
	}
	return reply(origin{s.kind, s.typ, s.id, s.to, s.from}, c, opts)
}

// Retold returns the error stanza s made anew from the template with condition c: same addresses, same id, nothing else
// of what the peer wrote. It is the only form in which an error should cross a boundary (bad-inputs I20).
// It is zero where s is no error.
func Retold(s Stanza, c Condition, t ErrorType) Stanza {
	if !s.IsError() {
		return Stanza{}
	}
	return build(s.typ, s.id, s.from, s.to, errorElement(c, ErrorOptions{Type: t}))
}

// origin is what an answer may know of the stanza it answers.
type origin struct {
	kind     Kind
	typ      Type
	id       string
	to, from jid.JID
}

func reply(o origin, c Condition, opts ErrorOptions) (Stanza, bool) {
	if c == NoCondition || c >= numConditions || o.from.IsZero() {
		return Stanza{}, false
	}
	switch o.typ {
	case MessageError, PresenceError, PresenceUnavailable, IQResult, IQError:
		return Stanza{}, false
	case NoType, MessageNormal, MessageChat, MessageGroupchat, MessageHeadline, PresenceAvailable, PresenceSubscribe,
		PresenceSubscribed, PresenceUnsubscribe, PresenceUnsubscribed, PresenceProbe, IQGet, IQSet:
	}
	from, to := o.to, o.from
	if o.typ == MessageGroupchat && o.to.IsFull() {
		to = to.Bare() // a room sent it: answer the room, or its occupant would be the one who fails (XEP-0045 §18.1.2)
	}
	if !opts.From.IsZero() {
		from = opts.From
	}
	if from.IsZero() {
		return Stanza{}, false
	}
	return build(errorTypeOf(o.kind), o.id, from, to, errorElement(c, opts)), true
}

func errorTypeOf(k Kind) Type {
	switch k {
	case Message:
		return MessageError
	case Presence:
		return PresenceError
	case IQ:
		return IQError
	case NoKind:
	}
	return NoType
}

// build makes a stanza for a server stream around one child.
func build(t Type, id string, from, to jid.JID, child *xmlstream.Element) Stanza {
	attrs := make([]xmlstream.Attr, 0, 4)
	for _, a := range []xmlstream.Attr{
		attr(fromAttr, from.String()), attr(idAttr, id), attr(toAttr, to.String()), attr(typeAttr, types[t].attr),
	} {
		if a.Value != "" || a.Name.Local == idAttr && t.Kind() == IQ { // the schema wants an id, even where the peer gave none
			attrs = append(attrs, a)
		}
	}
	name := xmlstream.Name{Space: xmlstream.NSServer, Local: t.Kind().String()}
	el := xmlstream.NewElement(name, attrs, xmlstream.ElementNode(child))
	return Stanza{el: el, id: id, to: to, from: from, kind: t.Kind(), typ: t}
}

// errorElement is the template of RFC 6120 §8.3.2.
func errorElement(c Condition, opts ErrorOptions) *xmlstream.Element {
	t := opts.Type
	if t == NoErrorType {
		t = c.DefaultType()
	}
	nodes := conditionNodes(xmlstream.NSStanzas, c.String(), opts.Text, opts.App)
	name := xmlstream.Name{Space: xmlstream.NSServer, Local: errorName}
	return xmlstream.NewElement(name, []xmlstream.Attr{attr(typeAttr, t.String())}, nodes...)
}

// StreamError builds the element that ends a stream (RFC 6120 §4.9.2). An unset condition becomes undefined-condition.
// text and app are ours, or empty and nil.
func StreamError(c StreamCondition, text string, app *xmlstream.Element) *xmlstream.Element {
	if c == NoStreamCondition || c >= numStreamConditions {
		c = StreamUndefinedCondition
	}
	name := xmlstream.Name{Space: xmlstream.NSStream, Local: errorName}
	return xmlstream.NewElement(name, nil, conditionNodes(xmlstream.NSStreams, c.String(), text, app)...)
}

// conditionNodes is the part that stanza and stream errors share: condition, text, application condition.
func conditionNodes(space, condition, text string, app *xmlstream.Element) []xmlstream.Node {
	nodes := make([]xmlstream.Node, 0, 3)
	nodes = append(nodes, xmlstream.ElementNode(xmlstream.NewElement(xmlstream.Name{Space: space, Local: condition}, nil)))
	if text != "" {
		lang := xmlstream.Attr{Name: xmlstream.Name{Space: xmlstream.NSXML, Local: "lang"}, Value: "en"}
		el := xmlstream.NewElement(xmlstream.Name{Space: space, Local: "text"}, []xmlstream.Attr{lang}, xmlstream.TextNode(text))
		nodes = append(nodes, xmlstream.ElementNode(el))
	}
	if app != nil {
		nodes = append(nodes, xmlstream.ElementNode(app))
	}
	return nodes
}

func attr(local, value string) xmlstream.Attr {
	return xmlstream.Attr{Name: xmlstream.Name{Local: local}, Value: value}
}
