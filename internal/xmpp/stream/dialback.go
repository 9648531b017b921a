package stream

import (
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
)

// dialbackElement sorts the four dialback elements (XEP-0220 §2): requests
// have no type, answers have one.
func (m *Machine) dialbackElement(e *xmlstream.Element) {
	local := e.Local()
	if local != "result" && local != "verify" || m.phase == phaseFeatures || m.phase == phaseProceed || m.phase == phaseSASL {
		m.unsupported(e)
		return
	}
	to, okTo := domainAttr(e, "to")
	from, okFrom := domainAttr(e, "from")
	if !okTo || !okFrom { // G08
		m.streamError(stanza.StreamImproperAddressing, "dialback without addresses", nil)
		return
	}
	pair := Pair{Local: to, Remote: from}
	_, answer := e.Attr("type")
	switch {
	case local == "result" && answer:
		m.resultAnswer(e, pair)
	case local == "result":
		m.resultRequest(e, pair)
	case answer:
		m.verifyAnswer(e, pair)
	default:
		m.verifyRequest(e, pair)
	}
}

// ---- asking: we want to send for a pair (step 1)

// prove asks for one more pair.
func (m *Machine) prove(p Pair) {
	switch m.Carries(p.Local, p.Remote) {
	case CarryProve:
		m.ask(p)
	case CarryNo:
		m.emit(Rejected{Pair: p, Condition: stanza.RemoteServerTimeout})
	case CarryWait, CarryNow:
	}
}

// Carries says whether stanzas from local to remote may go out on this stream.
// For CarryProve to a new remote, the edge must know that remote resolves to
// the address and port of this stream (XEP-0220 §2.5).
func (m *Machine) Carries(local, remote jid.JID) Carry {
	if m.phase == phaseClosing || m.phase == phaseClosed || m.cfg.Purpose != ForStanzas {
		return CarryNo
	}
	p := domainPair(local, remote)
	if q := m.out.get(p); q != nil {
		if q.valid && m.ready {
			return CarryNow
		}
		return CarryWait
	}
	if !m.ready {
		if m.role == Initiator && p == (Pair{m.local, m.remote}) {
			return CarryWait
		}
		return CarryNo
	}
	if m.mayAsk(p) {
		return CarryProve
	}
	return CarryNo
}

// mayAsk: sender multiplexing needs nothing, a new target needs dialback errors
// (XEP-0220 §2.5); a bidi initiator understands them (XEP-0288 §2.3).
func (m *Machine) mayAsk(p Pair) bool {
	policy := m.cfg.policy(p.Local, p.Remote)
	if len(m.out.list) >= MaxPairs || policy.Auth&anyDialback == 0 || m.cfg.Secret.IsZero() || !m.meetsFloor(p) {
		return false
	}
	if m.role == Responder {
		return m.bidi
	}
	if !m.peer.dialback && !m.peerDialback {
		return false
	}
	if m.peer.errors {
		return true
	}
	for i := range m.out.list {
		if m.out.list[i].valid && m.out.list[i].Remote == p.Remote {
			return true
		}
	}
	return p.Remote == m.remote
}

// ask sends the key for a pair (step 1).
func (m *Machine) ask(p Pair) {
	m.out.add(proof{Pair: p, deadline: m.now.Add(m.cfg.Timing.Dialback)})
	key := m.cfg.Secret.Key(p.Remote, p.Local, m.id)
	m.write(withText(el(xmlstream.NSDialback, "result", "from", p.Local.String(), "to", p.Remote.String()), key))
}

// resultAnswer takes step 4. Without a request of ours on this stream it changes nothing (G02).
func (m *Machine) resultAnswer(e *xmlstream.Element, p Pair) {
	q := m.out.get(p)
	if q == nil || q.valid {
		m.fact(FactUnsolicited, p, "db:result answer")
		return
	}
	switch typ, _ := e.Attr("type"); typ {
	case "valid":
		m.authorise(Outbound, p, ByDialback)
		m.asked()
	case "invalid":
		m.rejected(Rejected{Pair: p, Invalid: true, Condition: stanza.InternalServerError})
	default: // error; unknown types are no better
		m.rejected(Rejected{Pair: p, Condition: stanza.RemoteServerTimeout, Said: stanzaErrorCondition(e)})
	}
}

// asked goes on once the answers that were waited for are there.
func (m *Machine) asked() {
	if m.phase != phaseProving || m.out.asked() > 0 {
		return
	}
	if m.resume.preparing {
		m.sendResume()
		return
	}
	m.proven()
}

// rejected removes a pair; without the first pair the stream is of no use.
func (m *Machine) rejected(r Rejected) {
	m.out.remove(r.Pair)
	m.fact(FactAuthFailed, r.Pair, "dialback refused: "+r.Said.String())
	m.emit(r)
	if m.phase == phaseProving && !m.resume.preparing {
		m.closeStream(Closed{Cause: AuthFailed, Detail: "dialback refused"})
		return
	}
	m.asked()
}

