package hf

import (
	"fmt"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/links"
	"sallyport/s5066"
	"sallyport/s5066/sis"
)

// The words of what a link notes, beside those of links/x2x.
const (
	NoticeSource    = "unknown-source"    // a U_PDU of nobody's address, or of another SAP
	NoticeForeign   = "foreign-domain"    // a stanza from a domain that the peer does not hold
	NoticeMalformed = "malformed"         // a U_PDU or a stanza that cannot even be answered
	NoticeRepeated  = "repeated"          // a U_PDU that came before
	NoticeReset     = "stream-reset"      // a stream that was opened, numbered or used against the rules (N20, N21)
	NoticeCodec     = "codec-differs"     // the peer codes stanzas by another model or table
	NoticeReflected = "reflected"         // our own words, as if they were the peer's
	NoticeMute      = "node-silent"       // the node may not transmit
	NoticeVoice     = "node-speaks"       // it may again
	NoticeBogus     = "bogus-acknowledge" // the peer holds what was never given a number
)

// item is one stanza on its way out.
type item struct {
	element *xmlstream.Element
	list    []*xmlstream.Element // the other recipients, as elements
	also    []jid.JID            // and as addresses
	token   uint64
	frame   links.Frame
	lane    uint8 // class of precedence, also without a frame
	expires time.Time
	since   time.Time
	coded   []byte // Compact: once it was coded
}

func (it *item) expired(now time.Time) bool { return !it.expires.IsZero() && !now.Before(it.expires) }

// kind says what an event is.
type kind uint8

const (
	arrived kind = iota + 1
	greeted
	reported // tokens have ended as disposition and cause say
	noticed
	failing // the peer cannot be reached: the turn is to end
)

// event is what a machine tells. The zero value is nothing.
type event struct {
	kind kind

	stanza    stanza.Stanza
	malformed *stanza.Malformed
	also      []jid.JID
	frame     links.Frame
	seq       uint64
	bytes     int

	epoch uint64
	marks []links.Mark

	tokens      []uint64
	disposition links.Disposition
	cause       error

	word, detail string
}

// errUnheard comes with what goes back because the node, or the peer behind it, is not there: no stanza is to blame for that.
var errUnheard = fmt.Errorf("%w: %w", links.ErrLost, links.ErrUnreachable)

// outcome is what the node says of a U_PDU.
type outcome struct {
	confirmed bool
	reason    sis.RejectReason // 0: nobody knows
	unsent    bool             // it was never submitted
}

// request is one U_PDU for the node.
type request struct {
	id uint64
	sis.UnidataRequest
}

// machine is one mode as a plain type: no goroutines, no clock, no I/O. One mutex owns it.
type machine interface {
	// begin says that the node takes data of that many bytes, at most. Under custody epoch is that of our spool, and mine are the marks that we
	// hold.
	begin(now time.Time, mtu int, epoch uint64, mine []links.Mark)
	// stop says that the node is gone, or that the turn has to end. over: for good.
	stop(now time.Time, over bool)
	// put takes a stanza, and returns how many bytes it will have.
	put(now time.Time, it item) (size int)
	heard(now time.Time, p *sis.UnidataIndication)
	settled(now time.Time, seq uint64)
	outcome(now time.Time, id uint64, o outcome)
	// next is the U_PDU to submit now, if there is one.
	next(now time.Time) (request, bool)
	deadline() time.Time
	tick(now time.Time)
	events() []event
	backlog() links.Backlog
}

// sooner is the earlier of two times of which zero is never.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// priorities are the SIS priorities of the classes: routine, priority, immediate, flash.
var priorities = [links.Lanes]s5066.Priority{4, 8, 11, 14}
