package hf_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/links/compact"
	"sallyport/links/deflate"
	"sallyport/links/hf"
)

// The chats that figures are of: the texts that links/compact is measured with, between people and with labels as there. What models and
// dictionaries are trained on has other texts and other people; domains, clients and labels are what two sites know of each other.
var (
	measuredPeople = []string{"h.sorensen", "j.vasquez", "weather", "p.okafor", "duty.officer", "t.lindqvist", "boat7", "m.haddad", "cook", "r.silva"}
	knownPeople    = []string{"captain", "watch1", "watch2", "ops.room", "engineer", "medic", "radio", "supply", "n.berg", "k.lund", "bridge", "deck"}
	knownWords     = strings.Fields(`position report received please confirm the convoy leaves harbour at first light weather north wind moderate
		sea state three visibility good request medical supplies two boxes fuel remaining sixty percent engine repaired next report in one
		hour stand by roger out relay to all stations meeting moved map grid updated helicopter delayed`)
	markings = [][3]string{
		{"UNCLASSIFIED", "green", "MQYCAQEGASk="}, {"RESTRICTED", "blue", "MQYCAQIGASk="}, {"CONFIDENTIAL", "yellow", "MQYCAQMGASk="},
	}
)

// writer makes chats of these people.
type writer struct {
	*rand.Rand
	people []string
}

func (w writer) one(of ...string) string { return of[w.IntN(len(of))] }

// text is a chat that goes from a side, 0 the ship's, to the other.
func (w writer) text(side int, body string) string {
	domains := [2]string{"ship.example", "shore.example"}
	id := fmt.Sprintf("%08x-%d", w.Uint32(), w.IntN(50))
	if w.IntN(2) == 0 {
		id = fmt.Sprintf("%08x-%04x-4%03x-%x%03x-%012x", w.Uint32(), w.IntN(1<<16), w.IntN(1<<12), 8+w.IntN(4), w.IntN(1<<12), w.Uint64()>>16)
	}
	l := markings[w.IntN(len(markings))]
	return fmt.Sprintf("<message from='%s@%s/%s' to='%s@%s' type='chat' id='%s'><securitylabel xmlns='urn:xmpp:sec-label:0'>"+
		"<displaymarking bgcolor='%s' fgcolor='black'>%s</displaymarking><label><esssecuritylabel xmlns='urn:xmpp:sec-label:ess:0'>%s"+
		"</esssecuritylabel></label></securitylabel><body>%s</body></message>",
		w.one(w.people...), domains[side], w.one("desk", "laptop", "ops", "mobile"), w.one(w.people...), domains[1-side], id, l[1], l[0], l[2], body)
}

func (w writer) chat(t testing.TB, side int, body string) *xmlstream.Element {
	t.Helper()
	e, err := xmlstream.ParseDocument([]byte(w.text(side, body)), xmlstream.Options{ContentNS: xmlstream.NSServer})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// texts are the measured ones, each of fifty characters.
func texts(t testing.TB) (list []string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "compact", "testdata", "chats.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		list = append(list, line[:50])
	}
	return list
}

// lessons are made once: a model and a dictionary.
var lessons = sync.OnceValue(func() (l struct {
	model             *compact.Model
	dictionary, known deflate.Dictionary // known: of the same people as are measured
	err               error
},
) {
	w := writer{rand.New(rand.NewPCG(1, 1)), knownPeople}
	var samples []*xmlstream.Element
	var plain [][]byte
	for i := range 600 {
		var words []string
		for range 3 + w.IntN(9) {
			words = append(words, w.one(knownWords...))
		}
		text := []byte(w.text(i%2, strings.Join(words, " ")))
		e, err := xmlstream.ParseDocument(text, xmlstream.Options{ContentNS: xmlstream.NSServer})
		if err != nil {
			l.err = err
			return l
		}
		samples, plain = append(samples, e), append(plain, text)
	}
	l.model, l.err = compact.Train(samples, compact.TrainOptions{Texts: true})
	l.dictionary = deflate.Train(plain, deflate.MaxDictionary)
	for i, text := range plain {
		for j, p := range knownPeople {
			text = bytes.ReplaceAll(text, []byte("'"+p+"@"), []byte("'"+measuredPeople[j%len(measuredPeople)]+"@"))
		}
		plain[i] = text
	}
	l.known = deflate.Train(plain, deflate.MaxDictionary)
	return l
})

// figuresModes are what is measured, by the names that the benchmarks have.
func figuresModes(t testing.TB) map[string]hf.Config {
	t.Helper()
	l := lessons()
	if l.err != nil {
		t.Fatal(l.err)
	}
	coded := func(addresses ...jid.JID) hf.Config {
		c, err := compact.NewCodec(compact.Config{Model: l.model, Addresses: addresses})
		if err != nil {
			t.Fatal(err)
		}
		return hf.Config{Mode: hf.Compact, Codec: c}
	}
	var table []jid.JID
	for _, p := range measuredPeople {
		table = append(table, jid.MustParse(p+"@ship.example"), jid.MustParse(p+"@shore.example"))
	}
	return map[string]hf.Config{
		"rcop":                {Mode: hf.RCOP},
		"stream":              {Mode: hf.Stream, Compression: &deflate.Config{Dictionary: l.dictionary}},
		"stream-managed":      {Mode: hf.Stream, Managed: true, Compression: &deflate.Config{Dictionary: l.dictionary}},
		"stream-known-names":  {Mode: hf.Stream, Compression: &deflate.Config{Dictionary: l.known}},
		"compact":             coded(),
		"compact-known-names": coded(table...),
	}
}

