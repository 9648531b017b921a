package node_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/s5066"
	"sallyport/s5066/cas"
	"sallyport/s5066/dpdu"
	"sallyport/s5066/modem"
	"sallyport/s5066/node"
	"sallyport/s5066/sis"
	"sallyport/s5066/spdu"
)

// forge gives a node frames as if its modem had heard them.
func (s *station) forge(list ...dpdu.PDU) {
	s.w.t.Helper()
	s.n.Modem(s.w.now, modem.Carrier{On: true, Waveform: s.w.wave})
	for _, p := range list {
		if !p.To.Valid() {
			p.To = address(s.i)
		}
		b, err := dpdu.Append(nil, p)
		if err != nil {
			s.w.t.Fatal(err)
		}
		s.n.Modem(s.w.now, modem.Data{Bytes: b})
	}
	s.n.Modem(s.w.now, modem.Carrier{SNR: modem.SNRUnknown})
}

// datagram is a C_PDU in one non-ARQ frame.
func datagram(typ dpdu.Type, from s5066.Address, id uint16, cpdu []byte) dpdu.PDU {
	return dpdu.PDU{Type: typ, From: from, Segment: cpdu, NonARQ: dpdu.Datagram{ID: id, Size: uint16(len(cpdu)), Window: 4}}
}

func control(from s5066.Address, id uint16, first byte) dpdu.PDU {
	return datagram(dpdu.ExpeditedNonARQ, from, id, []byte{first})
}

func (s *station) kinds() (list []string) {
	for _, e := range s.events {
		list = append(list, e.Kind.String()+" "+e.Text)
	}
	return list
}

// N17: S_PDUs that are none, are late, or are for nobody.
func TestN17(t *testing.T) {
	t.Parallel()
	late := spdu.DieAt(epoch.Add(-2*time.Hour), epoch.Add(-time.Hour))
	for name, c := range map[string]struct {
		spdu  []byte
		heard string
		event string
	}{
		"type 8":            {[]byte{0x80, 0x66, 0, 'x'}, "[]", "discarded "},
		"too short":         {[]byte{0x04, 0x66}, "[]", "discarded "},
		"nothing":           {nil, "[]", "discarded "},
		"late":              {must(t, spdu.Data{Source: 6, SAP: 6, TTD: late, UPDU: []byte("x")}), "[]", "discarded time to die is over"},
		"not bound":         {must(t, spdu.Data{Source: 6, SAP: 9, UPDU: []byte("x")}), "[]", "discarded nobody is bound to SAP 9"},
		"well":              {must(t, spdu.Data{Source: 6, SAP: 6, UPDU: []byte("x")}), "[x]", ""},
		"hard link non-ARQ": {must(t, spdu.LinkRequest{}), "[]", "discarded HARD LINK ESTABLISHMENT REQUEST in a service that is not for it"},
	} {
		w := newWorld(t, worldConfig{stations: 1, wave: wave})
		s := w.nodes[0]
		a := s.bind(6, arq)
		cpdu, err := cas.Append(nil, cas.CPDU{Type: cas.Data, SPDU: c.spdu})
		if err != nil {
			t.Fatal(err)
		}
		s.forge(datagram(dpdu.NonARQ, address(5), 0, cpdu))
		w.run(time.Hour, nil)
		if got := fmt.Sprint(a.heard()); got != c.heard {
			t.Errorf("%s: heard %s, want %s", name, got, c.heard)
		}
		if c.event != "" && !slices.Contains(s.kinds(), c.event) {
			t.Errorf("%s: %q, want %q", name, s.kinds(), c.event)
		}
		if n := w.status(0).Stats.Trains; n != 0 {
			t.Errorf("%s: answered %d times", name, n)
		}
	}
}

