package hf_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sallyport/links"
	"sallyport/links/compact"
	"sallyport/links/hf"
	"sallyport/s5066"
	"sallyport/s5066/sis"
)

// from submits a U_PDU to b as if a node of that address had.
func (p *pair) from(address s5066.Address, sap s5066.SAP, data string) {
	p.b.node.indicate(address, sap, sis.UnidataRequest{
		SAP: 6, Destination: p.b.node.address, Data: []byte(data), Delivery: s5066.DeliveryMode{Mode: s5066.TxARQ},
	})
	time.Sleep(2 * time.Second)
}

func chunk(stream, flags byte, generation uint16, offset uint32, rest string) string {
	return hf.ChunkOf(stream, flags, generation, offset, rest)
}

// TestHostile: what nobody should send is noted, harms nothing, and leaves the link where it was.
func TestHostile(t *testing.T) {
	good := "<presence from='u@a.example/r' to='v@b.example'><status>n9 x</status></presence>"
	rcop := func(id, segment byte, text string) string {
		return string([]byte{0, id, 0, segment, 0x83, 0x65}) + text
	}
	a := addresses["a.example"]
	codec := codec(t)
	greeting := string(compact.AppendGreeting(nil, compact.Greeting{Epoch: 'a', Codec: codec.Fingerprint()}))
	alien := string(compact.AppendGreeting(nil, compact.Greeting{Epoch: 'a', Codec: compact.Fingerprint{1, 2, 3}}))
	boast := string(compact.AppendGreeting(nil, compact.Greeting{
		Epoch: 'a', Codec: codec.Fingerprint(), Marks: []links.Mark{{Epoch: 'b', Number: 1 << 40}},
	}))
	rows := []struct {
		name  string
		mode  hf.Mode
		from  s5066.Address
		sap   s5066.SAP
		data  []string
		noted string
	}{
		{"wrong source", hf.RCOP, s5066.Unicast(0x999), 6, []string{rcop(1, 0, good)}, hf.NoticeSource},
		{"wrong SAP", hf.RCOP, a, 7, []string{rcop(1, 0, good)}, hf.NoticeSource},
		{"no header", hf.RCOP, a, 6, []string{"\x00\x01"}, hf.NoticeMalformed},
		{"replayed message", hf.RCOP, a, 6, []string{rcop(1, 0, strings.ReplaceAll(good, "n9", "before")), rcop(1, 0, strings.ReplaceAll(good, "n9", "before"))}, hf.NoticeRepeated},
		{"another application", hf.RCOP, a, 6, []string{"\x00\x01\x00\x00\x90\x00" + good}, hf.NoticeMalformed},
		{"unlisted domain", hf.RCOP, a, 6, []string{rcop(1, 0, strings.ReplaceAll(good, "a.example", "c.example"))}, hf.NoticeForeign},
		{"two stanzas", hf.RCOP, a, 6, []string{rcop(1, 0, good+good)}, hf.NoticeMalformed},
		{"stream header", hf.RCOP, a, 6, []string{rcop(1, 0, "<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams'>")}, ""},
		{"no XML", hf.RCOP, a, 6, []string{rcop(1, 0, "GET / HTTP/1.0")}, hf.NoticeMalformed},
		{"not a unit", hf.Compact, a, 6, []string{"\x00\x00\x00", "", "\x80", "\xf0\x00\x00\x00"}, hf.NoticeMalformed},
		{"void with content", hf.Compact, a, 6, []string{"\x88\x00\x01\x00x"}, hf.NoticeMalformed},
		{"another codec", hf.Compact, a, 6, []string{hf.Greets(1, 0, alien)}, hf.NoticeCodec},
		{"session without greeting", hf.Compact, a, 6, []string{"\x80\x00\x01\x00xyz"}, ""},
		{"changed on the way", hf.Compact, a, 6, []string{hf.Greets(1, 0, greeting) + "x"}, hf.NoticeMalformed},
		{"of no session that is known", hf.Compact, a, 6, []string{hf.Greets(1, 0, greeting), "\x80\x01\x00\x00x", "\x01\x00\x00xyz"}, hf.NoticeMalformed},
		{"greeting that is none", hf.Compact, a, 6, []string{hf.Greets(1, 0, "xyz")}, hf.NoticeMalformed},
		{"records out of shape", hf.Compact, a, 6, []string{hf.Greets(1, 0, greeting+"\xff\xff")}, hf.NoticeMalformed},
		{"marks never given", hf.Compact, a, 6, []string{hf.Greets(1, 0, boast)}, hf.NoticeBogus},
		{"replayed unit", hf.Compact, a, 6, []string{hf.Greets(1, 0, greeting), hf.Greets(1, 0, greeting)}, hf.NoticeRepeated},
		{"stream of another version", hf.Stream, a, 6, []string{"\xd0\x01\x00\x01\x00\x00\x00\x00", "\xc0\xf1\x00\x01\x00\x00\x00\x00"}, hf.NoticeMalformed},
		{"changed chunk", hf.Stream, a, 6, []string{chunk(0, 1, 5, 0, "\x00\x00abc") + "x"}, hf.NoticeMalformed},
		{"brief chunk of no stream", hf.Stream, a, 6, []string{"\x80ccabc"}, hf.NoticeReset},
		{"brief chunk of another", hf.Stream, a, 6, []string{chunk(0, 1, 5, 0, "\x00\x00"), "\x80ccabc", "\x90ccabc"}, hf.NoticeMalformed},
		{"truncated chunk", hf.Stream, a, 6, []string{"\xc0\x01\x00"}, hf.NoticeMalformed},
		{"stream beyond those agreed", hf.Stream, a, 6, []string{chunk(9, 1, 5, 0, "\x00\x00abc")}, hf.NoticeReset},
		{"stream never opened", hf.Stream, a, 6, []string{chunk(0, 0, 5, 0, "abc")}, hf.NoticeReset},
		{"sequence jump", hf.Stream, a, 6, []string{chunk(0, 1, 5, 1<<30, "\x00\x00abc")}, hf.NoticeReset},
		{"stream header in a stream", hf.Stream, a, 6, []string{chunk(0, 1, 5, 0, "\x00\x00\x01\x50<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams'>")}, hf.NoticeReset},
		{"stanza without a frame", hf.Stream, a, 6, []string{chunk(0, 1, 5, 0, "\x00\x00\x01"+string([]byte{byte(len(good))})+good)}, hf.NoticeReset},
		{"open flood", hf.Stream, a, 6, flood(), hf.NoticeReset},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			bubble(t, row.mode, nil, func(t *testing.T, p *pair) {
				time.Sleep(time.Second)
				for _, d := range row.data {
					p.from(row.from, row.sap, d)
				}
				came := p.b.came()
				if slices.ContainsFunc(came, func(s string) bool { return s == "n9" }) {
					t.Errorf("it was delivered: %v", came)
				}
				if row.noted != "" && p.b.noted(row.noted) == 0 {
					t.Errorf("not noted as %s: %v", row.noted, p.b.kinds)
				}
				p.a.offer(0, 1)
				for i := 0; i < 60 && !slices.Contains(p.b.came(), "n1"); i++ {
					time.Sleep(time.Minute)
				}
				if !slices.Contains(p.b.came(), "n1") {
					t.Errorf("the link does not carry any more: %v; %v %v", p.b.came(), p.a.kinds, p.b.kinds)
				}
			})
		})
	}
}

