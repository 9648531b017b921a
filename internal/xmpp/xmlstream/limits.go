package xmlstream

// Limits bound what one peer can make a decoder read or keep. A zero field takes the value of ServerLimits, so that
// nothing is ever without a limit; only OversizeFactor means what it says.
type Limits struct {
	ElementBytes    int // wire bytes of one first-level element, from < to >; also of the stream header
	Depth           int // elements inside each other; a first-level element has depth 1
	Attributes      int // attributes of one element, declarations not counted
	Declarations    int // namespace declarations on one element
	Bindings        int // namespace declarations in scope at one place
	Children        int // child elements of one element
	NameBytes       int // one name with its prefix
	URIBytes        int // one namespace name
	ReferenceBytes  int // one character reference from & to ;
	WhitespaceBytes int // white space between two first-level elements; see Decoder.ForgetWhitespace

	// OversizeFactor says how many times ElementBytes is read and thrown away to get past an element that is too large.
	// Within that bound the stream survives, with an OversizeEvent; with 0 the first byte too many ends it.
	OversizeFactor int
}

// ServerLimits are for an authenticated server-to-server stream: an oversized stanza is skipped, since it must not cost
// two organisations their link.
func ServerLimits() Limits {
	return Limits{
		ElementBytes:    512 << 10,
		Depth:           64,
		Attributes:      64,
		Declarations:    64,
		Bindings:        256,
		Children:        4096,
		NameBytes:       256,
		URIBytes:        512,
		ReferenceBytes:  10, // &#x10FFFF; and &#1114111; just fit
		WhitespaceBytes: 1 << 20,
		OversizeFactor:  2,
	}
}

// PreAuthLimits are for a stream whose peer is not yet known: the 10,000 bytes of RFC 6120 §13.12, and no patience.
func PreAuthLimits() Limits {
	l := ServerLimits()
	l.ElementBytes, l.WhitespaceBytes, l.OversizeFactor = 10_000, 10_000, 0
	return l
}

// ClientLimits are for an authenticated client: 256 KiB, and the first byte too many ends the stream.
func ClientLimits() Limits {
	l := ServerLimits()
	l.ElementBytes, l.OversizeFactor = 256<<10, 0
	return l
}

// GuardLimits are for one frame of a guard link.
func GuardLimits() Limits {
	l := ServerLimits()
	l.ElementBytes, l.Depth, l.OversizeFactor = 64<<10, 32, 0
	return l
}

// filled replaces zero and negative fields by those of ServerLimits.
func (l Limits) filled() Limits {
	s := ServerLimits()
	for _, f := range []struct {
		have *int
		want int
	}{
		{&l.ElementBytes, s.ElementBytes},
		{&l.Depth, s.Depth},
		{&l.Attributes, s.Attributes},
		{&l.Declarations, s.Declarations},
		{&l.Bindings, s.Bindings},
		{&l.Children, s.Children},
		{&l.NameBytes, s.NameBytes},
		{&l.URIBytes, s.URIBytes},
		{&l.ReferenceBytes, s.ReferenceBytes},
		{&l.WhitespaceBytes, s.WhitespaceBytes},
	} {
		if *f.have <= 0 {
			*f.have = f.want
		}
	}
	l.NameBytes = min(l.NameBytes, maxNameBytes)
	l.Attributes = min(l.Attributes, maxAttributes)
	l.Children = min(l.Children, maxChildren)
	l.ElementBytes = min(l.ElementBytes, maxElementBytes)
	l.OversizeFactor = max(l.OversizeFactor, 0)
	return l
}

const (
	maxNameBytes    = 4096     // a name must fit the buffer
	maxAttributes   = 4096     // each is compared with each
	maxChildren     = 30_000   // with a text beside each, counted in 16 bits
	maxElementBytes = 64 << 20 // offsets are 32 bits
)

// maxWeight bounds the memory of one element, so that reading it never takes more than 4 times its limit in bytes (and a
// little, where that is small). Only input with far more tags than text comes near; such an element is as oversized as
// a long one.
func (l Limits) maxWeight() int { return l.ElementBytes/2*9 + 16<<10 }

// Options say what kind of stream a Decoder reads.
type Options struct {
	Limits Limits

	// ContentNS is the content namespace of the stream, NSServer or NSClient. NewDecoder needs it. ParseDocument takes
	// "" for a document that stands alone, otherwise it reads an element as it would stand in such a stream.
	ContentNS string

	// FirstBuffer is how many bytes are read at a time as long as that is enough; 0 is what suits a server's stream.
	FirstBuffer int

	// NoHeader reads a stream on which nobody sends a header (XEP-0361): stanzas come at once.
	NoHeader bool

	// CanonicalOnly makes ParseDocument refuse, as not-canonical, all bytes other than those AppendElement would write
	// for the same tree, and text that is not in Unicode form NFC. It is for guard links.
	CanonicalOnly bool
}
