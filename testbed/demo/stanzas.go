package main

import (
	"strings"

	"sallyport/internal/xmpp/xmlstream"
)

// errorText is what an error says to people: for the node's own, "reference" and the name of an audit record.
func errorText(e *xmlstream.Element) string {
	child := e.Child(e.Space(), "error")
	if child == nil {
		return ""
	}
	if t := child.Child(xmlstream.NSStanzas, "text"); t != nil {
		return t.Text()
	}
	return ""
}

// reference takes the reference out of an error of the node.
func reference(e *xmlstream.Element) string {
	ref, _ := strings.CutPrefix(errorText(e), "reference ")
	return ref
}