func must(t *testing.T, p spdu.PDU) []byte {
	t.Helper()
	b, err := spdu.Append(nil, p)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// N18: calls of nodes that are not permitted, BREAK by others, BREAK with a forged sender.
func TestN18(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldConfig{stations: 2, wave: wave, change: func(_ int, c *node.Config) {
		c.PermitAll = false
		c.Permit = []s5066.Address{address(0), address(1)}
	}})
	a, b := w.nodes[0].bind(6, arq), w.nodes[1].bind(6, arq)
	for i := range 20 { // a call, and data, of a node nobody listed
		w.nodes[1].forge(control(address(9), uint16(i), 0x10), datagram(dpdu.NonARQ, address(9), uint16(i), []byte{0, 4, 0x66, 0, 'x'}))
	}
	w.run(time.Minute, nil)
	if s := w.status(1); s.Stats.Keyed[dpdu.ExpeditedNonARQ].Frames > 2 || len(s.Links) != 0 || len(b.heard()) != 0 {
		t.Errorf("twenty calls: %+v, links %+v, heard %v", s.Stats.Keyed[dpdu.ExpeditedNonARQ], s.Links, b.heard())
	}
	a.unidata(3, s5066.ConfirmNode, []byte("to nobody"))
	if len(a.rejected()) != 0 {
		t.Error("told before drained")
	}
	a.unidata(1, s5066.ConfirmNode, sixty(1))
	w.run(30*time.Second, nil)
	if got := fmt.Sprint(a.rejected(), len(a.confirmed())); got != "[to nobody: destination node not responding] 1" {
		t.Error(got)
	}
	links := len(w.status(1).Links)
	w.nodes[1].forge(control(address(9), 100, 0x44))                     // BREAK of a stranger
	w.nodes[1].forge(datagram(dpdu.NonARQ, address(0), 3, []byte{0x44})) // in the wrong service
	w.nodes[1].forge(dpdu.PDU{Type: dpdu.ExpeditedNonARQ, To: s5066.AllStations(), From: address(0), Segment: []byte{0x44}, NonARQ: dpdu.Datagram{ID: 7, Size: 1, Window: 4}})
	if got := len(w.status(1).Links); links != 1 || got != 1 {
		t.Errorf("%d links, then %d", links, got)
	}
	w.nodes[1].forge(control(address(0), 101, 0x44)) // forged as the linked node: it is believed, and the link is made again
	if got := w.status(1).Links; len(got) != 0 {
		t.Errorf("links %+v", got)
	}
	b.unidata(0, s5066.ConfirmNode, sixty(2))
	a.unidata(1, s5066.ConfirmNode, sixty(3))
	w.run(time.Hour, nil)
	// What was under way when the link was taken away is in doubt, and its client is told so.
	if len(a.heard()) != 1 || len(b.heard())+len(a.rejected()) != 3 || len(b.rejected()) != 0 {
		t.Errorf("afterwards %d and %d heard, rejected %v %v", len(a.heard()), len(b.heard()), a.rejected(), b.rejected())
	}
}

// N19: orders of a data rate that nobody negotiated change nothing, and are not answered for ever.
func TestN19(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldConfig{stations: 2, wave: wave})
	a, b := w.nodes[0].bind(6, arq), w.nodes[1].bind(6, arq)
	a.unidata(1, s5066.ConfirmNode, sixty(1))
	w.run(30*time.Second, nil)
	before := w.status(1)
	for i := range 50 {
		rate := uint8(i % 16)
		w.nodes[1].forge(dpdu.PDU{
			Type: dpdu.Management, From: address(0), EOW: dpdu.EOW(uint16(dpdu.RateRequest)<<8 | uint16(rate)<<4), Management: dpdu.Message{Valid: true, ID: uint8(i)},
		})
	}
	w.run(time.Minute, nil)
	after := w.status(1)
	if after.Waveform != before.Waveform {
		t.Errorf("waveform %s", after.Waveform)
	}
	if n := after.Stats.Trains - before.Stats.Trains; n > 15 {
		t.Errorf("%d transmissions for fifty orders", n)
	}
	a.unidata(1, s5066.ConfirmNode, sixty(2))
	w.run(5*time.Minute, nil)
	if len(b.heard()) != 2 {
		t.Errorf("%d heard", len(b.heard()))
	}
}

// Frames that speak of a link that does not exist are answered by a WARNING once in ten seconds, and nothing is delivered.
func TestDataWithoutALink(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldConfig{stations: 1, wave: wave})
	a := w.nodes[0].bind(6, arq)
	for i := range 30 {
		w.nodes[0].forge(dpdu.PDU{Type: dpdu.DataOnly, From: address(3), Segment: []byte{0, 4, 0x66, 0, 'x'}, Data: dpdu.Data{FSN: uint8(i), Start: true, End: true}})
	}
	w.run(5*time.Second, nil)
	if s := w.status(0).Stats; len(a.heard()) != 0 || s.Keyed[dpdu.Warning].Frames != 1 {
		t.Errorf("heard %v, warned %d times", a.heard(), s.Keyed[dpdu.Warning].Frames)
	}
}

