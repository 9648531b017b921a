package dpdu_test

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"sallyport/s5066"
	"sallyport/s5066/dpdu"
)

var (
	nodeA  = s5066.Unicast(0x1020305)
	nodeB  = s5066.Unicast(0x1020304)
	far    = s5066.Unicast(0x5060708)
	hello  = []byte("\x00\x06\x99\x00hello")
	normal = cmp.Options{
		cmp.Comparer(func(a, b s5066.Address) bool { return a == b }),
		cmp.Comparer(func(a, b dpdu.Acks) bool { return a == b }),
		cmpopts.EquateEmpty(),
	}
)

func acks(lwe uint8, got ...uint8) dpdu.Acks {
	a := dpdu.Acks{LWE: lwe}
	for _, f := range got {
		a.Set(f)
	}
	return a
}

func from(lwe uint8, first, last int) dpdu.Acks {
	a := dpdu.Acks{LWE: lwe}
	for f := first; f <= last; f++ {
		a.Set(uint8(f))
	}
	return a
}

func frame(t dpdu.Type, to, by s5066.Address, eot uint8, more func(*dpdu.PDU)) dpdu.PDU {
	p := dpdu.PDU{Type: t, To: to, From: by, EOT: eot, AddressSize: 7}
	more(&p)
	return p
}

