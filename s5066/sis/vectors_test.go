package sis_test

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"sallyport/s5066"
	"sallyport/s5066/sis"
)

var (
	peer   = s5066.Unicast(0x1020304)
	source = s5066.Unicast(0x5060708)
	link   = s5066.HardLink{Type: s5066.LinkFull, Priority: 1, SAP: 9, Remote: peer}
	arq    = s5066.ServiceType{Mode: s5066.TxARQ, Confirm: s5066.ConfirmNode}
	hello  = []byte("hello")
)

// vectors are the bytes that an independent dissector decodes as intended.
var vectors = []struct {
	name string
	hex  string
	want sis.Primitive
}{
	{"bind request", "90eb00 0004 01 95 14 00", sis.BindRequest{SAP: 9, Rank: 5, Service: arq}},
	{"bind accepted", "90eb00 0004 03 90 0800", sis.BindAccepted{SAP: 9, MTU: 2048}},
	{"bind rejected", "90eb00 0002 04 03", sis.BindRejected{Reason: sis.BindSAPInUse}},
	{"unbind request", "90eb00 0001 02", sis.UnbindRequest{}},
	{"unbind indication", "90eb00 0002 05 01", sis.UnbindIndication{Reason: sis.UnbindPreempted}},
	{"unidata request", "90eb00 0011 14 69 e1020304 14 000096 0005 68656c6c6f", sis.UnidataRequest{
		Priority: 6, SAP: 9, Destination: peer, Delivery: arq, TTL: 300 * time.Second, Data: hello,
	}},
	{"unidata indication", "90eb00 0012 15 69 e1020304 19 e5060708 0005 68656c6c6f", sis.UnidataIndication{
		Priority: 6, SAP: 9, Destination: peer, Mode: s5066.TxARQ, SourceSAP: 9, Source: source, Data: hello,
	}},
	{
		"unidata indication with errors",
		"90eb00 001e 15 69 ffffffff 39 e5060708 0005 0001 0001 0002 0001 0004 0001 68656c6c00",
		sis.UnidataIndication{
			Priority: 6, SAP: 9, Destination: s5066.AllStations(), Mode: s5066.TxNonARQErrors, SourceSAP: 9, Source: source,
			Damaged: []sis.Block{{First: 1, Length: 2}}, Missing: []sis.Block{{First: 4, Length: 1}}, Data: []byte("hell\x00"),
		},
	},
	{"confirm", "90eb00 000d 16 09 e1020304 0005 68656c6c6f", sis.UnidataConfirm{SAP: 9, Destination: peer, Returned: hello}},
	{"rejected", "90eb00 000d 17 19 e1020304 0005 68656c6c6f", sis.UnidataRejected{
		Reason: sis.RejectExpired, SAP: 9, Destination: peer, Returned: hello,
	}},
	{"expedited request", "90eb00 000e 18 09 e1020304 1a 00001e 0002 6869", sis.UnidataRequest{
		Expedited: true, SAP: 9, Destination: peer, TTL: time.Minute, Data: []byte("hi"),
		Delivery: s5066.DeliveryMode{Mode: s5066.TxARQ, Confirm: s5066.ConfirmClient, AsTheyArrive: true},
	}},
	{"expedited indication", "90eb00 000f 19 09 e1020304 19 e5060708 0002 6869", sis.UnidataIndication{
		Expedited: true, SAP: 9, Destination: peer, Mode: s5066.TxARQ, SourceSAP: 9, Source: source, Data: []byte("hi"),
	}},
	{"expedited confirm", "90eb00 000a 1a 09 e1020304 0002 6869", sis.UnidataConfirm{
		Expedited: true, SAP: 9, Destination: peer, Returned: []byte("hi"),
	}},
	{"expedited rejected", "90eb00 000a 1b 29 e1020304 0002 6869", sis.UnidataRejected{
		Expedited: true, Reason: sis.RejectNoSAP, SAP: 9, Destination: peer, Returned: []byte("hi"),
	}},
	{"hard link establish", "90eb00 0006 06 99 e1020304", sis.HardLinkEstablish{Link: link}},
	{"hard link terminate", "90eb00 0005 07 e1020304", sis.HardLinkTerminate{Remote: peer}},
	{"hard link established", "90eb00 0007 08 01 99 e1020304", sis.HardLinkEstablished{Status: 1, Link: link}},
	{"hard link rejected", "90eb00 0007 09 03 99 e1020304", sis.HardLinkRejected{Reason: s5066.LinkNoAnswer, Link: link}},
	{"hard link terminated", "90eb00 0007 0a 01 99 e1020304", sis.HardLinkTerminated{Reason: s5066.LinkEndRemote, Link: link}},
	{"hard link indication", "90eb00 0007 0b 01 99 e1020304", sis.HardLinkIndication{Status: 1, Link: link}},
	{"hard link accept", "90eb00 0006 0c 99 e1020304", sis.HardLinkAccept{Link: link}},
	{"hard link reject", "90eb00 0007 0d 00 99 e1020304", sis.HardLinkReject{Link: link}},
	{"subnet availability", "90eb00 0003 0e 01 00", sis.SubnetAvailability{Status: sis.NodeOn}},
	{"data flow on", "90eb00 0001 0f", sis.DataFlow{On: true}},
	{"data flow off", "90eb00 0001 10", sis.DataFlow{}},
	{"keep alive", "90eb00 0001 11", sis.KeepAlive{}},
	{"management request", "90eb00 0003 12 01 78", sis.Management{Message: 1, Body: []byte("x")}},
	{"management indication", "90eb00 0003 13 01 78", sis.Management{Indication: true, Message: 1, Body: []byte("x")}},
	{"RCOP in a unidata request", "90eb00 0015 14 66 e1020304 14 000000 0009 1007 0000 8001 617070", sis.UnidataRequest{
		Priority: 6, SAP: 6, Destination: peer, Delivery: arq, Data: []byte("\x10\x07\x00\x00\x80\x01app"),
	}},
	{"UDOP broadcast", "90eb00 0015 14 07 ffffffff 22 300000 0009 1007 0000 1002 617070", sis.UnidataRequest{
		SAP: 7, Destination: s5066.AllStations(), Data: []byte("\x10\x07\x00\x00\x10\x02app"),
		Delivery: s5066.DeliveryMode{Mode: s5066.TxNonARQ, AsTheyArrive: true, Retransmissions: 3},
	}},
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// encode writes primitives one after the other.
func encode(t testing.TB, list ...sis.Primitive) []byte {
	t.Helper()
	var b []byte
	for _, p := range list {
		var err error
		if b, err = sis.AppendPrimitive(b, p); err != nil {
			t.Fatalf("append %#v: %v", p, err)
		}
	}
	return b
}

func TestVectors(t *testing.T) {
	t.Parallel()
	for _, v := range vectors {
		wire := unhex(t, v.hex)
		if got := encode(t, v.want); !bytes.Equal(got, wire) {
			t.Errorf("%s: wrote\n% x, want\n% x", v.name, got, wire)
		}
		got, rest, err := sis.ParsePrimitive(append(wire, 0x90))
		if err != nil || len(rest) != 1 {
			t.Errorf("%s: error %v, %d bytes left, want 1", v.name, err, len(rest))
		}
		if d := cmp.Diff(v.want, got, cmpopts.EquateComparable(s5066.Address{})); d != "" {
			t.Errorf("%s (-want +got):\n%s", v.name, d)
		}
		for n := range wire {
			if _, _, err := sis.ParsePrimitive(wire[:n]); err == nil || err.Error() != sis.ErrShort.Error() {
				t.Errorf("%s cut to %d bytes: %v, want %v", v.name, n, err, sis.ErrShort)
			}
		}
	}
}
