package rules

import (
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
)

// Profile is a compiled allow-list. It is immutable; the nil Profile and the zero Profile refuse everything.
type Profile struct {
	name          string
	strip         bool
	stripPresence bool
	encrypted     bool
	types         typeSet
	errors        uint32 // set of stanza.Condition
	carriers      uint16 // set of Carrier
	limits        LimitSpec
	text          textPolicy
	roots         [stanza.IQ + 1]*node
}

// ProfileVerdict is what a profile says. The zero value refuses.
type ProfileVerdict uint8

// The verdicts.
const (
	Deny     ProfileVerdict = iota
	Pass                    // the stanza as it came
	Stripped                // a changed stanza: something removed, or text normalised
)

// String returns deny, pass or stripped.
func (v ProfileVerdict) String() string {
	switch v {
	case Pass:
		return "pass"
	case Stripped:
		return "stripped"
	case Deny:
	}
	return "deny"
}

// ProfileResult is a verdict with what goes with it.
type ProfileResult struct {
	Verdict ProfileVerdict
	Stanza  stanza.Stanza // what may go on; zero when denied
	Reason  Reason        // why it was denied
	Path    string        // where, as message/{urn:x}y@attribute; bounded, names only
	Removed []string      // paths of what was removed, at most 16
}

// Limits of what a result tells about a stanza.
const (
	maxRemoved = 16
	maxName    = 80  // bytes of one name in a path
	maxPath    = 320 // bytes of a path
)

// Name returns the name from the specification.
func (p *Profile) Name() string {
	if p == nil {
		return ""
	}
	return p.name
}

// AllowsCarrier reports whether stanzas may cross inside carriers of that sort. What is inside is judged by itself.
func (p *Profile) AllowsCarrier(c Carrier) bool {
	return p != nil && c != UnknownCarrier && p.carriers&(1<<c) != 0
}

// Check judges the shape of s. It allocates nothing when s passes as it is.
//
// What is inside an allowed carrier is measured here and not judged: see Wrapped.
func (p *Profile) Check(s stanza.Stanza) ProfileResult {
	if p == nil || s.IsZero() || !p.types.has(s.Type()) {
		return p.denyType(s)
	}
	root := s.Element()
	if typ, ok := root.Attr("type"); ok && s.Type() == stanza.MessageNormal && typ != "normal" {
		return ProfileResult{Reason: NotListed, Path: "message@type"} // a type nobody knows (bad-inputs H10)
	}
	if s.IsError() {
		return p.checkError(s)
	}
	w := walk{p: p, s: s, content: root.Space(), strip: p.strip || s.Kind() == stanza.Presence && p.stripPresence}
	out, ok := w.element(root, p.roots[s.Kind()], 1)
	switch {
	case !ok:
		return ProfileResult{Reason: w.reasonIn(root), Path: w.path}
	case out == root:
		return ProfileResult{Verdict: Pass, Stanza: s}
	case s.Kind() == stanza.Message && len(w.removed) > 0 && hollow(out):
		return ProfileResult{Reason: Empty, Path: "message", Removed: w.removed}
	}
	changed, err := s.WithElement(out)
	if err != nil {
		return ProfileResult{Reason: NotListed, Path: s.Kind().String(), Removed: w.removed}
	}
	return ProfileResult{Verdict: Stripped, Stanza: changed, Removed: w.removed}
}

func (p *Profile) denyType(s stanza.Stanza) ProfileResult {
	reason := NotListed
	if s.Kind() == stanza.IQ {
		reason = IQKind
	}
	return ProfileResult{Reason: reason, Path: s.Kind().String() + "@type"}
}

// checkError makes an error anew from the template: nothing of what came with it crosses (bad-inputs I20, J17).
func (p *Profile) checkError(s stanza.Stanza) ProfileResult {
	if len(s.ID()) > p.limits.IDBytes {
		return ProfileResult{Reason: TooLarge, Path: s.Kind().String() + "@id"}
	}
	if p.text.check(s.ID()) != textClean {
		return ProfileResult{Reason: UnicodePolicy, Path: s.Kind().String() + "@id"}
	}
	cond, typ := s.Error()
	if p.errors&(1<<cond) == 0 {
		cond, typ = stanza.ServiceUnavailable, stanza.NoErrorType
	}
	out := stanza.Retold(s, cond, typ)
	if s.Element().Equal(out.Element()) {
		return ProfileResult{Verdict: Pass, Stanza: s}
	}
	return ProfileResult{Verdict: Stripped, Stanza: out, Removed: []string{s.Kind().String() + "/error details"}}
}

// hollow reports a message in which nothing is left but a label.
func hollow(e *xmlstream.Element) bool {
	for child := range e.Children() {
		if child.Space() != nsLabel {
			return false
		}
	}
	return true
}

const nsLabel = "urn:xmpp:sec-label:0"
