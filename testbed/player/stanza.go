package player

import (
	"fmt"
	"strings"
	"time"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
	"sallyport/labels/xep0258"
)

// Label says what label a message carries. The zero value is none.
type Label struct {
	Class      string
	Releasable []string // to whom
	Syntax     xep0258.Syntax
}

// Element writes the label as a client would get it from a catalogue.
func (l Label) Element(p *labels.Policy) (string, error) {
	if l.Class == "" {
		return "", nil
	}
	lacv, ok := p.ClassNamed(l.Class)
	if !ok {
		return "", fmt.Errorf("the security policy has no classification %s", l.Class)
	}
	form := labels.LabelForm{Policy: p.ID(), Class: lacv}
	for _, nation := range l.Releasable {
		set, err := p.TagSetNamed("", "Release")
		if err != nil {
			return "", err
		}
		v, err := p.ValueNamed(set, labels.TypePermissive, nation)
		if err != nil {
			return "", err
		}
		form.Values = append(form.Values, v)
	}
	label, err := p.Label(form)
	if err != nil {
		return "", err
	}
	e, err := xep0258.Element(label, p, l.Syntax, time.Now())
	if err != nil {
		return "", err
	}
	b, err := xmlstream.AppendElement(nil, e, xmlstream.NSServer)
	return string(b), err
}

// Parse reads one stanza as it would stand on a stream.
func Parse(text string) (stanza.Stanza, error) {
	e, err := xmlstream.ParseDocument([]byte(text), xmlstream.Options{Limits: xmlstream.ServerLimits(), ContentNS: xmlstream.NSServer})
	if err != nil {
		return stanza.Stanza{}, err
	}
	return stanza.From(e)
}

// Text is the opposite of Parse.
func Text(e *xmlstream.Element) string {
	b, err := xmlstream.AppendElement(nil, e, xmlstream.NSServer)
	if err != nil {
		return "(cannot be written: " + err.Error() + ")"
	}
	return string(b)
}

// answer is what a server says to a request: who it is, or that it is there.
func answer(s stanza.Stanza) stanza.Stanza {
	const nsInfo = "http://jabber.org/protocol/disco#info"
	payload := ""
	switch p := s.Payload(); {
	case p.Is(nsInfo, "query"):
		payload = "<query xmlns='" + nsInfo + "'><identity category='server' type='im' name='demonstration'/><feature var='urn:xmpp:ping'/></query>"
	case p.Is("urn:xmpp:ping", "ping"):
	default:
		reply, _ := stanza.ErrorReply(s, stanza.ServiceUnavailable, stanza.ErrorOptions{})
		return reply
	}
	reply, err := Parse(fmt.Sprintf("<iq type='result' id='%s' from='%s' to='%s'>%s</iq>", quoted(s.ID()), quoted(s.To().String()), quoted(s.From().String()), payload))
	if err != nil {
		reply, _ = stanza.ErrorReply(s, stanza.InternalServerError, stanza.ErrorOptions{})
	}
	return reply
}

var quoted = strings.NewReplacer("&", "&amp;", "<", "&lt;", "'", "&apos;").Replace
