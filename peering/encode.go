package peering

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
	"sallyport/labels/ess"
)

// Encoding version and limits. A parser refuses another version rather than guess.
const (
	encodingVersion  = 2 // 1 knew one clearance of a user and nothing of where a label came from
	excludedVersion  = 3 // facts alone: one byte more, of who is excluded; the others are written as before
	maxEncodedString = 64 << 10
	maxEncodedStanza = 4 << 20
	maxLevels        = 1024
)

// ErrEncoding is wrapped by every error of the parsers.
var ErrEncoding = errors.New("not an encoding of this version")

// AppendArrival appends the encoding of a, facts included, to dst. The stanza is written
// in canonical form.
func AppendArrival(dst []byte, a *Arrival) ([]byte, error) {
	dst = append(dst, encodingVersion)
	for _, s := range [...]string{a.Link, a.Peer, a.Domain.String(), a.LocalDomain.String(), a.Node} {
		dst = appendString(dst, s)
	}
	dst = append(dst, byte(a.Proof.Method), flag(a.Proof.Pinned))
	dst = binary.BigEndian.AppendUint16(dst, a.Proof.TLS)
	dst = appendTime(dst, a.Time)
	dst = binary.AppendUvarint(dst, a.Serial)
	dst = binary.AppendUvarint(dst, uint64(max(a.Bytes, 0)))
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	dst, err := xmlstream.AppendElement(dst, a.Stanza.Element(), "")
	if err != nil {
		return dst[:at], fmt.Errorf("encode arrival: %w", err)
	}
	binary.BigEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	return AppendFacts(dst, &a.Facts)
}

// ParseArrival reads one arrival from b and returns the rest of b. The stanza is read by
// the same strict tokenizer as on a stream; clearances are bound to the policies in reg.
func ParseArrival(b []byte, reg *labels.Registry) (Arrival, []byte, error) {
	r := reader{b: b}
	r.version()
	var a Arrival
	a.Link, a.Peer = r.string(), r.string()
	a.Domain, a.LocalDomain = r.jid(), r.jid()
	a.Node = r.string()
	a.Proof.Method, a.Proof.Pinned = Method(r.byteUpTo(byte(SharedKey))), r.flag()
	a.Proof.TLS = r.uint16()
	a.Time = r.time()
	a.Serial = r.uvarint(math.MaxUint64)
	a.Bytes = int(r.uvarint(maxEncodedStanza))
	a.Stanza = r.stanza()
	if r.err != nil {
		return Arrival{}, nil, r.err
	}
	facts, rest, err := ParseFacts(r.b, reg)
	if err != nil {
		return Arrival{}, nil, err
	}
	a.Facts = facts
	return a, rest, nil
}

// AppendFacts appends the encoding of f to dst.
func AppendFacts(dst []byte, f *Facts) ([]byte, error) {
	if f.Excluded != NotExcluded {
		dst = append(dst, excludedVersion, byte(f.Excluded))
	} else {
		dst = append(dst, encodingVersion)
	}
	dst = append(dst, flag(f.Awaited.Found), flag(f.Asked))
	dst = appendString(dst, f.Awaited.OriginalID)
	dst = appendString(dst, f.FreshID)
	levels := f.Levels[:min(len(f.Levels), maxLevels)]
	dst = binary.AppendUvarint(dst, uint64(len(levels)))
	for _, level := range levels {
		dst = binary.AppendUvarint(dst, uint64(level))
	}
	for _, c := range [...]*ClearanceFact{&f.Sender, &f.Recipient} {
		dst = appendString(dst, c.Source)
		dst = binary.AppendUvarint(dst, uint64(max(c.Age, 0)))
		dst = binary.AppendUvarint(dst, uint64(c.Clearances.Len()))
		for one := range c.Clearances.All() {
			at := len(dst)
			dst = append(dst, 0, 0, 0, 0)
			var err error
			if dst, err = ess.AppendClearance(dst, one.Form()); err != nil {
				return dst[:at], fmt.Errorf("encode clearance from %s: %w", c.Source, err)
			}
			binary.BigEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
		}
	}
	return dst, nil
}

// ParseFacts reads facts from b and returns the rest of b.
func ParseFacts(b []byte, reg *labels.Registry) (Facts, []byte, error) {
	r := reader{b: b}
	var f Facts
	r.factsHead(&f)
	for _, c := range [...]*ClearanceFact{&f.Sender, &f.Recipient} {
		c.Source = r.string()
		c.Age = time.Duration(r.uvarint(math.MaxInt64))
		if err := r.clearances(c, reg); err != nil {
			return Facts{}, nil, fmt.Errorf("%w: clearance from %s: %w", ErrEncoding, c.Source, err)
		}
	}
	if r.err != nil {
		return Facts{}, nil, r.err
	}
	return f, r.b, nil
}

