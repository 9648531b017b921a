package ess

import (
	"bytes"
	"cmp"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// checkDER says whether b is one value in the distinguished encoding: minimal definite lengths, sets in order, bit
// strings without trailing zeros, category values in a constructed [1].
func checkDER(b []byte) error {
	if len(b) > MaxBytes {
		return bad("%d octets, at most %d", len(b), MaxBytes)
	}
	end, ok := minimal(b, maxDepth)
	switch {
	case !ok || end != len(b):
		if _, err := toDER(b, valueBounds); err != nil {
			return err
		}
		return bad("BER where DER is required")
	case !distinguished(b):
		return bad("not in the order or form of DER")
	}
	return nil
}

// distinguished walks values whose lengths are known to be right.
func distinguished(b cryptobyte.String) bool {
	for !b.Empty() {
		var whole, content cryptobyte.String
		var tag asn1.Tag
		rest := b
		if !b.ReadAnyASN1Element(&whole, &tag) || !rest.ReadAnyASN1(&content, &tag) {
			return false
		}
		switch {
		case tag == asn1.BIT_STRING:
			if !minimalBits(content) {
				return false
			}
		case tag == tag1:
			return false
		case tag&0x20 != 0:
			if tag == asn1.SET && !ordered(content) || !distinguished(content) {
				return false
			}
		}
	}
	return true
}

// minimalBits says whether a bit string ends with a one (X.690 section 11.2).
func minimalBits(b []byte) bool {
	if len(b) < 2 {
		return len(b) == 1 && b[0] == 0
	}
	return b[0] < 8 && b[len(b)-1]&(1<<b[0]) != 0 && b[len(b)-1]&(1<<b[0]-1) == 0
}

// ordered says whether the members of a set ascend by class and tag number, and equal tags by their octets.
func ordered(set cryptobyte.String) bool {
	var last cryptobyte.String
	for !set.Empty() {
		var tag asn1.Tag
		var whole cryptobyte.String
		if !set.ReadAnyASN1Element(&whole, &tag) {
			return false
		}
		if last != nil && cmp.Or(cmp.Compare(last[0]&^0x20, whole[0]&^0x20), bytes.Compare(last, whole)) > 0 {
			return false
		}
		last = whole
	}
	return true
}
