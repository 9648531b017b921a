// Package xmlstream reads and writes the XML of XMPP: a strict decoder that is pushed bytes, an immutable element tree,
// and a writer that has one form for each tree.
package xmlstream
