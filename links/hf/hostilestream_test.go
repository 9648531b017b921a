package hf_test

import (
	"slices"
	"testing"
	"time"

	"sallyport/links"
	"sallyport/links/hf"
)

// record is a piece of a stream in plain XML, of less than 128 bytes.
func record(text string) string { return "\x01" + string([]byte{byte(len(text))}) + text }

// TestHostileStreams: streams that are opened twice, used after their end, left half open, or acknowledge what was never sent (N20, N21).
// What is noted harms nothing, and the link carries on.
func TestHostileStreams(t *testing.T) {
	const none = "\x00\x00" // of ours that the stream is paired with
	blank := record("  ")
	greeting := record("<h xmlns='urn:sallyport:custody:0' e='0000000000000061' f='2' v='1'/>")
	boast := record("<a xmlns='urn:sallyport:custody:0' l='0' n='99999'/>")
	for name, row := range map[string]struct {
		data    []string
		noted   string
		managed bool
	}{
		"N20 opened twice":                           {[]string{chunk(0, 1, 5, 0, none+blank), chunk(0, 1, 6, 0, none+blank)}, hf.NoticeReset, false},
		"N20 data after the end":                     {[]string{chunk(0, 1, 5, 0, none+blank), chunk(0, 1, 6, 0, none+blank), chunk(0, 1, 5, 4, none+blank)}, hf.NoticeRepeated, false},
		"N20 bytes that came before":                 {[]string{chunk(0, 1, 5, 0, none+blank), chunk(0, 1, 5, 0, none+blank)}, hf.NoticeRepeated, false},
		"N21 half open":                              {[]string{chunk(0, 1, 5, 0, none), chunk(1, 1, 5, 0, none), chunk(2, 1, 5, 0, none)}, "", false},
		"N21 a hole that is never filled":            {[]string{chunk(0, 1, 5, 0, none+blank), chunk(0, 0, 5, 100, "x")}, "", false},
		"N21 acknowledged before sent":               {[]string{chunk(0, 1, 5, 0, none+greeting+boast)}, hf.NoticeReset, false},
		"an answer to a stream of ours that is over": {[]string{chunk(0, 1, 5, 0, none+blank), chunk(0, 1, 5, 4, "\x12\x34"+record("<a xmlns='urn:xmpp:sm:3' h='0'/>"))}, hf.NoticeReset, true},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, hf.Stream, func(c *hf.Config) { c.Managed = row.managed }, func(t *testing.T, p *pair) {
				time.Sleep(30 * time.Second)
				for _, d := range row.data {
					p.from(addresses["a.example"], 6, d)
				}
				time.Sleep(10 * time.Minute)
				if row.noted != "" && p.b.noted(row.noted) == 0 || p.b.noted(hf.NoticeMalformed) > 0 {
					t.Errorf("noted %v, want %q", p.b.kinds, row.noted)
				}
				if got := p.b.came(); len(got) > 0 || p.b.count(links.Delivered) > 0 {
					t.Errorf("%v came, %v", got, p.b.reports)
				}
				p.a.offer(0, 1, 2)
				for i := 0; i < 60 && len(p.b.came()) < 2; i++ {
					time.Sleep(time.Minute)
				}
				if got := p.b.came(); !slices.Equal(got, []string{"n1", "n2"}) {
					t.Errorf("afterwards %v; %v %v", got, p.a.kinds, p.b.kinds)
				}
			})
		})
	}
}
