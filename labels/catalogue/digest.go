package catalogue

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"

	"sallyport/labels"
)

// digestBytes is how much of the sum goes into an ID: two versions of one operator's catalogue will not meet by chance,
// and nobody gains by making them.
const digestBytes = 12

// Digest returns the ID of the catalogue: equal for catalogues that offer the same, with the same words, in the same
// order (XEP-0258 §4: "commonly a hash"). The markings are part of it, so that a client that kept an older answer sees
// a new version of the policy. Whom the answer is for, its syntax and the day it is written are not.
func (c *Catalogue) Digest() string {
	if c == nil {
		return ""
	}
	d := digester{sha256.New()}
	d.text(c.Name)
	d.text(c.Desc)
	d.flag(c.Restrict)
	d.number(uint64(len(c.Items)))
	for _, i := range c.Items {
		d.text(i.Selector)
		d.flag(i.Default)
		d.label(i.Label)
		d.number(uint64(len(i.Equivalents)))
		for _, e := range i.Equivalents {
			d.label(e)
		}
	}
	return hex.EncodeToString(d.h.Sum(nil)[:digestBytes])
}

// digester writes each part with its length before it, so that no two lists of parts give the same octets.
type digester struct{ h hash.Hash }

func (d digester) number(n uint64) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], n)
	d.h.Write(b[:])
}

func (d digester) text(s string) {
	d.number(uint64(len(s)))
	d.h.Write([]byte(s))
}

func (d digester) flag(f bool) {
	if f {
		d.number(1)
		return
	}
	d.number(0)
}

func (d digester) label(l *labels.Label) {
	f := l.Form()
	d.text(f.Policy)
	d.number(uint64(f.Class))
	d.number(uint64(len(f.Values)))
	for _, v := range f.Values {
		d.text(v.TagSet)
		d.number(uint64(v.Kind))
		d.number(uint64(v.LACV))
	}
	d.text(f.PrivacyMark)
	text, fg, bg := l.Policy().Marking(l, "")
	d.text(text)
	d.text(fg)
	d.text(bg)
}
