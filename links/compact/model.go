package compact

import "encoding/hex"

// Fingerprint names a model together with the addresses of a link.
type Fingerprint [8]byte

// String returns it in hexadecimal.
func (f Fingerprint) String() string { return hex.EncodeToString(f[:]) }

// Model is what both ends know of stanzas before the first. It never changes, so any number of codecs may share it.
type Model struct{}
