package node

import (
	"sallyport/s5066"
	"sallyport/s5066/cas"
	"sallyport/s5066/dts"
	"sallyport/s5066/sis"
	"sallyport/s5066/spdu"
)

// delivered takes a C_PDU from the air.
func (n *Node) delivered(e dts.Delivered) {
	p, err := cas.Parse(e.CPDU)
	if err != nil {
		n.discard(e.From, "", err)
		return
	}
	if p.Type != cas.Data {
		if e.Mode == dts.ExpeditedNonARQ && e.To == n.cfg.Own && len(e.Damaged)+len(e.Missing) == 0 {
			n.fromCAS(n.cas.Heard(n.now, e.From, p))
		} else {
			n.discard(e.From, p.Type.String()+" in a service that is not for it", nil)
		}
		return
	}
	if !n.cfg.Permits(e.From) {
		n.discard(e.From, "node is not permitted", nil)
		return
	}
	s, err := spdu.Parse(p.SPDU)
	if err != nil {
		n.discard(e.From, "", err)
		return
	}
	n.soft.Used(n.now, e.From)
	arq := e.Mode == dts.ARQ || e.Mode == dts.ExpeditedARQ
	switch s := s.(type) {
	case spdu.Data:
		n.indicate(e, s, arq)
	case spdu.Confirm, spdu.Fail:
		if arq {
			n.outcomes(n.deliveries.Heard(e.From, s))
		}
	default:
		if e.Mode == dts.ExpeditedARQ {
			n.fromHard(n.hard.Heard(n.now, e.From, s))
		} else {
			n.discard(e.From, s.Type().String()+" in a service that is not for it", nil)
		}
	}
}

func (n *Node) discard(from s5066.Address, text string, err error) {
	n.stats.Discarded++
	n.tell(Event{Kind: Discarded, Remote: from, Text: text, Err: err})
}

// indicate gives a U_PDU to the client it is for.
func (n *Node) indicate(e dts.Delivered, s spdu.Data, arq bool) {
	if s.TTD.Dead(n.now, n.cfg.ClockSlack) && n.air.clock {
		n.discard(e.From, "time to die is over", nil)
		return
	}
	b, bound := n.sis.BoundTo(s.SAP)
	damaged, missing, usable := blocks(e, len(e.CPDU)-len(s.UPDU))
	withErrors := b.Service.Mode == s5066.TxNonARQErrors
	if !usable || len(damaged)+len(missing) > 0 && !withErrors {
		n.discard(e.From, "not whole", nil)
		return
	}
	taken := false
	if bound {
		_, taken = n.sis.Indicate(n.now, sis.UnidataIndication{
			Expedited: e.Mode == dts.ExpeditedARQ || e.Mode == dts.ExpeditedNonARQ, Priority: s.Priority, SAP: s.SAP, Destination: e.To,
			Mode: indicated(arq, withErrors), SourceSAP: s.Source, Source: e.From, Damaged: damaged, Missing: missing, Data: s.UPDU,
		})
	}
	if taken {
		n.stats.Indications++
	} else {
		n.discard(e.From, "nobody is bound to SAP "+s.SAP.String(), nil)
	}
	if !s.Confirm || !arq {
		return
	}
	prefix := s.UPDU[:min(len(s.UPDU), spdu.PrefixBytes)]
	if taken {
		n.say(e.From, spdu.Confirm{Source: s.Source, SAP: s.SAP, Prefix: prefix}, e.Mode == dts.ExpeditedARQ, s.Priority)
	} else {
		n.say(e.From, spdu.Fail{Reason: spdu.NotBound, Source: s.Source, SAP: s.SAP, Prefix: prefix}, e.Mode == dts.ExpeditedARQ, s.Priority)
	}
}

func indicated(arq, withErrors bool) s5066.TxMode {
	switch {
	case arq:
		return s5066.TxARQ
	case withErrors:
		return s5066.TxNonARQErrors
	}
	return s5066.TxNonARQ
}

// blocks counts damage from the begin of the U_PDU. Where a header is damaged nothing can be believed.
func blocks(e dts.Delivered, header int) (damaged, missing []sis.Block, usable bool) {
	usable = true
	shift := func(list []dts.Block) (out []sis.Block) {
		for _, b := range list {
			if b.Offset < header {
				usable = false
				return nil
			}
			out = append(out, sis.Block{First: uint16(b.Offset - header), Length: uint16(b.Length)}) //nolint:gosec // inside a C_PDU of 16 bits
		}
		return out
	}
	damaged, missing = shift(e.Damaged), shift(e.Missing)
	return damaged, missing, usable
}
