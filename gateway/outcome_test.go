package gateway_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sallyport/gateway/audit"
	"sallyport/gateway/control"
	"sallyport/internal/disk/faulty"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/links"
)

// outcome is one way a stanza can end, with everything that must be seen of it.
type outcome struct {
	name  string
	rules string
	text  string // %s is the id; empty: an ordinary message
	set   func(n *node)
	do    func(n *node, id string) // in place of letting text arrive

	want      control.Stanzas // but for Accepted
	condition string          // what the sender is told; empty: nothing
	delivered bool            // b.example got it
	decision  string          // outcome in the record of the decision; empty: there is none
	reason    string          // in the last record about it
	settled   string          // outcome in the record of the settlement; empty: there is none
}

func toB(f fate) func(*node) {
	return func(n *node) {
		n.link.fate = func(d *delivery) fate {
			if d.Released.Remote().Domain() == "b.example" {
				return f
			}
			return fate{d: links.Delivered}
		}
	}
}

func refuseB(err error) func(*node) {
	return func(n *node) {
		n.link.refuse = func(remote jid.JID) error {
			if remote.Domain() == "b.example" {
				return err
			}
			return nil
		}
	}
}

func fullB(n *node) { n.link.setFull("b.example", true) }

func brokenDisk(n *node) {
	n.disk.SetPlan(func(op faulty.Op) faulty.Fault {
		if op.Kind == faulty.Sync && strings.HasPrefix(op.Name, "segment-") {
			return faulty.Fault{Err: faulty.ErrIO}
		}
		return faulty.Fault{}
	})
}

func oneRule(action string) string {
	return fmt.Sprintf("\n[[rule]]\nid = \"r\"\n%s\n", action)
}

var outcomes = []outcome{
	{
		name: "delivered", want: control.Stanzas{Delivered: 1}, delivered: true, decision: "released",
	},
	{
		name: "refused with an error", text: "<message id='%s' from='u@a.example' to='v@d.example'><body>x</body></message>",
		want: control.Stanzas{Refused: 1}, condition: "item-not-found", decision: "refused", reason: "no-route",
	},
	{
		name: "I24 the sender is not cleared", rules: "\n[[clearance]]\nusers = [\"u@a.example\"]\n[[clearance]]\ndomains = [\"a.example\"]\nclearance = \"policy/outside.clearance.xml\"\n",
		text: "<message id='%s' from='u@a.example/r' to='v@b.example'><body>x</body></message>",
		want: control.Stanzas{Refused: 1}, condition: "policy-violation", decision: "refused", reason: "sender-clearance",
	},
	{
		name: "the sender is cleared by his domain", rules: "\n[[clearance]]\nusers = [\"u@a.example\"]\n[[clearance]]\ndomains = [\"a.example\"]\nclearance = \"policy/outside.clearance.xml\"\n",
		text: "<message id='%s' from='w@a.example/r' to='v@b.example'><body>x</body></message>",
		want: control.Stanzas{Delivered: 1}, delivered: true, decision: "released",
	},
	{
		name: "I24 the recipient is not cleared", rules: "\n[[clearance]]\nrooms = [\"v@b.example\"]\n",
		want: control.Stanzas{Refused: 1}, condition: "policy-violation", decision: "refused", reason: "clearance",
	},
	{
		name: "refused in silence", text: "<iq type='result' id='%s' from='u@a.example' to='v@b.example'/>",
		want: control.Stanzas{Refused: 1}, decision: "refused", reason: "unsolicited",
	},
	{
		name: "refused by a silent rule", rules: oneRule("action = \"refuse\"\nreply = \"silent\""),
		want: control.Stanzas{Refused: 1}, decision: "refused", reason: "rule",
	},
	{
		name: "held", rules: oneRule(`action = "hold"`),
		want: control.Stanzas{Held: 1}, decision: "held", reason: "held",
	},
	{
		name: "failed", set: toB(fate{d: links.Failed, cause: links.ErrUnreachable}),
		want: control.Stanzas{Bounced: 1}, condition: "remote-server-timeout", delivered: true, decision: "released",
		settled: "undelivered", reason: links.ErrUnreachable.Error(),
	},
	{
		name: "failed, larger than the neighbour takes", set: toB(fate{d: links.Failed, cause: links.ErrTooBig}),
		want: control.Stanzas{Bounced: 1}, condition: "policy-violation", delivered: true, decision: "released",
		settled: "too-big", reason: links.ErrTooBig.Error(),
	},
	{
		name: "in doubt", set: toB(fate{d: links.InDoubt, cause: links.ErrLost}),
		want: control.Stanzas{InDoubt: 1}, condition: "remote-server-timeout", delivered: true, decision: "released",
		settled: "in-doubt", reason: links.ErrLost.Error(),
	},
	{
		name: "expired", set: toB(fate{d: links.Expired, cause: links.ErrExpired}),
		want: control.Stanzas{Expired: 1}, condition: "remote-server-timeout", delivered: true, decision: "released",
		settled: "expired", reason: links.ErrExpired.Error(),
	},
	{
		name: "a disposition of nobody", set: toB(fate{}),
		want: control.Stanzas{Bounced: 1}, condition: "remote-server-timeout", delivered: true, decision: "released", settled: "undelivered",
	},
	{
		name: "overloaded", set: fullB, do: func(n *node, id string) {
			n.arrive(message(id, "a.example", "b.example"))
		},
		want: control.Stanzas{Bounced: 1}, condition: "resource-constraint", decision: "bounced", reason: "overloaded",
	},
	{
		name: "too big for the queue", set: refuseB(links.ErrTooBig),
		want: control.Stanzas{Bounced: 1}, condition: "policy-violation", decision: "bounced", reason: "too-big",
	},
	{
		name: "the link is closed", set: refuseB(links.ErrClosed),
		want: control.Stanzas{Bounced: 1}, condition: "remote-server-timeout", decision: "bounced", reason: "undelivered",
	},
	{
		name: "the neighbour said no", set: refuseB(&links.Bounce{Condition: stanza.RemoteServerNotFound, Cause: links.ErrNoRoute}),
		want: control.Stanzas{Bounced: 1}, condition: "remote-server-not-found", decision: "bounced", reason: "unroutable",
	},
	{
		name: "audit down", set: brokenDisk,
		want: control.Stanzas{Refused: 1}, condition: "internal-server-error",
	},
	{
		name: "malformed", do: func(n *node, id string) {
			n.malformed(&stanza.Malformed{Stanza: stanza.JIDMalformed, Kind: stanza.Message, Type: stanza.MessageChat, ID: id, From: jid.MustParse("u@a.example/r")})
		},
		want: control.Stanzas{Refused: 1}, condition: "jid-malformed", decision: "refused", reason: "bad-stanza",
	},
	{
		name: "oversize", do: func(n *node, id string) {
			n.malformed(&stanza.Malformed{
				Stanza: stanza.PolicyViolation, Kind: stanza.IQ, Type: stanza.IQSet, ID: id, TooBig: true,
				From: jid.MustParse("u@a.example/r"), To: jid.MustParse("v@b.example"),
			})
		},
		want: control.Stanzas{Refused: 1}, condition: "policy-violation", decision: "refused", reason: "size",
	},
	{
		name: "the error is lost too", text: "<message id='%s' from='u@a.example' to='v@d.example'><body>x</body></message>",
		set: func(n *node) {
			n.link.fate = func(*delivery) fate { return fate{d: links.Failed, cause: links.ErrUnreachable} }
		},
		want: control.Stanzas{Refused: 1}, condition: "item-not-found", decision: "refused", reason: "no-route",
	},
	{
		name: "no room for the error", text: "<message id='%s' from='u@a.example' to='v@d.example'><body>x</body></message>",
		set:  func(n *node) { n.link.setFull("a.example", true) },
		want: control.Stanzas{Refused: 1}, decision: "refused", reason: "no-route",
	},
	{
		name: "failed and the sender is silent", text: "<presence type='unavailable' id='%s' from='u@a.example/r' to='v@b.example'/>",
		set:  toB(fate{d: links.Failed, cause: links.ErrUnreachable}),
		want: control.Stanzas{Bounced: 1}, delivered: true, decision: "released", settled: "undelivered", reason: links.ErrUnreachable.Error(),
	},
}

