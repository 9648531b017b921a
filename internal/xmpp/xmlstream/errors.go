package xmlstream

import (
	"errors"
	"strconv"
)

// Conditions of an Error: those stream conditions of RFC 6120 §4.9.3 that reading can decide, and NotCanonical.
const (
	BadFormat           = "bad-format"
	BadNamespacePrefix  = "bad-namespace-prefix"
	InvalidNamespace    = "invalid-namespace"
	NotWellFormed       = "not-well-formed"
	PolicyViolation     = "policy-violation"
	RestrictedXML       = "restricted-xml"
	UnsupportedEncoding = "unsupported-encoding"

	NotCanonical = "not-canonical" // guard links only; not a stream condition
)

// Error ends a stream or refuses a document. It never contains input.
type Error struct {
	Condition string // what the peer is told
	Offset    int64  // of the byte that decided it, counted from the first byte ever given to the decoder
	Bytes     int    // up to and with that byte, from the start of the element or header it stands in
	Detail    string // one of our own sentences, for the log
}

func (e *Error) Error() string {
	return e.Condition + " at byte " + strconv.FormatInt(e.Offset, 10) + ": " + e.Detail
}

// ErrShort means that Next needs more bytes.
var ErrShort = errors.New("xmlstream: more bytes needed")

// ErrFull means that Fill was called although Next still has a full buffer to read.
var ErrFull = errors.New("xmlstream: buffer full, call Next first")

// ErrUnwritable means that a tree cannot be written: a name, a character or a namespace in it is impossible, an
// attribute is there twice, or it is beyond ServerLimits, so that no reader would take it.
var ErrUnwritable = errors.New("xmlstream: element cannot be written")
