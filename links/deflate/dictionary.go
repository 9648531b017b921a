package deflate

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
)

// MaxDictionary bounds a dictionary: RFC 1951 lets nothing reach further back.
const MaxDictionary = 32 << 10

// IDBytes is how much of a digest names a dictionary.
const IDBytes = 8

// Dictionary is text that both ends hold before the first frame. The zero value is the empty one.
type Dictionary struct{ text []byte }

// ErrDictionary: too large to be used.
var ErrDictionary = errors.New("deflate: dictionary too large")

// NewDictionary takes text that Train, or an operator, made. The most useful stands last.
func NewDictionary(text []byte) (Dictionary, error) {
	if len(text) > MaxDictionary {
		return Dictionary{}, fmt.Errorf("%w: %d bytes, at most %d", ErrDictionary, len(text), MaxDictionary)
	}
	return Dictionary{append([]byte(nil), text...)}, nil
}

// ID names the dictionary: both ends must show the same. The empty dictionary has the empty name.
func (d Dictionary) ID() string {
	if len(d.text) == 0 {
		return ""
	}
	sum := sha256.Sum256(d.text)
	return hex.EncodeToString(sum[:IDBytes])
}

// Bytes returns a copy of the text, to be kept in a file.
func (d Dictionary) Bytes() []byte { return append([]byte(nil), d.text...) }

// Len is its size in bytes.
func (d Dictionary) Len() int { return len(d.text) }