const quietAfter = 30 * time.Second // between chats: everything is answered, and the link still there

// warm is what each chat keys on a link that is in use.
func warm(t testing.TB, cfg hf.Config, list []string) keyed {
	t.Helper()
	const before = 8
	w := writer{rand.New(rand.NewPCG(2, 2)), measuredPeople}
	h := newHop(t, "110a-2400-short", cfg, 1)
	var base keyed
	for i := range before + len(list) {
		if i == before {
			base = h.keyed()
		}
		h.put(0, w.chat(t, 0, list[i%len(list)]))
		h.await()
		h.run(quietAfter, nil)
	}
	return h.keyed().each(base, len(list))
}

// cold is what the first chat keys between two ends that know nothing of each other, how long it takes from when it was given and from the
// first keying to its arrival, and how often the other end keyed between the link and the arrival, in all.
func cold(t testing.TB, wave string, cfg hf.Config, list []string) (k keyed, first, fromKey time.Duration, answers int) {
	t.Helper()
	w := writer{rand.New(rand.NewPCG(2, 2)), measuredPeople}
	for i, text := range list {
		h := newHop(t, wave, cfg, uint64(i)+1) //nolint:gosec // small
		h.put(0, w.chat(t, 0, text))
		h.await()
		a := h.ends[0]
		first += h.now.Sub(a.asked[0])
		fromKey += h.now.Sub(a.keyedAt[0])
		for _, at := range h.ends[1].keyedAt {
			if at.After(a.up) && at.Before(h.now) {
				answers++
			}
		}
		h.run(quietAfter, nil)
		one := h.keyed().each(keyed{}, len(list))
		k = keyed{k.data + one.data, k.units + one.units, k.back + one.back, k.acks + one.acks, k.access + one.access, k.trains + one.trains}
	}
	n := time.Duration(len(list))
	return k, first / n, fromKey / n, answers
}

// converse lets both sides write now and then, and returns how long each chat took.
func converse(t testing.TB, wave string, cfg hf.Config, list []string) []time.Duration {
	t.Helper()
	w := writer{rand.New(rand.NewPCG(3, 3)), measuredPeople}
	h := newHop(t, wave, cfg, 1)
	for _, text := range list {
		side := w.IntN(2)
		h.put(side, w.chat(t, side, text))
		h.run(time.Duration(30+w.IntN(61))*time.Second, nil)
	}
	h.await()
	all := slices.Concat(h.ends[0].took, h.ends[1].took)
	slices.Sort(all)
	return all
}

// TestBytesOnTheAir holds what a chat keys; a bound is what was measured, and a little.
func TestBytesOnTheAir(t *testing.T) {
	list := texts(t)[:20]
	for name, most := range map[string]float64{"stream": 98, "stream-known-names": 86, "compact": 75, "compact-known-names": 60} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := warm(t, figuresModes(t)[name], list)
			t.Logf("%+v", got)
			if got.data > most {
				t.Errorf("%.1f bytes of data D_PDUs a chat, want at most %.0f", got.data, most)
			}
		})
	}
}

// BenchmarkFigures is what `make bench ONLY=hf` prints. All times are virtual: -benchtime 1x.
func BenchmarkFigures(b *testing.B) {
	list := texts(b)
	for name, cfg := range figuresModes(b) {
		b.Run("warm/"+name, func(b *testing.B) {
			for b.Loop() {
				reportKeyed(b, warm(b, cfg, list))
			}
		})
		b.Run("cold/"+name, func(b *testing.B) {
			for b.Loop() {
				k, _, _, _ := cold(b, "110a-2400-short", cfg, list)
				reportKeyed(b, k)
			}
		})
	}
	for _, wave := range []string{"110a-75-short", "110a-300-short", "110a-1200-short", "110a-2400-short", "4539-9600-veryshort"} {
		for _, name := range []string{"rcop", "stream", "compact"} {
			if wave == "110a-75-short" && name == "rcop" {
				continue // 454 bytes are 48 s: such a line is full
			}
			b.Run("latency/"+wave+"/"+name, func(b *testing.B) {
				cfg := figuresModes(b)[name]
				for b.Loop() {
					all := converse(b, wave, cfg, list)
					b.ReportMetric(all[len(all)/2].Seconds(), "p50-s")
					b.ReportMetric(all[len(all)*95/100].Seconds(), "p95-s")
					b.ReportMetric(all[len(all)-1].Seconds(), "max-s")
					_, first, fromKey, answers := cold(b, wave, cfg, list[:20])
					b.ReportMetric(first.Seconds(), "first-s")
					b.ReportMetric(fromKey.Seconds(), "keyed-s")
					b.ReportMetric(float64(answers)/20, "trips")
				}
			})
		}
	}
}

func reportKeyed(b *testing.B, k keyed) {
	b.Helper()
	b.ReportMetric(k.data, "data-B")
	b.ReportMetric(k.units, "unit-B")
	b.ReportMetric(k.back, "back-B")
	b.ReportMetric(k.acks, "ack-B")
	b.ReportMetric(k.access, "access-B")
	b.ReportMetric(k.trains, "trains")
}
