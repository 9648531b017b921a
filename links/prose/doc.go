// Package prose is English in the manner of those who write to each other over radio: words and sentences of our own, one of them a line,
// which models (links/compact) and dictionaries (links/deflate) begin with before they have seen any traffic.
//
// It says nothing of anybody: nobody in it exists, and nothing of it happened. Nobody else's sentences may get into it, and none of those
// that figures are measured with.
//
// It is part of what both ends of a link must have alike: another text makes other models and dictionaries, and their fingerprints say so.
package prose

import _ "embed" // the text

//go:embed prose.txt
var text string

// Text returns it.
func Text() string { return text }