// Annex C vectors; spaces are for the reader.
var vectors = []struct {
	name, bytes string
	pdu         dpdu.PDU
}{
	{"DATA-ONLY", "90eb 0000 0a e9 10203045060708 ec0900 d4c8 0006990068656c6c6f 46b373f7", frame(dpdu.DataOnly, nodeB, far, 10, func(p *dpdu.PDU) {
		p.Data, p.Segment = dpdu.Data{Start: true, End: true, InOrder: true, TXUWE: true, TXLWE: true}, hello
	})},
	{"DATA-ACK", "90eb 2000 0a eb 10203045060708 e009010505 07a7 0006990068656c6c6f 46b373f7", frame(dpdu.DataAck, nodeB, far, 10, func(p *dpdu.PDU) {
		p.Data, p.Acks, p.Segment = dpdu.Data{FSN: 1, Start: true, End: true, InOrder: true}, acks(5, 6, 8), hello
	})},
	{"ACK-ONLY", "90eb 1000 01 e7 10203045060708 01 b45f", frame(dpdu.AckOnly, nodeB, far, 1, func(p *dpdu.PDU) { p.Acks = acks(1) })},
	{"ACK-ONLY selective", "90eb 1000 01 e8 10203045060708 0505 bc88", frame(dpdu.AckOnly, nodeB, far, 1, func(p *dpdu.PDU) { p.Acks = acks(5, 6, 8) })},
	{"ACK-ONLY m=2", "90eb 1000 01 47 0564 01 fac0", dpdu.PDU{
		Type: dpdu.AckOnly, EOT: 1, AddressSize: 2, To: s5066.Unicast(5), From: s5066.Unicast(100), Acks: acks(1),
	}},
	{"ACK-ONLY m=3", "90eb 1000 01 6a 123456 01ffff01 461b", dpdu.PDU{
		Type: dpdu.AckOnly, EOT: 1, AddressSize: 3, To: s5066.Unicast(0x123), From: s5066.Unicast(0x456), Acks: from(1, 2, 18),
	}},
	{"FULL RESET", "90eb 3000 01 e9 10203045060708 080007 426d", frame(dpdu.Resync, nodeB, far, 1, func(p *dpdu.PDU) { p.Resync = dpdu.Reset{Full: true, ID: 7} })},
	{"FULL RESET ACK", "90eb 3000 01 e9 10203045060708 010000 f83d", frame(dpdu.Resync, nodeB, far, 1, func(p *dpdu.PDU) { p.Resync = dpdu.Reset{Ack: true} })},
	{"EXP-DATA", "90eb 4000 02 e9 10203045060708 cc0300 8d33 003999 57b30b53", frame(dpdu.ExpeditedData, nodeB, far, 2, func(p *dpdu.PDU) {
		p.Data, p.Segment = dpdu.Data{Start: true, End: true, CPDU: 3}, []byte{0, 0x39, 0x99}
	})},
	{"EXP-ACK", "90eb 5000 01 e7 10203045060708 01 6a58", frame(dpdu.ExpeditedAck, nodeB, far, 1, func(p *dpdu.PDU) { p.Acks = acks(1) })},
	{"DRC request 300 short", "90eb 6124 03 e8 10203045060708 0200 4d64", frame(dpdu.Management, nodeB, far, 3, func(p *dpdu.PDU) {
		p.EOW, p.Management = dpdu.RateOrder{Code: 2, Interleave: dpdu.ShortInterleaver}.EOW(), dpdu.Message{Valid: true}
	})},
	{"DT_ACK", "90eb 6000 01 e8 10203045060708 0100 9478", frame(dpdu.Management, nodeB, far, 1, func(p *dpdu.PDU) { p.Management = dpdu.Message{Ack: true} })},
	{"high-rate request", "90eb 6719 03 ee 10203045060708 0601 00002580 01e0 db8e", frame(dpdu.Management, nodeB, far, 3, func(p *dpdu.PDU) {
		p.Management = dpdu.Message{Valid: true, ID: 1}
		p.EOW, p.Management.Extended = dpdu.HighRate{Waveform: 3, Channels: 1, Rate: 9600, Interleaver: 4800 * time.Millisecond}.Message()
	})},
	{"NON-ARQ to all", "90eb 7000 0a ef fffffff5060708 0c092a 0009 0000 0014 6d8d 0006990068656c6c6f 46b373f7", frame(dpdu.NonARQ, s5066.AllStations(), far, 10, func(p *dpdu.PDU) {
		p.NonARQ, p.Segment = dpdu.Datagram{ID: 0x2A, InOrder: true, Size: 9, Window: 20}, hello
	})},
	{"EXP-NON-ARQ link request", "90eb 8000 04 ef 10203045060708 100123 0001 0000 0008 d51b 10 aa9c741e", frame(dpdu.ExpeditedNonARQ, nodeB, far, 4, func(p *dpdu.PDU) {
		p.NonARQ, p.Segment = dpdu.Datagram{ID: 0x123, Size: 1, Window: 8}, []byte{0x10}
	})},
	{"WARNING m=2", "90eb f000 00 47 0564 02 5f1e", dpdu.PDU{
		Type: dpdu.Warning, AddressSize: 2, To: s5066.Unicast(5), From: s5066.Unicast(100), Warning: dpdu.Complaint{Reason: dpdu.Invalid},
	}},
	{"ACK LWE 2", "90eb 1000 01 e7 10203051020304 02 059f", frame(dpdu.AckOnly, nodeA, nodeB, 1, func(p *dpdu.PDU) { p.Acks = acks(2) })},
	{"ACK 0 missing", "90eb 1000 01 e8 10203051020304 0001 edc6", frame(dpdu.AckOnly, nodeA, nodeB, 1, func(p *dpdu.PDU) { p.Acks = acks(0, 1) })},
	{"ACK over the wrap", "90eb 1000 01 e8 10203051020304 fa26 058b", frame(dpdu.AckOnly, nodeA, nodeB, 1, func(p *dpdu.PDU) { p.Acks = acks(250, 252, 253, 0) })},
	{"ACK of 127 frames", "90eb 1000 01 f7 10203051020304 00 ffffffffffffffffffffffffffffff7f ad47", frame(dpdu.AckOnly, nodeA, nodeB, 1, func(p *dpdu.PDU) { p.Acks = from(0, 1, 127) })},
	{"ACK with advice 2400 short", "90eb 1156 01 e7 10203051020304 02 3694", frame(dpdu.AckOnly, nodeA, nodeB, 1, func(p *dpdu.PDU) {
		p.Acks, p.EOW = acks(2), dpdu.RateOrder{Code: 5, Interleave: dpdu.ShortInterleaver, Advice: true}.EOW()
	})},
	{"DROP", "90eb 0000 02 e9 10203041020305 780009 32fa 00000000", frame(dpdu.DataOnly, nodeB, nodeA, 2, func(p *dpdu.PDU) {
		p.Data = dpdu.Data{FSN: 9, End: true, InOrder: true, Drop: true, TXUWE: true}
	})},
	{"empty DATA-ONLY", "90eb 0000 01 e9 10203051020304 200001 08a0 00000000", frame(dpdu.DataOnly, nodeA, nodeB, 1, func(p *dpdu.PDU) { p.Data = dpdu.Data{FSN: 1, InOrder: true} })},
	{"RX WINDOW COMMAND", "90eb 3000 01 e9 10203041020305 020a04 7fb1", frame(dpdu.Resync, nodeB, nodeA, 1, func(p *dpdu.PDU) { p.Resync = dpdu.Reset{RXCommand: true, LWE: 10, ID: 4} })},
	{"its ACK", "90eb 3000 01 e9 10203051020304 010004 e965", frame(dpdu.Resync, nodeA, nodeB, 1, func(p *dpdu.PDU) { p.Resync = dpdu.Reset{Ack: true, ID: 4} })},
	{"TX WINDOW REQUEST", "90eb 3000 01 e9 10203051020304 040003 99bb", frame(dpdu.Resync, nodeA, nodeB, 1, func(p *dpdu.PDU) { p.Resync = dpdu.Reset{TXRequest: true, ID: 3} })},
	{"DRC request 1200 long", "90eb 6148 02 e8 10203051020304 0200 50e1", frame(dpdu.Management, nodeA, nodeB, 2, func(p *dpdu.PDU) {
		p.EOW, p.Management = dpdu.RateOrder{Code: 4, Interleave: dpdu.LongInterleaver}.EOW(), dpdu.Message{Valid: true}
	})},
	{"accept with ACK", "90eb 6200 02 e8 10203041020305 0300 c7af", answer(nodeB, nodeA, dpdu.RateAnswer{Verdict: dpdu.RateAccept}, dpdu.Message{Valid: true, Ack: true})},
	{"DT_ACK back", "90eb 6000 02 e8 10203051020304 0100 bd38", frame(dpdu.Management, nodeA, nodeB, 2, func(p *dpdu.PDU) { p.Management = dpdu.Message{Ack: true} })},
	{"confirm", "90eb 6260 02 e8 10203041020305 0201 e21c", answer(nodeB, nodeA, dpdu.RateAnswer{Verdict: dpdu.RateConfirm}, dpdu.Message{Valid: true, ID: 1})},
	{"refuse, unfit", "90eb 6225 02 e8 10203041020305 0300 63a5", answer(nodeB, nodeA, dpdu.RateAnswer{Verdict: dpdu.RateRefuse, Reason: dpdu.RateUnfit}, dpdu.Message{Valid: true, Ack: true})},
	{"cancel", "90eb 6240 02 e8 10203051020304 0301 f496", answer(nodeA, nodeB, dpdu.RateAnswer{Verdict: dpdu.RateCancel}, dpdu.Message{Valid: true, Ack: true, ID: 1})},
	{"EOW type 9 unknown", "90eb 6309 02 e8 10203041020305 0302 203c", frame(dpdu.Management, nodeB, nodeA, 2, func(p *dpdu.PDU) {
		p.EOW, p.Management = dpdu.MakeEOW(dpdu.UnknownMessage, 9), dpdu.Message{Valid: true, Ack: true, ID: 2}
	})},
	{"capabilities", "90eb 64b0 02 e8 10203041020305 0203 77ad", frame(dpdu.Management, nodeB, nodeA, 2, func(p *dpdu.PDU) {
		p.EOW, p.Management = dpdu.MakeEOW(dpdu.Capabilities, 0xB0), dpdu.Message{Valid: true, ID: 3}
	})},
	{"NON-ARQ bytes 0-5", "90eb 7000 04 ef 10203041020305 100623 000a 0000 0014 b07c 000477006162 8690782c", frame(dpdu.NonARQ, nodeB, nodeA, 4, func(p *dpdu.PDU) {
		p.NonARQ, p.Segment = dpdu.Datagram{ID: 0x123, Size: 10, Window: 20}, []byte("\x00\x04\x77\x00ab")
	})},
	{"NON-ARQ bytes 6-9", "90eb 7000 04 ef 10203041020305 100423 000a 0006 0014 0d5f 63646566 d428f698", frame(dpdu.NonARQ, nodeB, nodeA, 4, func(p *dpdu.PDU) {
		p.NonARQ, p.Segment = dpdu.Datagram{ID: 0x123, Size: 10, Offset: 6, Window: 20}, []byte("cdef")
	})},
	{"S_PDU confirm", "90eb 0000 02 e9 10203051020304 ec0700 3466 00106668656c6c 96149328", frame(dpdu.DataOnly, nodeA, nodeB, 2, func(p *dpdu.PDU) {
		p.Data, p.Segment = dpdu.Data{Start: true, End: true, InOrder: true, TXUWE: true, TXLWE: true}, []byte("\x00\x10\x66hell")
	})},
	{"WARNING not connected", "90eb f000 01 e7 10203051020304 01 fe87", frame(dpdu.Warning, nodeA, nodeB, 1, func(p *dpdu.PDU) { p.Warning = dpdu.Complaint{Reason: dpdu.NotConnected} })},
	{"WARNING type 9", "90eb f000 01 e7 10203051020304 90 95f6", frame(dpdu.Warning, nodeA, nodeB, 1, func(p *dpdu.PDU) { p.Warning = dpdu.Complaint{Cause: 9} })},
	{"CAS request exclusive", "90eb 8000 02 ef 10203041020305 00 01 01 0001 0000 0004 60dd 11 6409ded0", frame(dpdu.ExpeditedNonARQ, nodeB, nodeA, 2, func(p *dpdu.PDU) {
		p.NonARQ, p.Segment = dpdu.Datagram{ID: 1, Size: 1, Window: 4}, []byte{0x11}
	})},
}

