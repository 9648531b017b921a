package sis_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"sallyport/s5066"
	"sallyport/s5066/sis"
)

var equal = cmp.Options{cmpopts.EquateComparable(s5066.Address{}), cmpopts.EquateEmpty()}

func small[T ~uint8](t *rapid.T, below int, label string) T {
	return T(rapid.IntRange(0, below-1).Draw(t, label))
}

func drawAddress(t *rapid.T) s5066.Address {
	return s5066.AddressFromWord(rapid.Uint32().Draw(t, "address"))
}

func drawService(t *rapid.T) s5066.ServiceType {
	return s5066.ServiceType{
		Mode: small[s5066.TxMode](t, 16, "mode"), Confirm: small[s5066.Confirmation](t, 4, "confirm"),
		AsTheyArrive: rapid.Bool().Draw(t, "order"), Extended: rapid.Bool().Draw(t, "extended"),
		Retransmissions: small[uint8](t, 16, "copies"),
	}
}

func drawBlocks(t *rapid.T, within int) []sis.Block {
	var list []sis.Block
	for range rapid.IntRange(0, 3).Draw(t, "blocks") {
		if within > 0 {
			first := rapid.IntRange(0, within-1).Draw(t, "first")
			list = append(list, sis.Block{First: uint16(first), Length: uint16(rapid.IntRange(1, within-first).Draw(t, "length"))})
		}
	}
	return list
}

// drawPrimitive gives any primitive that has a place on the wire.
func drawPrimitive(t *rapid.T) sis.Primitive {
	sap, octet := small[s5066.SAP](t, 16, "SAP"), rapid.Byte().Draw(t, "octet")
	data := rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "data")
	urgent := rapid.Bool().Draw(t, "expedited")
	prio := small[s5066.Priority](t, 16, "priority")
	if urgent {
		prio = 0
	}
	to := drawAddress(t)
	hard := s5066.HardLink{Type: small[s5066.LinkType](t, 3, "type"), Priority: small[uint8](t, 4, "link priority"), SAP: sap, Remote: to}
	in := sis.UnidataIndication{
		Expedited: urgent, Priority: prio, SAP: sap, Destination: to, Mode: small[s5066.TxMode](t, 16, "mode"),
		SourceSAP: sap ^ 1, Source: drawAddress(t), Data: data,
	}
	if in.Mode == s5066.TxNonARQErrors {
		in.Damaged, in.Missing = drawBlocks(t, len(data)), drawBlocks(t, len(data))
	}
	return rapid.SampledFrom([]sis.Primitive{
		sis.BindRequest{SAP: sap, Rank: small[s5066.Rank](t, 16, "rank"), Service: drawService(t)},
		sis.UnbindRequest{},
		sis.BindAccepted{SAP: sap, MTU: rapid.Uint16Min(1).Draw(t, "MTU")},
		sis.BindRejected{Reason: sis.BindReason(octet)},
		sis.UnbindIndication{Reason: sis.UnbindReason(octet)},
		sis.HardLinkEstablish{Link: hard},
		sis.HardLinkTerminate{Remote: to},
		sis.HardLinkEstablished{Status: octet, Link: hard},
		sis.HardLinkRejected{Reason: s5066.LinkReason(octet), Link: hard},
		sis.HardLinkTerminated{Reason: s5066.LinkEnd(octet), Link: hard},
		sis.HardLinkIndication{Status: octet, Link: hard},
		sis.HardLinkAccept{Link: hard},
		sis.HardLinkReject{Reason: octet, Link: hard},
		sis.SubnetAvailability{Status: sis.NodeStatus(octet), Reason: sis.StatusReason(octet)},
		sis.DataFlow{On: urgent},
		sis.KeepAlive{},
		sis.Management{Indication: urgent, Message: octet, Body: data},
		in,
		sis.UnidataRequest{
			Expedited: urgent, Priority: prio, SAP: sap, Destination: to, Delivery: drawService(t),
			TTL: time.Duration(rapid.IntRange(0, 1<<20-1).Draw(t, "TTL")) * s5066.TTLUnit, Data: data,
		},
		sis.UnidataConfirm{Expedited: urgent, SAP: sap, Destination: to, Returned: data},
		sis.UnidataRejected{Expedited: urgent, Reason: small[sis.RejectReason](t, 16, "reason"), SAP: sap, Destination: to, Returned: data},
	}).Draw(t, "primitive")
}

// TestRoundTrip: what is written is read, and a stream cut anywhere is the same stream.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOfN(rapid.Custom(drawPrimitive), 1, 6).Draw(t, "primitives")
		var wire []byte
		for _, p := range want {
			var err error
			if wire, err = sis.AppendPrimitive(wire, p); err != nil {
				t.Fatalf("%#v: %v", p, err)
			}
		}
		var d sis.Decoder
		var got []sis.Primitive
		for len(wire) > 0 {
			n := rapid.IntRange(1, len(wire)).Draw(t, "cut")
			d.Push(wire[:n])
			wire = wire[n:]
			for {
				p, err := d.Next()
				if errors.Is(err, sis.ErrShort) {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, p)
			}
		}
		if diff := cmp.Diff(want, got, equal); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	})
}

func TestAppendRefusesWhatDoesNotFit(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]sis.Primitive{
		"SAP":               sis.BindRequest{SAP: 16},
		"rank":              sis.BindRequest{Rank: 16},
		"confirmation":      sis.BindRequest{Service: s5066.ServiceType{Confirm: 4}},
		"copies":            sis.BindRequest{Service: s5066.ServiceType{Retransmissions: 16}},
		"MTU":               sis.BindAccepted{},
		"link type":         sis.HardLinkAccept{Link: s5066.HardLink{Type: 3}},
		"link priority":     sis.HardLinkAccept{Link: s5066.HardLink{Priority: 4}},
		"management":        sis.Management{Body: make([]byte, sis.MaxManagement+1)},
		"lifetime":          sis.UnidataRequest{TTL: s5066.TTLUnit << 20},
		"U_PDU":             sis.UnidataRequest{Data: make([]byte, sis.MaxUPDU+1)},
		"indicated U_PDU":   sis.UnidataIndication{Data: make([]byte, sis.MaxUPDU)},
		"returned part":     sis.UnidataConfirm{Returned: make([]byte, 1<<16)},
		"rejection":         sis.UnidataRejected{Reason: 16},
		"blocks by ARQ":     sis.UnidataIndication{Mode: s5066.TxARQ, Missing: []sis.Block{{Length: 1}}, Data: hello},
		"block beyond":      sis.UnidataIndication{Mode: s5066.TxNonARQErrors, Missing: []sis.Block{{First: 5, Length: 1}}, Data: hello},
		"too many of those": sis.UnidataIndication{Mode: s5066.TxNonARQErrors, Missing: make([]sis.Block, 1<<15), Data: hello},
	} {
		b, err := sis.AppendPrimitive([]byte("before"), p)
		if !errors.Is(err, sis.ErrField) || string(b) != "before" {
			t.Errorf("%s: %v, %d bytes", name, err, len(b))
		}
	}
	got, _, err := sis.ParsePrimitive(encode(t, sis.UnidataRequest{TTL: 1}))
	if err != nil || got.(sis.UnidataRequest).TTL != s5066.TTLUnit {
		t.Errorf("a nanosecond to live became %v (%v)", got, err)
	}
}
