package compact_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/links/compact"
	"sallyport/links/deflate"
)

// models are made once; a model never changes.
var models = struct{ trained, empty func() *compact.Model }{
	trained: sync.OnceValue(func() *compact.Model { return train(training(600), compact.TrainOptions{Texts: true}) }),
	empty:   sync.OnceValue(func() *compact.Model { return train(nil, compact.TrainOptions{}) }),
}

func train(samples []*xmlstream.Element, o compact.TrainOptions) *compact.Model {
	m, err := compact.Train(samples, o)
	if err != nil {
		panic(err)
	}
	return m
}

func codec(t testing.TB, m *compact.Model, addresses ...jid.JID) *compact.Codec {
	t.Helper()
	c, err := compact.NewCodec(compact.Config{Model: m, Addresses: addresses})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// roundTrip is the coded form of e, which was read back as it was.
func roundTrip(t rapid.TB, c *compact.Codec, e *xmlstream.Element, also ...jid.JID) []byte {
	t.Helper()
	text, err := xmlstream.AppendElement(nil, e, xmlstream.NSServer)
	if err != nil {
		t.Fatal(err)
	}
	b, err := c.Encode([]byte("before"), e, also...)
	if err != nil || string(b[:6]) != "before" {
		t.Fatal(err)
	}
	b = b[6:]
	again, others, err := c.Decode(b)
	if err != nil || !again.Equal(e) || !slices.Equal(others, also) {
		t.Fatalf("%v: % x for %s", err, b, text)
	}
	if form, err := xmlstream.AppendElement(nil, again, xmlstream.NSServer); err != nil || string(form) != string(text) {
		t.Fatalf("got %s, %v; want %s", form, err, text)
	}
	if len(b) > len(text)+3 && len(also) == 0 {
		t.Fatalf("%d bytes for %s", len(b), text)
	}
	return b
}

// sizes are those of the 200 measured chats.
func sizes(people []string, size func(*xmlstream.Element) int) (mean float64, p95 int) {
	var all []int
	total := 0
	for _, e := range between(people) {
		n := size(e)
		all = append(all, n)
		total += n
	}
	slices.Sort(all)
	return float64(total) / float64(len(all)), all[len(all)*95/100-1]
}

// TestFigures: bytes of 200 labelled chats of 50 characters, in words that the training has not seen, with no context shared between
// them. A bound is what was measured, and a little.
func TestFigures(t *testing.T) {
	var people []jid.JID
	for _, local := range strangers {
		for _, domain := range domains {
			people = append(people, jid.MustParse(local+"@"+domain))
		}
	}
	var samples [][]byte
	for _, e := range training(600) {
		samples = append(samples, plain(e))
	}
	zip := deflate.NewWriter(deflate.Config{Dictionary: deflate.Train(samples, deflate.MaxDictionary)})
	silent := models.trained()
	if !testing.Short() {
		silent = train(training(600), compact.TrainOptions{})
	}
	for i, row := range []struct {
		name   string
		c      *compact.Codec
		people []string
		mean   float64
		p95    int
	}{
		{"people of the training", codec(t, models.trained()), trained, 28, 37},
		{"the same, from a model without texts", codec(t, silent), trained, 28, 37},
		{"people of the table of the link", codec(t, models.trained(), people...), strangers, 28, 37},
		{"people whom nobody knows", codec(t, models.trained()), strangers, 43, 54},
		{"people whom nobody knows, no samples", codec(t, models.empty()), strangers, 76, 88},
	} {
		if testing.Short() && i%2 == 1 {
			continue
		}
		mean, p95 := sizes(row.people, func(e *xmlstream.Element) int {
			b, err := row.c.Encode(nil, e)
			if err != nil {
				t.Fatal(err)
			}
			return len(b)
		})
		t.Logf("%s: mean %.1f, 95 %% within %d", row.name, mean, p95)
		if mean > row.mean || p95 > row.p95 {
			t.Errorf("%s: mean %.1f, 95 %% within %d; want %.1f and %d", row.name, mean, p95, row.mean, row.p95)
		}
	}
	for name, who := range map[string][]string{"people of the training": trained, "people whom nobody knows": strangers} {
		mean, p95 := sizes(who, func(e *xmlstream.Element) int {
			b, err := zip.Append(nil, plain(e))
			if err != nil {
				t.Fatal(err)
			}
			return len(b)
		})
		t.Logf("%s, deflate with a dictionary of the same training: mean %.1f, 95 %% within %d", name, mean, p95)
	}
}

// TestRandomTrees: whatever the canonical writer can write comes back.
func TestRandomTrees(t *testing.T) {
	trained := codec(t, models.trained(), jid.MustParse("a@b.example"), jid.MustParse("a@b.example/c"), jid.MustParse("b.example"))
	empty := codec(t, models.empty())
	rapid.Check(t, func(t *rapid.T) {
		e := tree(4).Draw(t, "tree")
		roundTrip(t, trained, e)
		roundTrip(t, empty, e)
	})
}

// TestChats: the corpus, the room and its recipients.
func TestChats(t *testing.T) {
	c := codec(t, models.trained())
	all := slices.Concat(training(100), measured())
	if testing.Short() {
		all = all[len(all)-250 : len(all)-150]
	}
	for _, e := range all {
		roundTrip(t, c, e)
	}
	also := []jid.JID{jid.MustParse("watch1@ship.example/desk"), jid.MustParse("nobody.known@ship.example/a/b@c"), jid.MustParse("radio@ship.example")}
	roundTrip(t, c, measured()[0], also...)
	if b := roundTrip(t, c, measured()[0], slices.Repeat(also[:1], 9)...); len(b) > 70 {
		t.Errorf("%d bytes for a stanza and nine times the same recipient", len(b))
	}
}

// TestLarge: what is too large, or shrinks too much, goes as it is, and comes back.
func TestLarge(t *testing.T) {
	c := codec(t, models.empty())
	for name, body := range map[string]string{
		"repetition": strings.Repeat("a", 60<<10),
		"large":      strings.Repeat("Position unchanged. ", 4<<10),
		"middling":   strings.Repeat("Position unchanged. ", 500),
		"markup":     strings.Repeat("&lt;", 20<<10),
	} {
		t.Run(name, func(t *testing.T) {
			e := element("<message from='a@b.example' to='c@d.example'><body>" + body + "</body></message>")
			b := roundTrip(t, c, e)
			stored := strings.HasPrefix(string(b), "\xff\xff")
			if want := name != "middling"; stored != want {
				t.Errorf("stored %v in %d bytes", stored, len(b))
			}
		})
	}
	items := element("<iq from='a@b.example' to='c@d.example' type='result' id='1'><query xmlns='urn:x:unknown'>" +
		strings.Repeat("<item name='w'/><other/>", 400) + "</query></iq>")
	if b := roundTrip(t, c, items); len(b) > 400 {
		t.Errorf("%d bytes for a list of the same", len(b))
	}
}

// TestUnwritable: what is no XML, or has too many recipients, leaves no trace.
func TestUnwritable(t *testing.T) {
	c := codec(t, models.empty())
	good := measured()[0]
	for name, try := range map[string]func() ([]byte, error){
		"no element":         func() ([]byte, error) { return c.Encode([]byte("x"), nil) },
		"a control":          func() ([]byte, error) { return c.Encode([]byte("x"), good.WithNodes(xmlstream.TextNode("\x01"))) },
		"too many":           func() ([]byte, error) { return c.Encode([]byte("x"), good, make([]jid.JID, compact.MaxAlso+1)...) },
		"a recipient nobody": func() ([]byte, error) { return c.Encode([]byte("x"), good, jid.MustParse("d.example")) },
	} {
		if b, err := try(); !errors.Is(err, compact.ErrUnwritable) || string(b) != "x" {
			t.Errorf("%s: %q, %v", name, b, err)
		}
	}
	if _, err := compact.NewCodec(compact.Config{Addresses: make([]jid.JID, compact.MaxAddresses+1)}); err == nil {
		t.Error("a table without end")
	}
}

// TestStateless: the size and form of a stanza say nothing of what went before, and one codec serves many goroutines.
func TestStateless(t *testing.T) {
	c := codec(t, models.trained())
	all := measured()
	if testing.Short() {
		all = all[:40]
	}
	want := make([][]byte, len(all))
	for i, e := range all {
		want[i] = roundTrip(t, codec(t, models.trained()), e)
	}
	var wait sync.WaitGroup
	for g := range 4 {
		wait.Go(func() {
			for i := range all {
				i = (i*7 + g*50) % len(all)
				if b, err := c.Encode(nil, all[i]); err != nil || string(b) != string(want[i]) {
					t.Errorf("chat %d: % x, %v; want % x", i, b, err, want[i])
				}
			}
		})
	}
	wait.Wait()
}

func BenchmarkEncode(b *testing.B) {
	c, all, n := codec(b, models.trained()), measured(), 0
	var out []byte
	for b.Loop() {
		out, _ = c.Encode(out[:0], all[n%len(all)])
		n++
	}
}

func BenchmarkDecode(b *testing.B) {
	c, n := codec(b, models.trained()), 0
	var all [][]byte
	for _, e := range measured() {
		all = append(all, roundTrip(b, c, e))
	}
	for b.Loop() {
		if _, _, err := c.Decode(all[n%len(all)]); err != nil {
			b.Fatal(err)
		}
		n++
	}
}

func BenchmarkLoad(b *testing.B) {
	file := models.trained().Bytes()
	for b.Loop() {
		if _, err := compact.Load(file); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDeflate is what links/deflate takes for the same, with a dictionary of the same training.
func BenchmarkDeflate(b *testing.B) {
	var samples, all [][]byte
	for _, e := range training(600) {
		samples = append(samples, plain(e))
	}
	for _, e := range measured() {
		all = append(all, plain(e))
	}
	zip, n := deflate.NewWriter(deflate.Config{Dictionary: deflate.Train(samples, deflate.MaxDictionary)}), 0
	var out []byte
	for b.Loop() {
		out, _ = zip.Append(out[:0], all[n%len(all)])
		n++
	}
}
