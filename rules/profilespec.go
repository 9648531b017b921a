package rules

// ProfileSpec is a profile as an operator writes it. DefaultProfile returns the three that are built in; print one,
// change it, and give it a name of its own. An empty list allows nothing.
//
// An element is named by its local name alone where it is in the stanza's own namespace (body, subject, show), and as
// "{namespace}local" otherwise.
type ProfileSpec struct {
	// Name for messages about the profile.
	Name string `toml:"name"`
	// What happens to what is not on the list: strict refuses the stanza, strip removes it.
	Mode string `toml:"mode"`
	// The same for presence; empty is the same as mode.
	PresenceMode string `toml:"presence-mode"`
	// Types of message: normal, chat, groupchat, headline, error.
	Messages []string `toml:"messages"`
	// Types of presence: available, unavailable, subscribe, subscribed, unsubscribe, unsubscribed, probe, error.
	Presence []string `toml:"presence"`
	// Types of iq: get, set, result, error. Which requests, the list of elements says.
	IQ []string `toml:"iq"`
	// Conditions that an error may have when it crosses; any other becomes service-unavailable. Errors are always made
	// anew: condition and nothing else.
	Errors []string `toml:"errors"`
	// Carriers of other stanzas that may cross, what is inside judged too: forward, carbons, mam, pubsub, pubsub-event.
	Carriers []string `toml:"carriers"`
	// Lets end-to-end encrypted payloads pass, if they are listed too. Nobody can look inside.
	Encrypted bool `toml:"encrypted"`
	// Attributes of the stanza beside to, from, id and type; see ElementSpec.Attributes.
	Attributes []string      `toml:"attributes"`
	Limits     LimitSpec     `toml:"limits"`
	Text       TextSpec      `toml:"text"`
	Elements   []ElementSpec `toml:"element"`
}

// ElementSpec allows one element in one or more places.
type ElementSpec struct {
	// The element: "body", or "{urn:xmpp:receipts}received".
	Name string `toml:"name"`
	// Where it may stand: message, presence, iq, or the name of another element of this list.
	In []string `toml:"in"`
	// Types of stanza in which it may stand there; empty is all. Only where in is a kind of stanza.
	Types []string `toml:"types"`
	// Attributes as "name" or "name=class". Classes: any, id, token, number, time, lang, jid, drop, or the allowed
	// values with bars between, as in "none|member|admin|owner". Without a class: any. xml:lang is written so.
	Attributes []string `toml:"attributes"`
	// Text inside: none (which is the default) or a class as above.
	Text string `toml:"text"`
	// How many may stand in one place; 0 is 1.
	Max int `toml:"max"`
	// Allows everything below that is in the same namespace: elements, attributes without namespace, text.
	Deep bool `toml:"deep"`
	// The element is known, and removed even in strict mode.
	Drop bool `toml:"drop"`
	// An attribute that says who put the element there. It must be an address in the domain of the sender; with a
	// question mark at the end it may also be missing. An element that fails this is not on the list.
	Claim string `toml:"claim"`
}

// LimitSpec bounds a stanza. A zero is the default given with each.
type LimitSpec struct {
	BodyBytes int `toml:"body-bytes"` // the text of body, normalised: 16384
	TextBytes int `toml:"text-bytes"` // any other text or attribute, normalised: 4096
	IDBytes   int `toml:"id-bytes"`   // the stanza's id, and values of class id: 256
	Total     int `toml:"total"`      // names, attributes and texts together: 65536
	Elements  int `toml:"elements"`   // elements in the stanza: 512
	Depth     int `toml:"depth"`      // nesting, the stanza itself counted: 32
}

// TextSpec bounds the characters of every text and attribute. What it forbids refuses the stanza in every mode. Output
// is always NFC. Control characters, unassigned code points, bidi controls, tag characters, zero-width characters other
// than the two joiners, and fillers without a glyph are forbidden always.
type TextSpec struct {
	// Joiners (U+200C, U+200D) in one text. Emoji sequences and some scripts need them.
	Joiners int `toml:"joiners"`
	// Variation selectors in one text.
	VariationSelectors int `toml:"variation-selectors"`
	// Combining marks in a row; 0 is 4.
	CombiningMarks int `toml:"combining-marks"`
	// Allows private-use code points.
	PrivateUse bool `toml:"private-use"`
	// Refuses characters that are compatibility forms of others, such as ligatures and full-width letters.
	NoCompatibility bool `toml:"no-compatibility"`
	// Scripts by their Unicode names (Latin, Cyrillic, Han); empty is all. Common and Inherited are always allowed.
	Scripts []string `toml:"scripts"`
}

// Defaults of LimitSpec and TextSpec.
const (
	defaultBodyBytes = 16 << 10
	defaultTextBytes = 4 << 10
	defaultIDBytes   = 256
	defaultTotal     = 64 << 10
	defaultElements  = 512
	defaultDepth     = 32
	defaultMarks     = 4
)

func (l LimitSpec) withDefaults() LimitSpec {
	for _, f := range []struct {
		field *int
		value int
	}{
		{&l.BodyBytes, defaultBodyBytes},
		{&l.TextBytes, defaultTextBytes},
		{&l.IDBytes, defaultIDBytes},
		{&l.Total, defaultTotal},
		{&l.Elements, defaultElements},
		{&l.Depth, defaultDepth},
	} {
		if *f.field == 0 {
			*f.field = f.value
		}
	}
	return l
}