// expireDialback ends the operations whose time is over.
func (m *Machine) expireDialback() {
	for _, p := range m.out.expired(m.now) {
		m.rejected(Rejected{Pair: p, Condition: stanza.RemoteServerTimeout})
		if m.phase == phaseClosing || m.phase == phaseClosed {
			return
		}
	}
	for _, p := range m.in.expired(m.now) {
		m.in.remove(p)
		m.answerError(p, stanza.RemoteServerTimeout)
	}
	m.expireVerifies()
}

// ---- being asked: the peer wants to send for a pair (steps 1 and 4)

// resultRequest decides on a key. p.Remote is the sender domain.
func (m *Machine) resultRequest(e *xmlstream.Element, p Pair) {
	if m.role == Initiator && !(m.bidi && m.ready) {
		m.fact(FactUnsolicited, p, "db:result request on a one-way stream")
		m.answerError(p, stanza.NotAllowed)
		return
	}
	policy := m.cfg.policy(p.Local, p.Remote)
	known := m.in.get(p)
	switch {
	case m.cfg.hosted(p.Remote): // G05
		m.fact(FactSelfSpoof, p, "peer claims a domain of ours")
		m.answerError(p, stanza.PolicyViolation)
	case known != nil && known.valid:
		m.answer(p, "valid", nil)
	case known != nil: // the answer to the first request will do
	case !m.cfg.hosted(p.Local):
		m.fact(FactUnknownHost, p, "db:result")
		m.answerError(p, stanza.ItemNotFound)
	case len(m.in.list) >= MaxPairs: // G08
		m.fact(FactOverflow, p, "dialback pairs")
		m.streamError(stanza.StreamPolicyViolation, "too many domain pairs", nil)
	case m.tls == nil && policy.TLS == RequireTLS:
		m.refuse(p, "dialback before TLS")
	case policy.Auth.Has(AllowCertificateDialback) && m.proves(p.Remote): // XEP-0344, checked at this moment
		m.accept(p, ByCertificateDialback)
	case !policy.Auth.Has(AllowDialback): // G06, G07
		m.refuse(p, "certificate required")
	default:
		m.in.add(proof{Pair: p, deadline: m.now.Add(m.cfg.Timing.Dialback)})
		m.emit(VerifyKey{Pair: p, ID: m.id, Key: e.Text()})
	}
}

// refuse answers a request that the policy forbids.
func (m *Machine) refuse(p Pair, why string) {
	m.refused = true
	m.fact(FactPolicy, p, why)
	m.answerError(p, stanza.PolicyViolation)
}

// accept answers valid and authorises the pair.
func (m *Machine) accept(p Pair, method Method) {
	if m.remote.IsZero() { // no 'from' on the header: this is how the peer names itself
		m.remote = p.Remote
	}
	m.answer(p, "valid", nil)
	m.authorise(Inbound, p, method)
}

// answer writes step 4.
func (m *Machine) answer(p Pair, typ string, err *xmlstream.Element) {
	e := el(xmlstream.NSDialback, "result", "from", p.Local.String(), "to", p.Remote.String(), "type", typ)
	if err != nil {
		e = with(e, err)
	}
	m.write(e)
}

func (m *Machine) answerError(p Pair, c stanza.Condition) {
	m.answer(p, "error", stanzaErrorElement(c))
}

// verified takes the outcome of steps 2 and 3 and answers the peer.
func (m *Machine) verified(in Verified) {
	p := domainPair(in.Local, in.Remote)
	q := m.in.get(p)
	if q == nil || q.valid || in.ID != m.id { // asked nothing, or too late (G03)
		m.fact(FactUnsolicited, p, "verification nobody waits for")
		return
	}
	switch in.Outcome {
	case KeyValid:
		m.accept(p, ByDialback)
	case KeyInvalid:
		m.spoofed(p)
	case KeyError:
		m.in.remove(p)
		m.answerError(p, stanza.RemoteServerNotFound)
	case BelowPolicy:
		m.in.remove(p)
		m.answerError(p, stanza.PolicyViolation)
	case NoOutcome, Unreachable, NoAnswer:
		// remote-connection-failed is no stanza error, so the name every peer knows (XEP-0220 §2.4).
		m.in.remove(p)
		m.answerError(p, stanza.RemoteServerTimeout)
	}
}

// spoofed: the authoritative server does not know the key. The stream stays only for other proven pairs.
func (m *Machine) spoofed(p Pair) {
	m.in.remove(p)
	m.refused = true
	m.fact(FactSpoof, p, "authoritative server called the key invalid")
	if m.in.proven() > 0 {
		m.answerError(p, stanza.Forbidden)
		return
	}
	m.answer(p, "invalid", nil)
	m.closeStream(Closed{Cause: AuthFailed, Detail: "dialback key invalid"})
}
