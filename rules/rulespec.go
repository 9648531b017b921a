package rules

import "sallyport/labels"

// File names a file, relative to the configuration that holds the rule. This package opens none.
type File string

// RuleSpec is one rule as an operator writes it. Rules are tried in order; those that change the stanza are followed by
// the next, those that decide (allow, refuse, hold) end the search. A stanza that no rule decides about is allowed:
// what may cross at all is the business of peers, labels and the profile; rules take away from it.
type RuleSpec struct {
	// Name for messages, audit and counters; must be unique.
	ID string `toml:"id"`
	// What the rule is about. Keys that are left out match everything; an empty table matches every stanza.
	When MatchSpec `toml:"when"`
	// One of: allow, refuse, hold, strip, fold, drop-chat-states, rewrite, mark, rate, relabel, precedence.
	Action string `toml:"action"`

	// For refuse and rate: the stanza error condition; policy-violation if left out.
	Condition string `toml:"condition"`
	// For refuse and rate: error (the sender is told) or silent; error if left out.
	Reply string `toml:"reply"`
	// For strip: children of the stanza to remove, as "body", "{namespace}local" or "{namespace}*".
	Elements []string `toml:"elements"`
	// For fold.
	Fold FoldSpec `toml:"fold"`
	// For rewrite.
	Rewrite RewriteSpec `toml:"rewrite"`
	// For mark: put before the body on a line of its own; {marking} stands for the marking of the label.
	Mark string `toml:"mark"`
	// For rate.
	Rate RateSpec `toml:"rate"`
	// For relabel: file with the label that a message goes on under, in place of its own.
	Label File `toml:"label"`
	// The stanza may leave under a lower label than it came with; says so in the audit. For rules that let it go on. A
	// relabel rule without it refuses what its label is not at least as restrictive for.
	Downgrade bool `toml:"downgrade"`
	// How urgent what matches is where it has to wait for a link: routine, priority, immediate or flash. For rules that
	// let it go on; of several the last counts. It is never written into the stanza.
	Precedence string `toml:"precedence"`

	// NewLabel is what Label holds, put here by whoever reads files.
	NewLabel *labels.Label `toml:"-"`
}

// MatchSpec says which stanzas a rule is about: all keys that are given must match, each by any of its values.
type MatchSpec struct {
	// Sides that it comes from, by name.
	FromSide []string `toml:"from-side"`
	// Sides that it goes to.
	ToSide []string `toml:"to-side"`
	// Peers that it comes from, by name.
	FromPeer []string `toml:"from-peer"`
	// Peers that it goes to.
	ToPeer []string `toml:"to-peer"`
	// Kinds: message, presence, iq.
	Kinds []string `toml:"kinds"`
	// Types: chat, groupchat, get, subscribe, ... ; a name that several kinds have stands for all of them.
	Types []string `toml:"types"`
	// Senders: a domain "b.example" (everybody there), "*.b.example" (everybody in domains below it), or one bare
	// address "u@b.example".
	From []string `toml:"from"`
	// Destinations, in the same way.
	To []string `toml:"to"`
	// Children of the stanza: "body", "{namespace}local" or "{namespace}*".
	Elements []string `toml:"elements"`
	// Names of classifications. A stanza without a label matches none.
	Labels []string `toml:"labels"`
}

// FoldSpec reduces presence to what the other side may know: whether somebody is there, and how, from a short list.
// Text, priority and extensions are dropped.
type FoldSpec struct {
	// Availabilities that may be seen: online, away, chat, dnd, xa. Empty is online alone.
	Show []string `toml:"show"`
	// What any other becomes; online if left out. Must be in show.
	Other string `toml:"other"`
	// Children that stay, as "{namespace}local": what rooms need to work.
	Keep []string `toml:"keep"`
}

// RewriteSpec changes parts of a stanza.
type RewriteSpec struct {
	// Replaces the text of a subject that is there.
	Subject string `toml:"subject"`
	// Parts to remove: subject, thread, from-resource.
	Remove []string `toml:"remove"`
	// Replaces the resource of a sender that has one.
	FromResource string `toml:"from-resource"`
}

// RateSpec bounds how many stanzas pass in a time. The package has no clock: the caller keeps one bucket for each rule
// and scope, fills it at PerMinute up to Burst, and hands the levels in with each Input.
type RateSpec struct {
	// Stanzas that pass in a minute, on the long run.
	PerMinute int `toml:"per-minute"`
	// Stanzas that may pass at once; per-minute if left out.
	Burst int `toml:"burst"`
	// Who shares a bucket: pair (of domains) or sender; pair if left out.
	Per string `toml:"per"`
}

// The actions.
const (
	actAllow = iota + 1
	actRefuse
	actHold
	actStrip
	actFold
	actDropStates
	actRewrite
	actMark
	actRate
	actRelabel
	actPrecedence
)

var actions = map[string]uint8{
	"allow": actAllow, "refuse": actRefuse, "hold": actHold, "strip": actStrip, "fold": actFold,
	"drop-chat-states": actDropStates, "rewrite": actRewrite, "mark": actMark, "rate": actRate, "relabel": actRelabel,
	"precedence": actPrecedence,
}

// Decides reports whether a rule with this action ends the search when it matches.
func (r *RuleSpec) Decides() bool {
	switch actions[r.Action] {
	case actAllow, actRefuse, actHold:
		return true
	}
	return false
}
