package stanza

// Kind is the kind of a stanza (RFC 6120 §8.2). The zero value is no stanza.
type Kind uint8

// The three kinds.
const (
	NoKind Kind = iota
	Message
	Presence
	IQ
	numKinds
)

var kinds = [numKinds]string{"", "message", "presence", "iq"}

// String returns the element name, or the empty string for NoKind.
func (k Kind) String() string {
	if k >= numKinds {
		return ""
	}
	return kinds[k]
}

// ParseKind is the inverse of String; ok is false for any other name.
func ParseKind(name string) (k Kind, ok bool) {
	switch name {
	case "message":
		return Message, true
	case "presence":
		return Presence, true
	case "iq":
		return IQ, true
	}
	return NoKind, false
}

// Type is the type of a stanza together with its kind, so that message and presence errors are different types.
// The zero value is invalid.
type Type uint8

// The types of RFC 6121 §5.2.2, §4.7.1 and RFC 6120 §8.2.3.
const (
	NoType Type = iota
	MessageNormal
	MessageChat
	MessageGroupchat
	MessageHeadline
	MessageError
	PresenceAvailable
	PresenceUnavailable
	PresenceSubscribe
	PresenceSubscribed
	PresenceUnsubscribe
	PresenceUnsubscribed
	PresenceProbe
	PresenceError
	IQGet
	IQSet
	IQResult
	IQError
	numTypes
)

// types gives the kind, the name used in configuration and audit, and the attribute value of each type.
var types = [numTypes]struct {
	kind       Kind
	name, attr string
}{
	NoType:               {NoKind, "", ""},
	MessageNormal:        {Message, "normal", "normal"},
	MessageChat:          {Message, "chat", "chat"},
	MessageGroupchat:     {Message, "groupchat", "groupchat"},
	MessageHeadline:      {Message, "headline", "headline"},
	MessageError:         {Message, "error", "error"},
	PresenceAvailable:    {Presence, "available", ""},
	PresenceUnavailable:  {Presence, "unavailable", "unavailable"},
	PresenceSubscribe:    {Presence, "subscribe", "subscribe"},
	PresenceSubscribed:   {Presence, "subscribed", "subscribed"},
	PresenceUnsubscribe:  {Presence, "unsubscribe", "unsubscribe"},
	PresenceUnsubscribed: {Presence, "unsubscribed", "unsubscribed"},
	PresenceProbe:        {Presence, "probe", "probe"},
	PresenceError:        {Presence, "error", "error"},
	IQGet:                {IQ, "get", "get"},
	IQSet:                {IQ, "set", "set"},
	IQResult:             {IQ, "result", "result"},
	IQError:              {IQ, "error", "error"},
}

// String returns the name of the type without its kind: the attribute value, "normal" for a message without one,
// "available" for a presence without one.
func (t Type) String() string {
	if t >= numTypes {
		return ""
	}
	return types[t].name
}

// Kind returns the kind the type belongs to.
func (t Type) Kind() Kind {
	if t >= numTypes {
		return NoKind
	}
	return types[t].kind
}

// ParseType is the inverse of String for a given kind; ok is false for any other name.
func ParseType(k Kind, name string) (t Type, ok bool) {
	for t := MessageNormal; t < numTypes; t++ {
		if types[t].kind == k && types[t].name == name {
			return t, true
		}
	}
	return NoType, false
}

// typeFromAttr reads the type attribute of a stanza. An unknown message type counts as normal (RFC 6121 §5.2.2); an
// unknown presence or IQ type is NoType.
func typeFromAttr(k Kind, attr string, present bool) Type {
	if !present {
		switch k {
		case Message:
			return MessageNormal
		case Presence:
			return PresenceAvailable
		case NoKind, IQ:
			return NoType
		}
	}
	for t := MessageNormal; t < numTypes; t++ {
		if types[t].kind == k && types[t].attr == attr && attr != "" {
			return t
		}
	}
	if k == Message {
		return MessageNormal
	}
	return NoType
}
