package stream

import (
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
)

// Namespaces of stream compression (XEP-0138).
const (
	nsCompress        = "http://jabber.org/protocol/compress"
	nsCompressFeature = "http://jabber.org/features/compress"
	methodZlib        = "zlib"
)

// maxCompress is how often a client may ask in vain.
const maxCompress = 5

// Compress: flush what was written; what follows is compressed by zlib, both ways.
type Compress struct{}

func (Compress) output() {}

// mayCompress: only who is known may make us inflate, and only before a resource is bound (XEP-0170 §2.1).
func (m *Client) mayCompress() bool {
	return m.policy.Compress && m.auth.done && m.address.IsZero() && !m.compressed && m.framing == Stream && m.old == nil
}

// compressFeature offers it where it may be asked for.
func (m *Client) compressFeature(list []*xmlstream.Element) []*xmlstream.Element {
	if !m.mayCompress() {
		return list
	}
	return append(list, with(el(nsCompressFeature, "compression"), withText(el(nsCompressFeature, "method"), methodZlib)))
}

// compressElement is the receiving side of <compress/>. Where it is not on offer, no method is supported (bad-inputs M01).
func (m *Client) compressElement(e *xmlstream.Element, buffered int) {
	method := e.Child(nsCompress, "method")
	switch {
	case e.Local() != "compress":
		m.unsupported(e)
	case method == nil || method.Text() != methodZlib || !m.mayCompress():
		if m.askedCompress++; m.askedCompress > maxCompress {
			m.streamError(stanza.StreamPolicyViolation, "too many requests for compression", nil)
			return
		}
		m.write(with(el(nsCompress, "failure"), el(nsCompress, "unsupported-method")))
	case buffered > 0: // they would be read as if they had been compressed
		m.injection("bytes behind compress")
	default:
		m.compressed = true
		m.write(el(nsCompress, "compressed"))
		m.emit(Compress{})
		m.restart(m.cfg.elements())
	}
}
