package labels

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"reflect"
	"time"
)

// Digest identifies what the policy says: SHA-256 over its whole specification, without line numbers. Two files that
// differ only in white space, comments, prefixes or the order of attributes have one digest. Fields that a file does
// not use take no part, so that a later version of this package, which knows more fields, computes the same digest.
func (p *Policy) Digest() [32]byte {
	if p == nil {
		return [32]byte{}
	}
	return p.digest
}

func digest(s *PolicySpec) (out [32]byte) {
	h := sha256.New()
	h.Write([]byte("sallyport policy 1\n"))
	digestValue(h, reflect.ValueOf(s).Elem())
	h.Sum(out[:0])
	return out
}

var timeType = reflect.TypeFor[time.Time]()

// digestValue writes a value so that no two different ones look the same: every text and list has its length before
// it, every field its name. A kind of field that it does not know panics, which the test of Compile meets first.
func digestValue(h hash.Hash, v reflect.Value) {
	var n [8]byte
	number := func(x uint64) { h.Write(binary.BigEndian.AppendUint64(n[:0], x)) }
	text := func(s string) { number(uint64(len(s))); h.Write([]byte(s)) }
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == timeType {
			t := v.Interface().(time.Time)
			number(uint64(t.Unix()))
			number(uint64(t.Nanosecond()))
			return
		}
		for i := range v.NumField() {
			if name := v.Type().Field(i).Name; name != "Line" && !isEmpty(v.Field(i)) {
				text(name)
				digestValue(h, v.Field(i))
			}
		}
		text("") // the end of the fields
	case reflect.Slice:
		number(uint64(v.Len()))
		for i := range v.Len() {
			digestValue(h, v.Index(i))
		}
	case reflect.String:
		text(v.String())
	case reflect.Bool:
		number(1) // false is left out by the field
	case reflect.Int:
		number(uint64(v.Int()))
	case reflect.Uint8, reflect.Uint32:
		number(v.Uint())
	default:
		panic("labels: digest of a " + v.Kind().String())
	}
}

func isEmpty(v reflect.Value) bool { return v.IsZero() || v.Kind() == reflect.Slice && v.Len() == 0 }