func answer(to, by s5066.Address, a dpdu.RateAnswer, m dpdu.Message) dpdu.PDU {
	return frame(dpdu.Management, to, by, 2, func(p *dpdu.PDU) { p.EOW, p.Management = a.EOW(), m })
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestVectorsOfAnnexC(t *testing.T) {
	t.Parallel()
	for _, v := range vectors {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			want := unhex(t, v.bytes)
			got, err := dpdu.Append(nil, v.pdu)
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("Append: %x, %v; want %x", got, err, want)
			}
			if v.pdu.Size() != len(want) {
				t.Errorf("Size: %d, want %d", v.pdu.Size(), len(want))
			}
			p, rest, err := dpdu.Parse(append(want, 1, 2))
			if err != nil || len(rest) != 2 {
				t.Fatalf("Parse: %d bytes left, %v", len(rest), err)
			}
			if d := cmp.Diff(v.pdu, p, normal); d != "" {
				t.Errorf("Parse (-want +got):\n%s", d)
			}
		})
	}
}

func TestStanzaDownTheStack(t *testing.T) {
	t.Parallel()
	stanza := "<message from='a@x' to='b@y'><body>hi</body></message>"
	cpdu := append([]byte{0, 4, 0x66, 0, 0, 1, 0, 0, 0x80, 1}, stanza...)
	whole := frame(dpdu.DataOnly, nodeB, nodeA, 4, func(p *dpdu.PDU) {
		p.Data, p.Segment = dpdu.Data{Start: true, End: true, InOrder: true, TXUWE: true, TXLWE: true}, cpdu
	})
	got, err := dpdu.Append(nil, whole)
	want := append(append(unhex(t, "90eb 0000 04 e9 10203041020305 ec4000 b014"), cpdu...), unhex(t, "58ec2259")...)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("one D_PDU of %d bytes: %x, %v", len(got), got, err)
	}
	second := frame(dpdu.DataOnly, nodeB, nodeA, 3, func(p *dpdu.PDU) {
		p.Data, p.Segment = dpdu.Data{FSN: 1, End: true, InOrder: true, TXUWE: true}, cpdu[40:]
	})
	got, err = dpdu.Append(nil, second)
	want = append(append(unhex(t, "90eb 0000 03 e9 10203041020305 681801 c09c"), cpdu[40:]...), unhex(t, "a9685466")...)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("second of two: %x, %v", got, err)
	}
}

func TestChecksumsOfAnnexC(t *testing.T) {
	t.Parallel()
	b := unhex(t, "f0000047056402")
	if c := dpdu.CRC16(b); c != 0x1E5F {
		t.Errorf("CRC-16 %04x", c)
	}
	if c := dpdu.CRC32(b); c != 0xF4178F95 {
		t.Errorf("CRC-32 %08x", c)
	}
	if c, d := dpdu.CRC16(nil), dpdu.CRC32(nil); c != 0 || d != 0 {
		t.Errorf("of nothing: %x %x", c, d)
	}
}
