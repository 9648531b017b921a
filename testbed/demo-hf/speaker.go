package main

import (
	"context"
	"fmt"
	"time"

	"sallyport/s5066"
	"sallyport/s5066/rcop"
	"sallyport/s5066/sis"
)

// speaker is somebody who talks over a node. Whatever carries conversations over HF can be one.
type speaker interface {
	Say(ctx context.Context, text string) error
	Hear(ctx context.Context) (text string, err error)
	Close() error
}

// chatApp is an application identifier of the private range.
const chatApp = 0x8001

// chat is a speaker that is a client of its node: each line is one message of RCOP, acknowledged by the other node.
type chat struct {
	conn  *sis.Conn
	other s5066.Address
	next  uint8 // U_PDU ID
	id    uint64
	in    *rcop.Reassembler
}

var _ speaker = (*chat)(nil)

func dialSpeaker(ctx context.Context, n nodeAt) (*chat, error) {
	service := s5066.ServiceType{Mode: s5066.TxARQ, Confirm: s5066.ConfirmNode}
	conn, err := sis.Dial(ctx, n.clients.String(), sis.BindOptions{SAP: s5066.SAPRCOP, Rank: 5, Service: service})
	if err != nil {
		return nil, err
	}
	in := rcop.NewReassembler(rcop.Limits{}, func(uint16) rcop.End { return rcop.Prefixed() })
	return &chat{conn: conn, other: n.other, in: in}, nil
}

// Say implements speaker.
func (c *chat) Say(ctx context.Context, text string) error {
	c.next++
	parts, err := rcop.Split(rcop.Header{ID: c.next, App: chatApp}, rcop.AppendPrefixed(nil, []byte(text)), c.conn.MTU())
	if err != nil {
		return err
	}
	for _, part := range parts {
		c.id++
		q := sis.UnidataRequest{Priority: 4, SAP: s5066.SAPRCOP, Destination: c.other, TTL: 10 * time.Minute, Data: part}
		if err := c.conn.Send(ctx, c.id, q); err != nil {
			return err
		}
	}
	return nil
}

// Hear implements speaker.
func (c *chat) Hear(ctx context.Context) (string, error) {
	for {
		e, err := c.conn.Receive(ctx)
		if err != nil {
			return "", err
		}
		switch e := e.(type) {
		case sis.Rejected:
			return "", fmt.Errorf("the node could not deliver: %s", e.Reason)
		case sis.Ended:
			return "", e.Err
		case sis.Received:
			m, whole, err := c.in.Add(time.Now(), e.Source, e.SourceSAP, e.Data)
			if err != nil {
				return "", err
			}
			if whole && !m.Repeated {
				return string(rcop.StripPrefix(m.Data)), nil
			}
		}
	}
}

// Close implements speaker.
func (c *chat) Close() error { return c.conn.Close() }
