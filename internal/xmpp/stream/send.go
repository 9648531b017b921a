package stream

// Verdict is the answer to Send.
type Verdict uint8

const (
	SendNever  Verdict = iota // zero: the pair cannot be sent on this stream now; see Carries
	SendNow                   // write it now; the item is tracked if stream management is on
	SendFull                  // no room in the window: wait for Acked
	SendTooBig                // larger than the peer's max-bytes: policy-violation, no 'by' (XEP-0478)
	SendClosed                // the stream is closing or closed
	SendKept                  // nothing to write now: it is tracked by a session that waits to be resumed
)

var verdictNames = [...]string{"never", "now", "full", "too-big", "closed", "kept"}

func (v Verdict) String() string { return enumName(verdictNames[:], uint8(v)) }

// SendResult tells what to do with an item. Tracked: it will come out in
// Acked, Unconfirmed or Closed.Unconfirmed exactly once, unless the whole
// Session goes on in Closed.Resume. AskAck: call AppendAckRequest now, behind
// the item if the verdict is SendNow.
type SendResult struct {
	Verdict Verdict
	Tracked bool
	AskAck  bool
}

// Carry is whether a pair fits on this stream.
type Carry uint8

const (
	CarryNo    Carry = iota // never on this stream
	CarryProve              // after Step(now, Prove{…}) was answered by Authorised
	CarryWait               // a proof is under way
	CarryNow
)

func (c Carry) String() string { return enumName([]string{"no", "prove", "wait", "now"}, uint8(c)) }