// factsHead reads what stands before the clearances.
func (r *reader) factsHead(f *Facts) {
	if len(r.b) > 0 && r.b[0] == excludedVersion {
		r.b = r.b[1:]
		if f.Excluded = Exclusion(r.byteUpTo(byte(numExclusions - 1))); r.err == nil && f.Excluded == NotExcluded {
			r.fail("nobody is excluded")
		}
	} else {
		r.version()
	}
	f.Awaited.Found, f.Asked = r.flag(), r.flag()
	f.Awaited.OriginalID, f.FreshID = r.string(), r.string()
	for range r.uvarint(maxLevels) {
		f.Levels = append(f.Levels, uint32(r.uvarint(math.MaxUint32)))
	}
}

// clearances reads the clearances of somebody and binds them to policies.
func (r *reader) clearances(c *ClearanceFact, reg *labels.Registry) error {
	var all []*labels.Clearance
	for range r.uvarint(labels.MaxClearances) {
		raw := r.bytes(int(r.uint32()), maxEncodedString)
		if r.err != nil {
			return nil // reported for all fields
		}
		form, err := ess.ParseClearance(raw)
		if err != nil {
			return err
		}
		one, err := reg.Clearance(form)
		if err != nil {
			return err
		}
		all = append(all, one)
	}
	set, err := labels.NewClearanceSet(all...)
	c.Clearances = set
	return err
}

func flag(b bool) byte {
	if b {
		return 1
	}
	return 0
}

func appendString(dst []byte, s string) []byte {
	if len(s) > maxEncodedString {
		s = s[:maxEncodedString]
	}
	dst = binary.AppendUvarint(dst, uint64(len(s)))
	return append(dst, s...)
}

// appendTime writes nanoseconds since 1970 and a flag for the zero time.
func appendTime(dst []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(dst, 0)
	}
	return binary.BigEndian.AppendUint64(append(dst, 1), uint64(t.UnixNano()))
}

// reader takes fields off the front of b; after the first error it returns zero values.
type reader struct {
	b     []byte
	err   error
	words []string // see words
}

func (r *reader) fail(what string) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s", ErrEncoding, what)
	}
	r.b = nil
}

func (r *reader) bytes(n, limit int) []byte {
	if n < 0 || n > limit || n > len(r.b) {
		r.fail("length out of range")
		return nil
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) byteUpTo(most byte) byte {
	b := r.bytes(1, 1)
	if len(b) == 0 {
		return 0
	}
	if b[0] > most {
		r.fail("value out of range")
		return 0
	}
	return b[0]
}

func (r *reader) version() {
	b := r.bytes(1, 1)
	if len(b) == 1 && b[0] != encodingVersion {
		r.fail(fmt.Sprintf("version %d, this is %d", b[0], encodingVersion))
	}
}

func (r *reader) flag() bool { return r.byteUpTo(1) == 1 }

func (r *reader) uint16() uint16 {
	b := r.bytes(2, 2)
	if len(b) < 2 {
		return 0
	}
	return binary.BigEndian.Uint16(b)
}

func (r *reader) uint32() uint32 {
	b := r.bytes(4, 4)
	if len(b) < 4 {
		return 0
	}
	return binary.BigEndian.Uint32(b)
}

func (r *reader) uvarint(most uint64) uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 || v > most {
		r.fail("number out of range")
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) string() string {
	return string(r.bytes(int(r.uvarint(maxEncodedString)), maxEncodedString))
}

func (r *reader) time() time.Time {
	if !r.flag() {
		return time.Time{}
	}
	b := r.bytes(8, 8)
	if len(b) < 8 {
		return time.Time{}
	}
	return time.Unix(0, int64(binary.BigEndian.Uint64(b))).UTC()
}

func (r *reader) jid() jid.JID {
	s := r.string()
	if r.err != nil || s == "" {
		return jid.JID{}
	}
	j, err := jid.Parse(s)
	if err != nil || j.String() != s {
		r.fail("address is not canonical")
		return jid.JID{}
	}
	return j
}

func (r *reader) stanza() stanza.Stanza {
	raw := r.bytes(int(r.uint32()), maxEncodedStanza)
	if r.err != nil {
		return stanza.Stanza{}
	}
	limits := xmlstream.ServerLimits()
	limits.ElementBytes = maxEncodedStanza
	e, err := xmlstream.ParseDocument(raw, xmlstream.Options{Limits: limits, ContentNS: xmlstream.NSServer})
	if err != nil {
		r.fail("stanza: " + err.Error())
		return stanza.Stanza{}
	}
	s, err := stanza.From(e)
	if err != nil {
		r.fail("stanza: " + err.Error())
	}
	return s
}
