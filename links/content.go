package links

import (
	"fmt"

	"sallyport/internal/xmpp/stanza"
)

// Content says what bytes on a link are for. The zero value is a message.
type Content uint8

// The contents. The last three are of no stanza, and no class of precedence has them.
const (
	Messages     Content = iota
	RoomMessages         // of type groupchat
	Presence
	IQ
	Acknowledgements // under custody or XEP-0198, with questions for them
	Framing          // what stands around stanzas, greetings, probes
	Overhead         // of what lies between the stream and the socket: TLS with its handshakes
	NumContents
)

var contentWords = [NumContents]string{"messages", "room-messages", "presence", "iq", "acknowledgements", "framing", "overhead"}

// String returns the word used in status and metrics.
func (c Content) String() string {
	if c < NumContents {
		return contentWords[c]
	}
	return fmt.Sprintf("content(%d)", uint8(c))
}

// ParseContent is the inverse of Content.String.
func ParseContent(word string) (Content, error) {
	for c := range NumContents {
		if contentWords[c] == word {
			return c, nil
		}
	}
	return 0, fmt.Errorf("links: no content %q", word)
}

// OfStanza reports whether it is that of stanzas.
func (c Content) OfStanza() bool { return c <= IQ }

// ContentOf says what a stanza is, by its name and type.
func ContentOf(name, typ string) Content {
	switch {
	case name == stanza.Presence.String():
		return Presence
	case name == stanza.IQ.String():
		return IQ
	case typ == stanza.MessageGroupchat.String():
		return RoomMessages
	}
	return Messages
}