// Everything that passes is shown to the hook, both ways, in bytes that can be written down.
func TestCapture(t *testing.T) {
	t.Parallel()
	var seen []string
	w := newWorld(t, worldConfig{stations: 2, wave: wave, change: func(i int, c *node.Config) {
		if i == 0 {
			c.Capture = func(x node.Captured) {
				name := ""
				if x.Primitive != nil {
					name = strings.TrimPrefix(x.Primitive.Type().String(), "S_")
				} else {
					name = x.Frame.Type.String()
				}
				if len(x.Bytes) < 6 || x.Bytes[0] != 0x90 || x.Bytes[1] != 0xEB || x.Time.Before(epoch) {
					name += " (bad)"
				}
				if x.Out {
					name = ">" + name
				}
				seen = append(seen, name)
			}
		}
	}})
	a := w.nodes[0].bind(6, arq)
	w.nodes[1].bind(6, arq)
	a.unidata(1, s5066.ConfirmNode, sixty(1))
	w.run(30*time.Second, nil)
	want := "BIND_REQUEST >BIND_ACCEPTED >SUBNET_AVAILABILITY UNIDATA_REQUEST >EXPEDITED NON-ARQ DATA EXPEDITED NON-ARQ DATA >DATA-ONLY ACK-ONLY ACK-ONLY ACK-ONLY >UNIDATA_REQUEST_CONFIRM"
	if got := strings.Join(seen, " "); !strings.EqualFold(squeeze(got), squeeze(want)) {
		t.Errorf("%s, want\n%s", got, want)
	}
}

// squeeze leaves the letters, and one of copies.
func squeeze(s string) string {
	words := slices.Compact(strings.Fields(strings.NewReplacer("-", "", "_", "").Replace(s)))
	return strings.Join(words, " ")
}

// Whatever clients and other nodes say, in whatever pieces: no panic, every deadline goes away, and the node stays within its limits.
func FuzzNode(f *testing.F) {
	f.Add([]byte("\x00\x90\xeb\x00\x00\x04\x01\x95\x14\x00"), []byte{1, 2, 3})
	link, err := dpdu.Append(nil, dpdu.PDU{Type: dpdu.ExpeditedNonARQ, To: address(0), From: address(1), Segment: []byte{0x10}, NonARQ: dpdu.Datagram{Size: 1, Window: 4}})
	if err != nil {
		f.Fatal(err)
	}
	data, err := dpdu.Append(nil, dpdu.PDU{Type: dpdu.DataOnly, To: address(0), From: address(1), Segment: []byte{0, 4, 0x66, 0x80, 'x'}, Data: dpdu.Data{Start: true, End: true, TXLWE: true, TXUWE: true}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte("\x90\xeb\x00\x00\x04\x01\x65\x14\x00\x90\xeb\x00\x00\x0d\x14\x46\xe1\x02\x03\x05\x14\x00\x00\x00\x00\x01x"), append(link, data...))
	f.Fuzz(func(t *testing.T, fromClient, fromAir []byte) {
		w := newWorld(t, worldConfig{stations: 2, wave: "110a-2400-short"})
		s := w.nodes[0]
		id, err := s.n.Attach(w.now)
		if err != nil {
			t.Fatal(err)
		}
		s.clients = append(s.clients, &client{s: s, id: id})
		other := w.nodes[1].bind(6, arq)
		for i := 0; len(fromClient)+len(fromAir) > 0; i++ {
			n := min(len(fromClient), 64)
			s.n.Bytes(w.now, id, fromClient[:n])
			fromClient = fromClient[n:]
			if n = min(len(fromAir), 100); n > 0 {
				s.n.Modem(w.now, modem.Carrier{On: true, Waveform: w.wave})
				s.n.Modem(w.now, modem.Data{Bytes: fromAir[:n]})
				s.n.Modem(w.now, modem.Carrier{SNR: modem.SNRUnknown})
				fromAir = fromAir[n:]
			}
			if i == 0 {
				other.unidata(0, s5066.ConfirmClient, sixty(1))
			}
			w.run(7*time.Second, nil)
		}
		w.run(time.Hour, nil)
		for _, p := range other.got {
			if r, ok := p.(sis.UnidataRejected); ok && r.Reason == 0 {
				t.Fatalf("rejected without a reason: %+v", r)
			}
		}
	})
}
