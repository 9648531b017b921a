package peering

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
)

// Cause is why the sender is told something. Each has one fixed condition.
type Cause uint8

const (
	ByVerdict   Cause = iota // the verdict refused: its own condition
	Undelivered              // released, but the neighbour could not be reached
	Doubtful                 // released and written, never confirmed
	Expired                  // released, but not delivered in time
	Overloaded               // the queue of the destination is full
	TooBig                   // larger than the neighbour accepts (XEP-0478)
	AuditDown                // the decision could not be recorded
	Unroutable               // released, but the domain has no server that could be found
	Declined                 // released, but the server of this node would not take it; see ReplyDeclined
)

var causeConditions = [...]stanza.Condition{
	Undelivered: stanza.RemoteServerTimeout,
	Doubtful:    stanza.RemoteServerTimeout,
	Expired:     stanza.RemoteServerTimeout,
	Overloaded:  stanza.ResourceConstraint,
	TooBig:      stanza.PolicyViolation,
	AuditDown:   stanza.InternalServerError,
	Unroutable:  stanza.RemoteServerNotFound,
	Declined:    stanza.ServiceUnavailable,
}

func (c Cause) String() string {
	switch c {
	case ByVerdict:
		return "refused"
	case Undelivered:
		return "undelivered"
	case Doubtful:
		return "in-doubt"
	case Expired:
		return "expired"
	case Overloaded:
		return "overloaded"
	case TooBig:
		return "too-big"
	case AuditDown:
		return "audit-down"
	case Unroutable:
		return "unroutable"
	case Declined:
		return "declined"
	}
	return "unknown"
}

// Reply makes the error that the sender of v's stanza gets, from a fixed template: a
// condition and a safe reference, nothing of the stanza but its id and addresses. It
// reports false where RFC 6120 §8.3 forbids an answer or the verdict asks for silence.
func (e *Engine) Reply(v *Verdict, cause Cause) (Released, bool) {
	if cause != ByVerdict {
		return reply(v, causeConditions[cause])
	}
	return reply(v, v.Refusal.Condition)
}

// ReplyDeclined is Reply for what the server of this node would not take, with the condition that it chose.
func (e *Engine) ReplyDeclined(v *Verdict, cond stanza.Condition) (Released, bool) {
	return reply(v, cond)
}

func reply(v *Verdict, cond stanza.Condition) (Released, bool) {
	src := v.source
	if cond == stanza.NoCondition || src.link == "" {
		return Released{}, false
	}
	opts := stanza.ErrorOptions{App: appElement(v.Refusal.App)}
	if ref := v.Ref(); ref != "" {
		opts.Text = "reference " + ref
	}
	var reply stanza.Stanza
	var ok bool
	if src.malformed != nil {
		reply, ok = src.malformed.Reply(src.local, opts)
	} else {
		reply, ok = stanza.ErrorReply(src.stanza, cond, opts)
	}
	if !ok {
		return Released{}, false
	}
	return Released{
		stanza: reply, peer: src.peer, link: src.link, version: v.Version,
		local: reply.From().DomainJID(), remote: reply.To().DomainJID(),
	}, true
}

// RefuseMalformed makes the verdict over something addressable that is not a stanza the
// engine can judge: oversize, a bad address, a bad shape. It refuses.
func (e *Engine) RefuseMalformed(a *Arrival, m *stanza.Malformed, reason Reason) Verdict {
	v := Verdict{Ruling: Ruling{FromPeer: a.Peer}}
	v.source.of(a)
	if p := e.policy.Load(); p != nil {
		v.Version = p.version
	}
	v.source.malformed = m
	v.Refusal = Refusal{
		Stage: Admit, Reason: reason, Detail: m.Detail, Condition: m.Stanza,
		Allowing: "a stanza that RFC 6120 and the limits of this link allow",
	}
	if reason == Oversize {
		v.Refusal.App = StanzaTooBig
	}
	v.Trace.add(Step{Stage: Admit, Note: "refused: " + string(reason)})
	return v
}

var tooBig = xmlstream.NewElement(xmlstream.Name{Space: "urn:xmpp:errors", Local: "stanza-too-big"}, nil)

func appElement(a AppCondition) *xmlstream.Element {
	switch a {
	case StanzaTooBig:
		return tooBig
	case NoApp:
	}
	return nil
}

var refEncoding = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// makeRef derives a reference that is unique in practice, cannot be turned back into how
// many stanzas the node has seen, and is found again in the audit log.
func makeRef(node string, serial uint64) string {
	if node == "" && serial == 0 {
		return ""
	}
	b := binary.BigEndian.AppendUint64([]byte(node+"\x00"), serial)
	sum := sha256.Sum256(b)
	return refEncoding.EncodeToString(sum[:8])
}
