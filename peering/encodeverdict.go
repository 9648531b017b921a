package peering

import (
	"errors"
	"fmt"
	"math"

	"sallyport/internal/xmpp/stanza"
)

// Record is a verdict read back: everything said, nothing that could be delivered. A
// Released never survives encoding; what was stored is judged again (see Rejudge).
type Record struct {
	Outcome  Outcome
	Refusal  Refusal
	Trace    Trace
	Version  Version
	FromPeer string
	ToPeer   string
	Changed  bool
	Label    LabelRecord
}

// AppendVerdict appends the encoding of v to dst.
func AppendVerdict(dst []byte, v *Verdict) []byte {
	dst = append(dst, encodingVersion, byte(v.Outcome), flag(v.Changed))
	dst = append(dst, v.Version[:]...)
	r := &v.Refusal
	dst = append(dst, byte(r.Stage), byte(r.App), byte(r.Condition))
	for _, s := range [...]string{v.FromPeer, v.ToPeer, string(r.Reason), r.Rule, r.Detail, r.Allowing} {
		dst = appendString(dst, s)
	}
	dst = append(dst, v.Trace.n)
	for i := range v.Trace.Len() {
		st := v.Trace.At(i)
		dst = append(dst, byte(st.Stage), flag(st.Changed))
		dst = appendString(dst, st.Note)
		dst = appendString(dst, st.Subject)
	}
	return AppendLabelFacts(dst, v)
}

// ParseVerdict reads a verdict from b and returns the rest of b.
func ParseVerdict(b []byte) (Record, []byte, error) {
	r := reader{b: b}
	r.version()
	var v Record
	v.Outcome, v.Changed = Outcome(r.byteUpTo(byte(Release))), r.flag()
	copy(v.Version[:], r.bytes(len(v.Version), len(v.Version)))
	v.Refusal.Stage = Stage(r.byteUpTo(byte(LabelOut)))
	v.Refusal.App = AppCondition(r.byteUpTo(byte(StanzaTooBig)))
	v.Refusal.Condition = stanza.Condition(r.byteUpTo(math.MaxUint8))
	v.FromPeer, v.ToPeer = r.string(), r.string()
	v.Refusal.Reason = Reason(r.string())
	v.Refusal.Rule, v.Refusal.Detail, v.Refusal.Allowing = r.string(), r.string(), r.string()
	v.Trace.n = r.byteUpTo(MaxSteps)
	for i := range v.Trace.n {
		v.Trace.steps[i] = Step{
			Stage: Stage(r.byteUpTo(byte(LabelOut))), Changed: r.flag(), Note: r.string(), Subject: r.string(),
		}
	}
	if r.err != nil {
		return Record{}, nil, r.err
	}
	label, rest, err := ParseLabelFacts(r.b)
	if err != nil {
		return Record{}, nil, err
	}
	v.Label = label
	return v, rest, nil
}

// Stored is an arrival that was written down: by the spool, or for replay.
type Stored []byte

// Rejudge judges what was stored again, from the bytes up, under today's policy, with
// today's facts if given. It is the only way from stored bytes to a Released.
func (e *Engine) Rejudge(s Stored, today *Facts) (Verdict, error) {
	p := e.policy.Load()
	if p == nil {
		return Verdict{}, errors.New("no policy is active")
	}
	a, rest, err := ParseArrival(s, p.def.Labels)
	if err != nil {
		return Verdict{}, err
	}
	if len(rest) != 0 {
		return Verdict{}, fmt.Errorf("%w: bytes after the arrival", ErrEncoding)
	}
	if today != nil {
		a.Facts = *today
	}
	p.renewClearances(&a)
	return p.Judge(&a), nil
}
