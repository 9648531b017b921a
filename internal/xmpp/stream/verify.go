package stream

import (
	"strings"
	"time"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
)

// verify is one question of ours to the authoritative server on this stream (XEP-0220 step 2).
type verify struct {
	Pair
	id       string
	deadline time.Time
}

// askVerify sends step 2.
func (m *Machine) askVerify(in Verify) {
	p := domainPair(in.Local, in.Remote)
	switch {
	case !m.ready || len(m.verifies) >= MaxPairs || m.findVerify(p, in.ID) >= 0:
		m.emit(KeyAnswer{Pair: p, ID: in.ID, Outcome: Unreachable})
		return
	case m.tls == nil && m.cfg.policy(p.Local, p.Remote).TLS == RequireTLS:
		m.emit(KeyAnswer{Pair: p, ID: in.ID, Outcome: BelowPolicy})
		return
	}
	m.verifies = append(m.verifies, verify{Pair: p, id: in.ID, deadline: m.now.Add(m.cfg.Timing.Dialback)})
	m.write(withText(el(xmlstream.NSDialback, "verify",
		"from", p.Local.String(), "to", p.Remote.String(), "id", in.ID), in.Key))
}

func (m *Machine) findVerify(p Pair, id string) int {
	for i := range m.verifies {
		if m.verifies[i].Pair == p && m.verifies[i].id == id {
			return i
		}
	}
	return -1
}

// verifyAnswer takes step 3: only for a question asked on this very stream and not yet given up (G01, G03).
func (m *Machine) verifyAnswer(e *xmlstream.Element, p Pair) {
	id, _ := e.Attr("id")
	i := m.findVerify(p, id)
	if i < 0 {
		m.fact(FactUnsolicited, p, "db:verify answer")
		return
	}
	m.verifies = append(m.verifies[:i], m.verifies[i+1:]...)
	outcome := KeyError
	switch typ, _ := e.Attr("type"); typ {
	case "valid":
		outcome = KeyValid
	case "invalid":
		outcome = KeyInvalid
	}
	m.emit(KeyAnswer{Pair: p, ID: strings.Clone(id), Outcome: outcome})
}

func (m *Machine) expireVerifies() {
	kept := m.verifies[:0]
	for _, v := range m.verifies {
		if m.now.Before(v.deadline) {
			kept = append(kept, v)
			continue
		}
		m.emit(KeyAnswer{Pair: v.Pair, ID: v.id, Outcome: NoAnswer})
	}
	m.verifies = kept
}

// verifyRequest answers step 2 as the authoritative server: is this key ours?
// The stream need not be authenticated (XEP-0220 §2.3): the answer says nothing
// that the asker could not get from a stream of its own.
func (m *Machine) verifyRequest(e *xmlstream.Element, p Pair) {
	id, ok := e.Attr("id")
	if !ok || id == "" {
		m.streamError(stanza.StreamImproperAddressing, "db:verify without id", nil)
		return
	}
	if m.in.proven() == 0 {
		if m.served++; m.served > MaxVerifies {
			m.fact(FactOverflow, p, "verify requests")
			m.streamError(stanza.StreamPolicyViolation, "too many verify requests", nil)
			return
		}
	}
	answer := el(xmlstream.NSDialback, "verify", "from", p.Local.String(), "to", p.Remote.String(), "id", id)
	refuse := func(c stanza.Condition) {
		m.write(with(answer.WithAttr(xmlstream.Name{Local: "type"}, "error"), stanzaErrorElement(c)))
	}
	switch {
	case !m.cfg.hosted(p.Local):
		refuse(stanza.ItemNotFound)
	case m.tls == nil && m.cfg.policy(p.Local, p.Remote).TLS == RequireTLS:
		refuse(stanza.PolicyViolation)
	case m.cfg.Secret.Check(e.Text(), p.Remote, p.Local, id):
		m.write(answer.WithAttr(xmlstream.Name{Local: "type"}, "valid"))
	default:
		m.fact(FactSpoof, p, "key that we did not make")
		m.write(answer.WithAttr(xmlstream.Name{Local: "type"}, "invalid"))
	}
}
