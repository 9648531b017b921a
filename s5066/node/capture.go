package node

import (
	"time"

	"sallyport/s5066/dpdu"
	"sallyport/s5066/sis"
)

// Captured is one primitive or frame that passed. Exactly one of Primitive and Frame is there.
type Captured struct {
	Time      time.Time
	Out       bool         // from this node: to a client, or to the air
	Client    sis.ClientID // of a primitive
	Primitive sis.Primitive
	Frame     *dpdu.PDU
	// Bytes is the primitive or frame as it is on the wire; of a damaged frame nothing.
	Bytes []byte
}

// tap decodes one client's two directions for the hook.
type tap struct{ in, out sis.Decoder }

func (n *Node) tapped(id sis.ClientID, out bool, b []byte) {
	if n.cfg.Capture == nil || len(b) == 0 {
		return
	}
	t := n.taps[id]
	if t == nil {
		t = &tap{}
		n.taps[id] = t
	}
	d := &t.in
	if out {
		d = &t.out
	}
	d.Push(b)
	for {
		p, err := d.Next()
		switch {
		case p != nil:
			raw, encodeErr := sis.AppendPrimitive(nil, p)
			if encodeErr == nil {
				n.cfg.Capture(Captured{Time: n.now, Out: out, Client: id, Primitive: p, Bytes: raw})
			}
		case err == sis.ErrShort: //nolint:errorlint // the decoder returns it bare
			return
		}
	}
}

func (n *Node) framed(p dpdu.PDU, out bool) {
	if n.cfg.Capture == nil {
		return
	}
	var raw []byte
	if !p.Damaged {
		raw, _ = dpdu.Append(nil, p) // what cannot be encoded has no bytes
	}
	n.cfg.Capture(Captured{Time: n.now, Out: out, Frame: &p, Bytes: raw})
}

// raw shows bytes of the modem to the hook.
func (n *Node) raw(b []byte) {
	if n.cfg.Heard != nil {
		n.cfg.Heard(n.now, b)
	}
}
