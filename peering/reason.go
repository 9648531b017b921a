package peering

// Reason is the audit word for a refusal. Words of the profile and of the label engine
// are taken over as they are; these are the ones of the engine itself.
type Reason string

const (
	NoReason       Reason = ""
	NoPolicy       Reason = "no-policy"       // no policy is active
	UnknownPeer    Reason = "unknown-peer"    // the neighbour is not in the table
	RefusedPeer    Reason = "refused-peer"    // the table says refuse
	BelowFloor     Reason = "below-floor"     // the stream is weaker than the peer's floor
	SpoofedFrom    Reason = "spoofed-from"    // the peer may not speak for that domain
	NoRoute        Reason = "no-route"        // no peer holds the destination domain
	Blacklisted    Reason = "black-list"      // a list of the domain has the other end
	NotWhitelisted Reason = "white-list"      // a list of the domain has others
	UnlistedPair   Reason = "unlisted-pair"   // these two peers may not talk
	SameSide       Reason = "same-side"       // both ends are on one side
	KindNotAllowed Reason = "kind"            // message, presence, muc or pubsub not allowed
	IQKind         Reason = "iq-kind"         // iq payload namespace not allowed
	Unsolicited    Reason = "unsolicited"     // answer that nobody waits for
	BadStanza      Reason = "bad-stanza"      // not a stanza RFC 6120 allows
	LabelMisplaced Reason = "label-misplaced" // label where XEP-0258 has none
	NoLabel        Reason = "no-label"
	Clearance      Reason = "clearance"
	SenderClear    Reason = "sender-clearance"
	NoMapping      Reason = "no-mapping"     // the label has no translation
	TargetInvalid  Reason = "target-invalid" // its translation is against the rules of the other policy
	Wrapped        Reason = "wrapped"
	RuleRefused    Reason = "rule"
	RuleHeld       Reason = "held"
	AddressRefused Reason = "address"
	Oversize       Reason = "size"
)
