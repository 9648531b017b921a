package compact

import (
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
	Model     *Model    // nil is the model that has learnt nothing
	Addresses []jid.JID // of this link, the most usual first; at most MaxAddresses
}

// Codec codes the stanzas of one link. Each stanza stands alone: nothing is remembered from one to the next, so losses, another order
// and restarts do no harm, and a size says nothing of other stanzas. One goroutine owns it.
type Codec struct {
	cfg Config
}

// storedMark begins a stanza that is not coded; what follows is its XML.
const storedMark = "\xff\xff"

// NewCodec returns a codec.
func NewCodec(cfg Config) (*Codec, error) {
	if len(cfg.Addresses) > MaxAddresses {
		return nil, fmt.Errorf("compact: %d addresses, at most %d", len(cfg.Addresses), MaxAddresses)
	}
	return &Codec{cfg: cfg}, nil
}

// Fingerprint names model and addresses: both ends must show the same.
func (c *Codec) Fingerprint() Fingerprint { return Fingerprint{} }

// Encode appends the coded form of a first-level element of a stream between servers, and of who else gets it (links/fanout). It has no
// end of its own: whoever carries it says where it ends. On an error dst is returned as it was.
func (c *Codec) Encode(dst []byte, e *xmlstream.Element, also ...jid.JID) ([]byte, error) {
	out, err := xmlstream.AppendElement(append(dst, storedMark...), e, xmlstream.NSServer)
	if err != nil {
		return dst, fmt.Errorf("%w: %w", ErrUnwritable, err)
	}
	return out, nil
}

// Decode is the inverse of Encode. The element went through the parser of the wire, and is the one that Encode makes these bytes of.
// Whether it is a stanza, and may have those recipients, is for stanza.From and fanout.Expand to say.
func (c *Codec) Decode(b []byte) (e *xmlstream.Element, also []jid.JID, err error) {
	if len(b) < len(storedMark) || string(b[:len(storedMark)]) != storedMark {
		return nil, nil, ErrCoded
	}
	e, err = xmlstream.ParseDocument(b[len(storedMark):], xmlstream.Options{ContentNS: xmlstream.NSServer})
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrCoded, err)
	}
	return e, nil, nil
}