func flood() (all []string) {
	for i := range uint16(200) {
		all = append(all, chunk(byte(i%4), 1, 100+i, 0, "\x00\x00\x01\x02  "))
	}
	return all
}

// TestBroadcastToTheSilent: what is broadcast reaches a peer under radio silence through losses; its acknowledgement comes when it may transmit,
// and then nothing is repeated any more. What has expired before is given up.
func TestBroadcastToTheSilent(t *testing.T) {
	edit := func(c *hf.Config) {
		if c.Peer == "b" {
			c.Broadcast = &hf.Broadcast{To: s5066.AllStations(), Copies: 2, Lanes: [links.Lanes]bool{true, true, true, true}}
		} else {
			c.Silent = true
		}
	}
	bubble(t, hf.Compact, edit, func(t *testing.T, p *pair) {
		p.air.drop = 0.5
		p.a.offer(0, 1, 2, 3)
		time.Sleep(time.Minute)
		p.a.offer(1, 4, 5)
		time.Sleep(6 * time.Hour)
		if got := p.b.came(); len(got) != 5 || p.a.count(links.Delivered) != 0 {
			t.Errorf("came %v, reports %v", got, p.a.reports)
		}
		for _, r := range p.air.sent {
			if r.Delivery.Mode != s5066.TxNonARQ || r.Delivery.Retransmissions != 2 || !r.Destination.IsGroup() {
				t.Errorf("sent %+v", r.Delivery)
			}
		}
		p.b.link.SetSilent(false)
		time.Sleep(6 * time.Hour)
		if p.a.count(links.Delivered) != 5 {
			t.Errorf("reports %v", p.a.reports)
		}
		before := len(p.air.sent)
		time.Sleep(6 * time.Hour)
		if n := len(p.air.sent) - before; n > 0 {
			t.Errorf("%d U_PDUs for nobody", n)
		}
	})
}

