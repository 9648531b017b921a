package rules

import "sallyport/internal/xmpp/xmlstream"

// hiding reports why e must not simply be removed: it is or holds encryption, or carries a stanza. Whoever sends such a
// thing is told no, in every mode; to deliver the rest as if it had not been there would be a silent loss.
func hiding(e *xmlstream.Element) Reason {
	if isEncrypted(e.Name()) {
		return EncryptedBody
	}
	if _, ok := carrierOf(e.Name()); ok || isStanza(e) {
		return WrappedStanza
	}
	for child := range e.Children() {
		if r := hiding(child); r != NoReason {
			return r
		}
	}
	return NoReason
}

// reasonIn gives the reason of a refusal. Depth comes before all others: what is nested beyond the limit is refused for
// that, whatever the walk met first (bad-inputs J04).
func (w *walk) reasonIn(root *xmlstream.Element) Reason {
	if deeper(root, w.p.limits.Depth) {
		return TooDeep
	}
	return w.reason
}

// deeper reports whether e has more than n levels, itself counted.
func deeper(e *xmlstream.Element, n int) bool {
	if n == 0 {
		return true
	}
	for child := range e.Children() {
		if deeper(child, n-1) {
			return true
		}
	}
	return false
}

// shown is a name in a path: bounded, and without the namespace where that is the stanza's own.
func shown(n xmlstream.Name, content string) string {
	switch n.Space {
	case "", content, contentMark:
		return clip(n.Local, maxName)
	case xmlstream.NSXML:
		return clip("xml:"+n.Local, maxName)
	}
	return "{" + clip(n.Space, maxName) + "}" + clip(n.Local, maxName)
}

// clip bounds what a peer can write into our records.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xC0 == 0x80 { // not inside a character
		n--
	}
	return s[:n] + "…"
}