// TestOutcomes: each way a stanza can end settles its receipt once, counts once, is recorded, and tells the sender what it should.
func TestOutcomes(t *testing.T) {
	for _, o := range outcomes {
		t.Run(o.name, func(t *testing.T) {
			bubble(t, func(s *site) { s.rules = o.rules }, func(t *testing.T, n *node) {
				if o.set != nil {
					o.set(n)
				}
				o.check(t, n)
			})
		})
	}
}

func (o *outcome) check(t *testing.T, n *node) {
	t.Helper()
	id := freshID()
	switch {
	case o.do != nil:
		o.do(n, id)
	case o.text != "":
		n.arrive(fmt.Sprintf(o.text, id))
	default:
		n.arrive(message(id, "a.example", "b.example"))
	}
	synctest.Wait()
	if n.receipts.settled() == 0 { // waits for room for the error
		time.Sleep(time.Minute)
	}
	n.receipts.once(t)
	o.want.Accepted = 1
	if got := n.balanced(); got != o.want {
		t.Errorf("counted %+v, want %+v", got, o.want)
	}
	if got := len(n.link.to("b.example")) == 1; got != o.delivered {
		t.Errorf("delivered %v, want %v", got, o.delivered)
	}
	told := ""
	for _, d := range n.link.to("a.example") {
		told = d.condition()
		if d.id != id {
			t.Errorf("told about %s, want %s", d.id, id)
		}
	}
	if told != o.condition {
		t.Errorf("the sender was told %q, want %q", told, o.condition)
	}
	o.checkRecords(t, n, id)
	if o.decision == "" { // the disk is broken
		if err := n.stop(); err == nil {
			t.Error("the node ends as if nothing had happened")
		}
	}
}

func (o *outcome) checkRecords(t *testing.T, n *node, id string) {
	t.Helper()
	decisions := n.records(audit.Filter{Kind: audit.Decision})
	if o.decision == "" {
		return
	}
	if len(decisions) != 1 {
		t.Fatalf("%d decisions", len(decisions))
	}
	last := decisions[0]
	if last.Outcome != o.decision || last.StanzaID != id {
		t.Errorf("decision %q about %q, want %q about %q", last.Outcome, last.StanzaID, o.decision, id)
	}
	if o.settled != "" {
		s := n.record(audit.Filter{Kind: audit.Settlement})
		if s.Outcome != o.settled || s.Of != last.Seq {
			t.Errorf("settled %q of %d, want %q of %d", s.Outcome, s.Of, o.settled, last.Seq)
		}
		last = s
	}
	if last.Reason != o.reason {
		t.Errorf("reason %q, want %q", last.Reason, o.reason)
	}
	// What the sender was given to ask about leads to the record.
	for _, d := range n.link.to("a.example") {
		if last.Ref == "" || !strings.Contains(d.text(), last.Ref) {
			t.Errorf("the record has the reference %q, the sender got %s", last.Ref, d.text())
		}
	}
}
