package labels

import "slices"

// WithoutPrivacyMark returns the label without its privacy mark: l itself when it has none. The mark is text of the
// sender that has no say in a decision (RFC 2634 §3.1.3), and so a channel.
func (l *Label) WithoutPrivacyMark() *Label {
	if l == nil || l.privacy == "" {
		return l
	}
	bare := *l
	bare.privacy, bare.values, bare.bits = "", slices.Clone(l.values), slices.Clone(l.bits)
	bare.marking, _, _ = l.policy.Marking(&bare, "")
	return &bare
}
