package compact

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/xmlstream"
)

// Bounds of one stanza.
const (
	MaxPlain     = 64 << 10 // bytes of XML that a coded stanza may stand for
	MaxRatio     = 100      // XML to coded bytes, once there is more XML than RatioFrom
	RatioFrom    = 16 << 10
	MaxAddresses = 4096 // of the table of a link
	MaxAlso      = 1024 // recipients beside the one in the stanza
)

// Why a coded stanza is refused. ErrCoded is wrapped by all of them.
var (
	ErrCoded        = errors.New("compact: not a stanza")
	ErrTooBig       = fmt.Errorf("%w: over %d bytes of XML, or %d times its size", ErrCoded, MaxPlain, MaxRatio)
	ErrNotCanonical = fmt.Errorf("%w: not the bytes that the stanza is coded as", ErrCoded)
)

// ErrUnwritable is what Encode says of a tree that is no XML, or of a list of recipients that is too long.
var ErrUnwritable = errors.New("compact: cannot be coded")

// Config must be the same at both ends.
type Config struct {
	Model     *Model    // nil is the model of no samples
	Addresses []jid.JID // of this link, the most usual first; at most MaxAddresses
}

// Codec codes the stanzas of one link. Each stanza stands alone: nothing is remembered from one to the next, so losses, another order
// and restarts do no harm, and a size says nothing of other stanzas. Any number of goroutines may use it.
type Codec struct {
	m    *Model
	link addresses
	sum  Fingerprint
}

// storedMark begins a stanza that is not coded: behind it stand the number of recipients, these with their lengths, and XML.
const storedMark = "\xff\xff"

// NewCodec returns a codec. The first one of a model takes a good part of a second.
func NewCodec(cfg Config) (*Codec, error) {
	if len(cfg.Addresses) > MaxAddresses {
		return nil, fmt.Errorf("compact: %d addresses, at most %d", len(cfg.Addresses), MaxAddresses)
	}
	c := &Codec{m: cfg.Model}
	if c.m == nil {
		var err error
		if c.m, err = Train(nil, TrainOptions{}); err != nil {
			return nil, err
		}
	}
	c.m.primed()
	for _, j := range cfg.Addresses {
		c.link.add(j.String())
	}
	c.sum = c.m.with(c.link.list)
	return c, nil
}

// Fingerprint names model and addresses: both ends must show the same.
func (c *Codec) Fingerprint() Fingerprint { return c.sum }

// Encode appends the coded form of a first-level element of a stream between servers, and of who else gets it (links/fanout). It has no
// end of its own: whoever carries it says where it ends. On an error dst is returned as it was.
func (c *Codec) Encode(dst []byte, e *xmlstream.Element, also ...jid.JID) ([]byte, error) {
	xml, err := xmlstream.AppendElement(nil, e, xmlstream.NSServer)
	if err != nil {
		return dst, fmt.Errorf("%w: %w", ErrUnwritable, err)
	}
	if len(also) > MaxAlso {
		return dst, fmt.Errorf("%w: %d recipients beside the first, at most %d", ErrUnwritable, len(also), MaxAlso)
	}
	for _, j := range also {
		if j.Local() == "" {
			return dst, fmt.Errorf("%w: a recipient who is nobody", ErrUnwritable)
		}
	}
	stored := appendStored(append(dst, storedMark...), xml, also)
	if len(xml) > MaxPlain {
		return stored, nil
	}
	out := c.coded(append([]byte(nil), dst...), e, also)
	coded, plain := len(out)-len(dst), len(stored)-len(dst)
	if coded == 0 || coded >= plain || plain > most(coded) {
		return stored, nil
	}
	return out, nil
}

// most is how much XML a coded stanza of that size may stand for.
func most(coded int) int { return min(MaxPlain, max(RatioFrom, MaxRatio*coded)) }

func (c *Codec) coded(dst []byte, e *xmlstream.Element, also []jid.JID) []byte {
	x := c.walk(encoding)
	defer c.m.scratch.Put(x)
	x.enc.start(dst)
	x.enc.put(0, maxTotal-1, maxTotal) // so that it cannot begin with storedMark
	x.stanza(e)
	x.also(also)
	return x.enc.finish()
}

// walk takes one that was used before, or a new one.
func (c *Codec) walk(m mode) *walk {
	x := c.m.scratch.Get().(*walk)
	*x = walk{
		mode: m, m: c.m, link: &c.link, speller: x.speller,
		own: make(map[uint64]*dist), nameIDs: make(map[xmlstream.Name]uint32),
	}
	x.speller.begin(c.m.predictor)
	return x
}

// Decode is the inverse of Encode. The element went through the parser of the wire, and is the one that Encode makes these bytes of.
// Whether it is a stanza, and may have those recipients, is for stanza.From and fanout.Expand to say.
func (c *Codec) Decode(b []byte) (e *xmlstream.Element, also []jid.JID, err error) {
	var xml []byte
	if len(b) == 0 {
		return nil, nil, ErrCoded
	}
	if len(b) >= len(storedMark) && string(b[:len(storedMark)]) == storedMark {
		xml, also, err = parseStored(b[len(storedMark):])
	} else {
		xml, also, err = c.decoded(b)
	}
	if err != nil {
		return nil, nil, err
	}
	e, err = xmlstream.ParseDocument(xml, xmlstream.Options{ContentNS: xmlstream.NSServer})
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrCoded, err)
	}
	again, err := c.Encode(nil, e, also...)
	if err != nil || !bytes.Equal(again, b) {
		return nil, nil, ErrNotCanonical
	}
	return e, also, nil
}

// decoded returns the canonical XML of what is coded.
func (c *Codec) decoded(b []byte) (xml []byte, also []jid.JID, err error) {
	x := c.walk(decoding)
	defer c.m.scratch.Put(x)
	x.most = most(len(b))
	x.dec.start(b)
	if x.dec.get(maxTotal) == maxTotal-1 {
		return nil, nil, ErrCoded
	}
	x.dec.take(0, maxTotal-1, maxTotal)
	e := x.stanza(nil)
	if !x.failed {
		also = x.also(nil)
	}
	switch {
	case x.spent > x.most:
		return nil, nil, ErrTooBig
	case x.failed:
		return nil, nil, ErrCoded
	}
	xml, err = xmlstream.AppendElement(nil, e, xmlstream.NSServer)
	switch {
	case err != nil:
		return nil, nil, fmt.Errorf("%w: %w", ErrCoded, err)
	case len(xml) > x.most:
		return nil, nil, ErrTooBig
	}
	return xml, also, nil
}

func appendStored(dst, xml []byte, also []jid.JID) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(also)))
	for _, j := range also {
		s := j.String()
		dst = append(binary.AppendUvarint(dst, uint64(len(s))), s...)
	}
	return append(dst, xml...)
}

func parseStored(b []byte) (xml []byte, also []jid.JID, err error) {
	u := reader{b: b}
	n := u.uvarint()
	if n > MaxAlso {
		return nil, nil, ErrCoded
	}
	for range n {
		s := string(u.take(int(min(u.uvarint(), jid.MaxTotal+1)))) //nolint:gosec // bounded
		j, err := jid.Parse(s)
		if u.bad || err != nil || j.String() != s {
			return nil, nil, ErrCoded
		}
		also = append(also, j.Clone())
	}
	return u.b, also, nil
}
