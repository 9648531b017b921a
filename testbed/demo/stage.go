package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"sallyport/gateway/audit"
	"sallyport/gateway/control"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/peering"
	"sallyport/testbed/peers"
	"sallyport/testbed/player"
)

// stage is where an act is carried out and watched from all sides.
type stage struct {
	node            *node
	state           *state
	inside, outside *domain
}

// outcome is what one act has become, as it was seen. What was not seen is zero.
type outcome struct {
	record   audit.Entry          // in the audit log
	sent     *xmlstream.Element   // left the sender
	received *xmlstream.Element   // arrived at the other domain
	reply    *xmlstream.Element   // error that the sender got
	ended    string               // stream error, where the stream was ended
	others   int                  // streams of that player that were up all the same
	why      *peering.Explanation // of a refusal, from the running node
	answer   *outcome             // of an act that is answered
}

// summary counts what was seen.
type summary struct{ sent, asIs, changed, refused, ended int }

func (s *summary) add(o *outcome) {
	s.sent++
	switch {
	case o.ended != "":
		s.ended++
	case o.received == nil:
		s.refused++
	case o.received.Equal(o.sent):
		s.asIs++
	default:
		s.changed++
	}
	if o.answer != nil {
		s.add(o.answer)
	}
}

// play carries out the script and shows each act as it ends.
func play(ctx context.Context, st *stage, s *screen) (sum summary, err error) {
	for i, a := range script() {
		s.act(i+1, &a)
		o, err := st.carryOut(ctx, i+1, &a)
		if err != nil {
			return sum, fmt.Errorf("%s: %w", a.what, err)
		}
		sum.add(o)
		s.outcome(&a, o)
	}
	return sum, nil
}

// settle waits, not for long, until the node knows of everything it has released that it arrived.
func (st *stage) settle(ctx context.Context) (s control.Status, err error) {
	ctx, cancel := context.WithTimeout(ctx, actTime)
	defer cancel()
	err = look(ctx, func() (bool, error) {
		s, err = st.node.status(ctx)
		return err == nil && s.Stanzas.Deciding+s.Stanzas.Queued == 0, err
	})
	if errors.Is(err, context.DeadlineExceeded) {
		return s, nil // the sum will say so
	}
	return s, err
}

// carryOut bounds one act and says in words when nothing comes of it.
func (st *stage) carryOut(ctx context.Context, number int, a *act) (*outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, actTime)
	defer cancel()
	from, to := st.inside, st.outside
	if a.inwards {
		from, to = to, from
	}
	after, err := st.node.lastRecord(ctx)
	if err != nil {
		return nil, err
	}
	var o *outcome
	if a.raw {
		o, err = st.byHand(ctx, a, from, to, after)
	} else {
		o, err = st.byLink(ctx, number, a, from, to, after)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return nil, st.node.proc.Trouble(fmt.Errorf("did nothing that can be seen within %v: %w", actTime, err))
	}
	return o, err
}

// byLink sends one stanza over the player's link and waits for what the audit log says became of it.
func (st *stage) byLink(ctx context.Context, number int, a *act, from, to *domain, after uint64) (*outcome, error) {
	label, err := a.label.Element(st.state.labels)
	if err != nil {
		return nil, err
	}
	s, err := player.Parse(strings.Replace(a.text, "%s", label, 1))
	if err != nil {
		return nil, err
	}
	file := st.state.path("stanzas", fmt.Sprintf("%02d-%s.xml", number, a.name))
	if err := os.WriteFile(file, []byte(player.Text(s.Element())+"\n"), 0o644); err != nil {
		return nil, err
	}
	o := &outcome{}
	if o.sent, err = from.Send(ctx, s); err != nil {
		return nil, err
	}
	o.record, err = st.node.record(ctx, after, func(e *audit.Entry) bool {
		return e.Kind == audit.Decision && e.StanzaID == a.name && e.FromPeer == from.peer
	})
	if err != nil {
		return nil, err
	}
	if err := st.follow(ctx, o, from, to); err != nil {
		return nil, err
	}
	if a.answers && o.received != nil {
		o.answer, err = st.answered(ctx, a, to, from, o.record.Seq)
	}
	return o, err
}

// follow waits for what the decision promises: that the other domain receives it, or that the sender is told.
func (st *stage) follow(ctx context.Context, o *outcome, from, to *domain) error {
	id := o.record.StanzaID
	if o.record.Outcome == peering.Release.String() {
		s, err := to.Receive(ctx, func(s stanza.Stanza) bool { return s.ID() == id && !s.IsError() })
		o.received = s.Element()
		return err
	}
	if o.record.Condition != "" {
		s, err := from.Receive(ctx, func(s stanza.Stanza) bool { return s.ID() == id && s.IsError() })
		if err != nil {
			return err
		}
		o.reply = s.Element()
	}
	x, err := st.node.explain(ctx, from.peer, player.Text(o.sent))
	if err == nil && x.Stage == o.record.Stage && x.Reason == o.record.Reason {
		o.why = &x
	}
	return err
}

// answered watches the answer of a player go back.
func (st *stage) answered(ctx context.Context, a *act, from, to *domain, after uint64) (*outcome, error) {
	o := &outcome{}
	var err error
	o.record, err = st.node.record(ctx, after, func(e *audit.Entry) bool {
		return e.Kind == audit.Decision && e.StanzaID == a.name && e.FromPeer == from.peer
	})
	if err != nil {
		return nil, err
	}
	o.sent = from.Sent(a.name)
	return o, st.follow(ctx, o, from, to)
}

// byHand sends bytes that no link of ours would, over a stream with the player's certificate.
func (st *stage) byHand(ctx context.Context, a *act, from, to *domain, after uint64) (*outcome, error) {
	pair := peers.Pair{Cert: st.state.path("certs", from.cert+".pem"), Key: st.state.path("certs", from.cert+".key")}
	x, err := peers.DialIntruder(from.Node(), from.Domain().String(), to.Domain().String(), pair)
	if err != nil {
		return nil, err
	}
	defer x.Close()
	if err := x.Send(a.text); err != nil {
		return nil, err
	}
	o := &outcome{}
	if a.fatal {
		err := st.ended(ctx, x, o, after)
		o.others = from.Streams()
		return o, err
	}
	reply, err := from.Receive(ctx, func(s stanza.Stanza) bool { return s.ID() == a.name && s.IsError() })
	if err != nil {
		return nil, err
	}
	o.reply = reply.Element()
	o.record, err = st.node.record(ctx, after, func(e *audit.Entry) bool {
		return e.Kind == audit.Decision && e.Ref != "" && e.Ref == reference(o.reply)
	})
	return o, err
}

// ended waits for the end of a stream, and for the record of it.
func (st *stage) ended(ctx context.Context, x *peers.Intruder, o *outcome, after uint64) error {
	last, err := x.Next()
	if err != nil {
		return err
	}
	for c := range last.Children() {
		if last.Is(xmlstream.NSStream, "error") && c.Space() == xmlstream.NSStreams {
			o.ended = c.Local()
			break
		}
	}
	if o.ended == "" {
		return fmt.Errorf("got <%s>, want the end of the stream", last.Local())
	}
	o.record, err = st.node.record(ctx, after, func(e *audit.Entry) bool {
		return e.Kind != audit.Decision && strings.HasPrefix(e.Reason, o.ended)
	})
	return err
}