// TestFlowOff: nothing is submitted after S_DATA_FLOW_OFF, and everything after S_DATA_FLOW_ON.
func TestFlowOff(t *testing.T) {
	for _, mode := range modes {
		t.Run(mode.String(), func(t *testing.T) {
			bubble(t, mode, nil, func(t *testing.T, p *pair) {
				time.Sleep(time.Second)
				flow := func(on bool) {
					n := p.a.node
					n.mu.Lock()
					for _, b := range n.s.Bindings() {
						if on {
							n.s.FlowOn(time.Now(), b.Client)
						} else {
							n.s.FlowOff(time.Now(), b.Client)
						}
					}
					n.mu.Unlock()
					n.listener.Wake()
					synctest.Wait()
				}
				flow(false)
				p.a.offer(0, 1)
				time.Sleep(time.Minute)
				if n := len(p.air.sent); n != 0 {
					t.Errorf("%d submitted", n)
				}
				flow(true)
				time.Sleep(time.Minute)
				if got := fmt.Sprint(p.b.came()); got != "[n1]" {
					t.Errorf("came %s", got)
				}
			})
		})
	}
}

// TestFlashOvertakes: behind a hundred kilobytes of routine flash waits for what the node has been given, which is what the line carries in
// three quarters of a minute, and not for all of it.
func TestFlashOvertakes(t *testing.T) {
	for _, mode := range modes {
		t.Run(mode.String(), func(t *testing.T) {
			patient := func(c *hf.Config) { c.Age = 24 * time.Hour }
			bubble(t, mode, patient, func(t *testing.T, p *pair) {
				p.air.rate = 1200
				p.a.text = random(500)
				p.a.offer(0, numbers(1, 200)...)
				time.Sleep(5 * time.Minute)
				begin := time.Now()
				p.a.offer(3, 1000)
				for !slices.Contains(p.b.came(), "n1000") && time.Since(begin) < time.Hour {
					time.Sleep(time.Second)
				}
				if took := time.Since(begin); took > time.Minute {
					t.Errorf("flash took %v", took)
				}
				if got := p.b.came(); len(got) > 150 {
					t.Errorf("%d of routine came before it: the test proves nothing", len(got))
				}
				time.Sleep(3 * time.Hour)
				if got := p.b.came(); len(got) != 201 {
					t.Errorf("%d came", len(got))
				}
			})
		})
	}
}

// TestLargeStanzasAndSmallUnits: a stanza larger than the MTU goes in several U_PDUs, at 75 bit/s too.
func TestLargeStanzasAndSmallUnits(t *testing.T) {
	for _, mode := range modes {
		t.Run(mode.String(), func(t *testing.T) {
			slow := func(c *hf.Config) {
				c.Profile = links.Profile{BitsPerSecond: 75, RoundTrip: time.Minute, HalfDuplex: true, Patience: 3}
				c.Age = 24 * time.Hour
			}
			bubble(t, mode, slow, func(t *testing.T, p *pair) {
				p.air.delay = 30 * time.Second
				p.a.text = random(3000)
				p.a.offer(0, 1, 2)
				time.Sleep(3 * time.Hour)
				if got := fmt.Sprint(p.b.came()); got != "[n1 n2]" || p.a.count(links.Delivered) != 2 {
					t.Errorf("came %s; %v", got, p.a.reports)
				}
				for _, r := range p.air.sent {
					if len(r.Data) > 200 {
						t.Errorf("a U_PDU of %d bytes at 75 bit/s", len(r.Data))
					}
				}
			})
		})
	}
}

// random is text that nothing makes shorter.
func random(n int) string {
	var b strings.Builder
	for x := uint32(1); b.Len() < n; {
		x = x*1664525 + 1013904223
		fmt.Fprintf(&b, "%x", x>>8)
	}
	return b.String()
}

// TestUnreachablePeer: what the peer does not take goes back, an operator reads why, and it arrives once the peer is there.
func TestUnreachablePeer(t *testing.T) {
	bubble(t, hf.Compact, nil, func(t *testing.T, p *pair) {
		time.Sleep(time.Second)
		p.stops[1]() // its SAP is not bound now
		p.a.offer(0, 1, 2)
		time.Sleep(20 * time.Minute)
		st := p.a.link.Status()
		if p.a.count(links.Delivered) > 0 || p.a.count(links.Returned) == 0 {
			t.Errorf("reports %v, state %v", p.a.reports, st.State)
		}
		told := false
		for _, a := range st.Story {
			told = told || a.Advice != ""
		}
		if !told {
			t.Errorf("a story without advice: %+v", st.Story)
		}
		p.stops[1] = p.b.run()
		time.Sleep(time.Hour)
		if got := fmt.Sprint(p.b.came()); got != "[n1 n2]" {
			t.Errorf("came %s", got)
		}
	})
}
