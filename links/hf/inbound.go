package hf

import (
	"errors"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/links"
	"sallyport/links/fanout"
)

const maxDetail = 200

func clip(text string) string { return text[:min(len(text), maxDetail)] }

// examine turns an element into an event: a stanza of the peer, something to refuse with a record, or something to drop and note.
func (c *Config) examine(e *xmlstream.Element, also []jid.JID, f links.Frame, bytes int) event {
	st, err := stanza.From(e)
	var bad *stanza.Malformed
	switch {
	case err == nil && !c.Remote(st.From().DomainJID()):
		return event{kind: noticed, word: NoticeForeign, detail: clip("from " + st.From().Domain()), frame: f, bytes: bytes}
	case err == nil:
		out := event{kind: arrived, stanza: st, also: also, frame: f, bytes: bytes}
		if len(also) > 0 {
			if _, err := fanout.Expand(st, also); err != nil {
				return refusedAs(out, stanza.BadRequest, err.Error())
			}
		}
		if !c.Local(st.To().DomainJID()) {
			return refusedAs(out, stanza.ItemNotFound, "the domain is not one of this end")
		}
		return out
	case errors.As(err, &bad) && bad.Stream == stanza.NoStreamCondition && c.Remote(bad.From.DomainJID()):
		return event{kind: arrived, malformed: bad, frame: f, bytes: bytes}
	}
	return event{kind: noticed, word: NoticeMalformed, detail: clip(err.Error()), frame: f, bytes: bytes}
}

// refusedAs is how a stanza is refused that this end cannot take.
func refusedAs(e event, c stanza.Condition, why string) event {
	st := e.stanza
	e.malformed = &stanza.Malformed{
		Stanza: c, Kind: st.Kind(), Type: st.Type(), ID: st.ID(), To: st.To(), From: st.From(), Detail: clip(why), Element: st.Element(),
	}
	e.stanza, e.also = stanza.Stanza{}, nil
	return e
}

// limits bound one element.
func limits() xmlstream.Limits {
	l := xmlstream.ServerLimits()
	l.ElementBytes = min(l.ElementBytes, maxStanza)
	return l
}

func isShort(err error) bool { return errors.Is(err, xmlstream.ErrShort) }
