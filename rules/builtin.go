package rules

// Names of the built-in profiles.
const (
	Strict     = "strict"
	Chat       = "chat"
	Federation = "federation"
)

// DefaultProfile returns a built-in specification for use as it is or as the start of another. Any other name gives the
// zero specification, which does not compile.
func DefaultProfile(name string) ProfileSpec {
	switch name {
	case Strict:
		return strictProfile()
	case Chat:
		return chatProfile()
	case Federation:
		return federationProfile()
	}
	return ProfileSpec{}
}

// Places, so that the tables below stay readable.
var (
	inMessage  = []string{"message"}
	inPresence = []string{"presence"}
	inIQ       = []string{"iq"}
	inBoth     = []string{"message", "presence"}
)

const (
	available = "available"
	showWords = "away|chat|dnd|xa"
)

// fewErrors are the conditions that a strict boundary tells apart (bad-inputs J17).
func fewErrors() []string {
	return []string{
		"bad-request", "feature-not-implemented", "item-not-found", "policy-violation", "remote-server-timeout",
		"service-unavailable",
	}
}

// strictProfile lets one plain text cross, with its label and little more. What ordinary clients put beside it is
// dropped without refusing the message; what looks like content is not.
func strictProfile() ProfileSpec {
	return ProfileSpec{
		Name:         Strict,
		Mode:         modeStrict,
		PresenceMode: modeStrip,
		Messages:     []string{"normal", "chat", "groupchat", "error"},
		Presence:     []string{available, "unavailable", "subscribe", "subscribed", "unsubscribe", "unsubscribed", "error"},
		Errors:       fewErrors(),
		Attributes:   []string{"xml:lang=drop"},
		Limits:       LimitSpec{BodyBytes: 8 << 10, TextBytes: 1 << 10, IDBytes: 128, Total: 32 << 10, Elements: 128},
		Elements: join(
			[]ElementSpec{
				{Name: "body", In: inMessage, Text: "any"},
				{Name: "subject", In: inMessage, Text: "any"},
				{Name: "thread", In: inMessage, Text: "token"},
				{Name: "show", In: inPresence, Types: []string{available}, Text: showWords},
			},
			labelElements(),
			dropped(inMessage, clientNoise...),
		),
	}
}

// clientNoise is what clients add to nearly every message and what says nothing that its reader would miss.
var clientNoise = []string{
	"{" + nsStates + "}active", "{" + nsStates + "}composing", "{" + nsStates + "}paused",
	"{" + nsStates + "}inactive", "{" + nsStates + "}gone",
	"{" + nsReceipts + "}request", "{" + nsMarkers + "}markable",
	"{" + nsIDs + "}origin-id", "{" + nsIDs + "}stanza-id", "{" + nsHints + "}store",
	"{http://jabber.org/protocol/nick}nick", "{urn:xmpp:occupant-id:0}occupant-id", "{urn:xmpp:delay}delay",
}

func dropped(in []string, names ...string) []ElementSpec {
	specs := make([]ElementSpec, 0, len(names))
	for _, name := range names {
		specs = append(specs, ElementSpec{Name: name, In: in, Drop: true, Max: maxOccurs})
	}
	return specs
}

// chatProfile is people writing to each other and meeting in rooms: no discovery, no profiles, no notifications.
func chatProfile() ProfileSpec {
	return ProfileSpec{
		Name:       Chat,
		Mode:       modeStrip,
		Messages:   []string{"normal", "chat", "groupchat", "error"},
		Presence:   allPresence(),
		IQ:         []string{"get", "result", "error"},
		Errors:     append(fewErrors(), "forbidden", "not-allowed", "not-authorized", "conflict", "not-acceptable", "registration-required"),
		Attributes: []string{"xml:lang=lang"},
		Limits:     LimitSpec{TextBytes: 2 << 10, Total: 48 << 10, Elements: 256},
		Text:       TextSpec{Joiners: 8, VariationSelectors: 16},
		Elements: join(
			[]ElementSpec{
				{Name: "body", In: inMessage, Text: "any"},
				{Name: "subject", In: inMessage, Text: "any"},
				{Name: "thread", In: inMessage, Text: "token"},
				{Name: "show", In: inPresence, Types: []string{available}, Text: showWords},
				{Name: "{urn:xmpp:ping}ping", In: inIQ, Types: []string{"get"}},
			},
			labelElements(),
			courtesies(),
			roomElements(),
		),
	}
}

func allPresence() []string {
	return []string{available, "unavailable", "subscribe", "subscribed", "unsubscribe", "unsubscribed", "probe", "error"}
}

func join(lists ...[]ElementSpec) []ElementSpec {
	var all []ElementSpec
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}
