package hf_test

import (
	"testing"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/links"
	"sallyport/links/compact"
	"sallyport/links/deflate"
	"sallyport/links/hf"
	"sallyport/s5066"
)

// FuzzHeaders: what is read is written again as it was.
func FuzzHeaders(f *testing.F) {
	for _, s := range []string{"\xa0\x00\x00\x01\x00\x00ccgreeting", "\x84ccmarks", "\x88\x01cc", "\xb3\xff\x12\x34\x00\x01ccx", "\x37ccxxcoded", "\xc8cc\x07xxcoded", "\xc0\x01\x00\x01\x00\x00\x00\x00\x00\x00x", "\xc3\x02\x00\x09\x00\x00\x00\x00", "\x80ccabc", "\x92cc\x04\x01\x05"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if same, read := hf.SameAgain(b); read && len(b) > 0 && !same && b[0]&0xC0 == 0x80 {
			t.Errorf("% x is written otherwise", b)
		} else if read && !same {
			t.Errorf("chunk % x is written otherwise", b)
		}
	})
}

// FuzzMachines: whatever comes from the air, one after the other, no mode breaks, holds more than its bounds, or wants to talk for ever.
func FuzzMachines(f *testing.F) {
	c := codec(f)
	greeting := string(compact.AppendGreeting(nil, compact.Greeting{Epoch: 'a', Codec: c.Fingerprint()}))
	for _, s := range []string{
		"\x02\x40" + hf.Greets(1, 0, greeting), "\x02\x40" + hf.Greets(1, 5, greeting) + "\x07\x01cc\x01abc\x07\xc0cc\x02abc",
		"\x01\x0c\xc0\x01\x00\x01\x00\x00\x00\x00\x00\x00<h",
		"\x00\x20\x00\x01\x00\x00\x83\x65<presence from='a@b' to='c@d'/>", "\x01\x08\xc0\x02\x01\x01\x00\x00\x00\x00\x0c\xc0\x01\x00\x02\x00\x00\x00\x00\x00\x00\x01",
	} {
		f.Add([]byte(s))
	}
	modes := []hf.Mode{hf.RCOP, hf.Stream, hf.Compact}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) == 0 {
			return
		}
		yes := func(jid.JID) bool { return true }
		now := time.Unix(1_700_000_000, 0)
		cfg := &hf.Config{
			Name: "hf", Mode: modes[int(b[0])%3], SAP: 6, Address: s5066.Unicast(1), Remote: yes, Local: yes, Codec: c,
			Compression: &deflate.Config{}, Profile: links.Profile{BitsPerSecond: 1200, RoundTrip: 10 * time.Second, HalfDuplex: true},
		}
		m := hf.NewMachine(cfg, now)
		for b = b[1:]; len(b) > 0; {
			n := min(int(b[0]), len(b)-1)
			m.Heard(now, m.Sealed(b[1:1+n])) // or nothing would get past the check
			b = b[1+n:]
			if said := m.Said(now); len(said) >= 1000 {
				t.Fatalf("%d U_PDUs without an end", len(said))
			}
			if at := m.Deadline(); !at.IsZero() && at.After(now) {
				now = at
			} else {
				now = now.Add(time.Second)
			}
		}
	})
}
