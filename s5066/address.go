package s5066

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

const (
	addressBits = 28
	valueMask   = 1<<addressBits - 1
	groupBit    = 1 << addressBits
	fullSize    = 7 // half-bytes; the size that is always sent
	sizeShift   = 29
)

// ErrAddress is wrapped by the errors of ParseAddress.
var ErrAddress = errors.New("not a STANAG 5066 address")

// Address is the 32-bit address field of an S_primitive (Annex A): length in half-bytes,
// group flag, 28 bits of address. It is comparable, and two addresses of one meaning are
// equal. The zero Address is not valid: nothing can be sent to it.
type Address struct{ word uint32 }

// AllStations is the group address of every node, 31.255.255.255.
func AllStations() Address { return Group(valueMask) }

// Unicast makes the address of one node from its 28 bits; higher bits give an invalid address.
func Unicast(value uint32) Address {
	if value > valueMask {
		return Address{}
	}
	return Address{fullSize<<sizeShift | value}
}

// Group makes a multicast address from its 28 bits; higher bits give an invalid address.
func Group(value uint32) Address {
	if value > valueMask {
		return Address{}
	}
	return Address{fullSize<<sizeShift | groupBit | value}
}

// AddressFromWord reads the field as it stands on the wire, in network byte order. A short
// address is taken as right-aligned and becomes one of full length. What is not an address
// (length 0, or bits set beyond the length) is kept as it is, so that it can be quoted in
// a refusal, and is not Valid.
func AddressFromWord(word uint32) Address {
	size := word >> sizeShift
	if size == 0 || word&valueMask>>(4*size) != 0 {
		return Address{word}
	}
	return Address{fullSize<<sizeShift | word&(groupBit|valueMask)}
}

// Word is the field as it stands on the wire, always of full length if the address is valid.
func (a Address) Word() uint32 { return a.word }

// Valid reports whether the address names a node or a group.
func (a Address) Valid() bool { return a.word>>sizeShift == fullSize }

// Value is the 28 bits of the address without its group flag.
func (a Address) Value() uint32 { return a.word & valueMask }

// IsGroup reports whether the address is valid and names a group. Groups are destinations of
// non-ARQ traffic only.
func (a Address) IsGroup() bool { return a.Valid() && a.word&groupBit != 0 }

// IsUnicast reports whether the address is valid and names one node.
func (a Address) IsUnicast() bool { return a.Valid() && a.word&groupBit == 0 }

// String gives the text form w.x.y.z; w is 0 to 15 for a node and 16 to 31 for a group.
// What is not an address prints as "invalid(E1020304)" with its word in hexadecimal.
func (a Address) String() string {
	if !a.Valid() {
		return fmt.Sprintf("invalid(%08X)", a.word)
	}
	return fmt.Sprintf("%d.%d.%d.%d", a.word>>24&0x1F, a.word>>16&0xFF, a.word>>8&0xFF, a.word&0xFF)
}

// ParseAddress reads the text form that String writes. Leading zeros, signs and spaces are
// refused. Errors wrap ErrAddress.
func ParseAddress(s string) (Address, error) {
	parts := strings.Split(s, ".")
	if len(parts) != 4 {
		return Address{}, fmt.Errorf("%w: %q has %d parts, want 4", ErrAddress, s, len(parts))
	}
	word := uint32(0)
	for i, p := range parts {
		limit := uint64(255)
		if i == 0 {
			limit = 31
		}
		n, err := strconv.ParseUint(p, 10, 8)
		if err != nil || n > limit || strconv.FormatUint(n, 10) != p {
			return Address{}, fmt.Errorf("%w: %q: part %d is %q, want 0 to %d", ErrAddress, s, i+1, p, limit)
		}
		word = word<<8 | uint32(n)
	}
	return Address{fullSize<<sizeShift | word}, nil
}

// MarshalText gives the text form; an invalid address is an error.
func (a Address) MarshalText() ([]byte, error) {
	if !a.Valid() {
		return nil, fmt.Errorf("%w: %s", ErrAddress, a)
	}
	return []byte(a.String()), nil
}

// UnmarshalText is ParseAddress, for configurations.
func (a *Address) UnmarshalText(text []byte) error {
	parsed, err := ParseAddress(string(text))
	if err != nil {
		return err
	}
	*a = parsed
	return nil
}
