package hf_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/links"
	"sallyport/links/compact"
	"sallyport/links/deflate"
	"sallyport/links/hf"
	"sallyport/s5066"
)

// label is one of XEP-0258 as it stands in traffic.
const label = "<securitylabel xmlns='urn:xmpp:sec-label:0'><displaymarking fgcolor='black' bgcolor='yellow'>RESTRICTED</displaymarking>" +
	"<label><esssecuritylabel xmlns='urn:xmpp:sec-label:ess:0'>MQYCAQIGASk=</esssecuritylabel></label></securitylabel>"

// chat is a labelled message of fifty characters.
func chat(t testing.TB, n int) *xmlstream.Element { return chatOf(t, n, bodies[n%len(bodies)]) }

func chatOf(t testing.TB, n int, words string) *xmlstream.Element {
	t.Helper()
	body := (words + "                                                  ")[:50]
	text := fmt.Sprintf("<message from='bosun@ship.example/deck' to='desk%d@shore.example' type='chat' id='%08x'>%s<body>%s</body></message>",
		n%7, uint32(n)*2654435761, label, body)
	e, err := xmlstream.ParseDocument([]byte(text), xmlstream.Options{Limits: xmlstream.ServerLimits(), ContentNS: xmlstream.NSServer})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// bodies are padded to fifty characters.
var bodies = []string{
	"Pilot is aboard, we enter the fairway at half past", "Request two tons of fresh water on arrival, please.", "Wind has backed to the west, sea moderate, visible",
	"Generator three is back on line since this morning", "Helicopter due in twenty minutes, clear the deck now", "Send the list of spare parts again, page two is gone",
	"Medical case is stable, doctor asks for a call at 8", "Position report follows at noon as agreed yesterday",
}

// TestBytesOfAChat: bytes of U_PDUs that one labelled chat of fifty characters costs when it travels alone on a link that is in use, in the
// mean of many, with the header of its mode and without what lies below. Acknowledgements, which go the other way, are told apart.
func TestBytesOfAChat(t *testing.T) {
	dictionary := dictionaryOf(t)
	rows := []struct {
		name string
		cfg  hf.Config
		most float64
	}{
		{"rcop", hf.Config{Mode: hf.RCOP}, 440},
		{"stream, fresh, no dictionary", hf.Config{Mode: hf.Stream, Compression: &deflate.Config{}}, 310},
		{"stream, fresh, dictionary", hf.Config{Mode: hf.Stream, Compression: &deflate.Config{Dictionary: dictionary}}, 100},
		{"stream, shared, no dictionary", hf.Config{Mode: hf.Stream, Compression: &deflate.Config{Context: deflate.Shared}}, 90},
		{"compact, built-in model", hf.Config{Mode: hf.Compact}, 68},
		{"compact, model trained from other words", hf.Config{Mode: hf.Compact, Codec: trained(t)}, 24},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			now := time.Unix(1_700_000_000, 0)
			there, back, count := warmAndMeasure(t, row.cfg, &now)
			t.Logf("%.1f bytes of U_PDU a chat, %.1f of acknowledgements back", float64(there)/float64(count), float64(back)/float64(count))
			if mean := float64(there) / float64(count); mean > row.most {
				t.Errorf("%.1f bytes, budget %.0f", mean, row.most)
			}
		})
	}
}

func warmAndMeasure(t *testing.T, cfg hf.Config, now *time.Time) (there, back, count int) {
	t.Helper()
	yes := func(jid.JID) bool { return true }
	cfg.Name, cfg.SAP, cfg.Address, cfg.Remote, cfg.Local = "hf", 6, s5066.Unicast(1), yes, yes
	cfg.Profile = links.Profile{BitsPerSecond: 2400, RoundTrip: 8 * time.Second, HalfDuplex: true}
	left, right := cfg, cfg
	right.Address = s5066.Unicast(2)
	if cfg.Mode == hf.Compact && cfg.Codec == nil {
		left.Codec, right.Codec = codec(t), codec(t)
	}
	a, b := hf.NewMachine(&left, *now), hf.NewMachine(&right, *now)
	const warm = 8
	all := 100
	if testing.Short() {
		all = 30
	}
	for n := range all {
		a.Put(*now, chat(t, n), uint64(n+1)) //nolint:gosec // small
		came := 0
		for range 10 {
			*now = now.Add(3 * time.Second)
			for _, u := range a.Said(*now) {
				came += b.Heard(*now, u)
				if n >= warm {
					there += len(u)
				}
			}
			for _, u := range b.Said(*now) {
				a.Heard(*now, u)
				if n >= warm {
					back += len(u)
				}
			}
		}
		if came != 1 {
			t.Fatalf("chat %d came %d times", n, came)
		}
	}
	return there, back, all - warm
}

// trained is a codec whose model has seen the same people and label, and none of the words.
func trained(t *testing.T) *compact.Codec {
	t.Helper()
	var samples []*xmlstream.Element
	for n := range 200 {
		samples = append(samples, chatOf(t, 5000+n, []string{
			"All quiet on this watch, nothing more to be reported", "Weather chart has been received, thank you very much", "We will call you again when the repair is complete",
		}[n%3]))
	}
	m, err := compact.Train(samples, compact.TrainOptions{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := compact.NewCodec(compact.Config{Model: m})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// dictionaryOf is trained from chats with other words.
func dictionaryOf(t *testing.T) deflate.Dictionary {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "dictionary.xml"))
	if err != nil {
		t.Fatal(err)
	}
	d, err := deflate.NewDictionary(b)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
