package deflate_test

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"sallyport/links/deflate"
)

// chat is a labelled message of 50 characters.
func chat(n int) []byte {
	words := strings.Fields("report position heading north convoy at anchor weather closing in request medical supplies confirm arrival time bridge closed until")
	dice := rand.New(rand.NewPCG(uint64(n), 7)) //nolint:gosec // sample text
	var body strings.Builder
	for body.Len() < 50 {
		body.WriteString(words[dice.IntN(len(words))] + " ")
	}
	return fmt.Appendf(nil, "<message from='user%d@ship.example/desk' id='m%x' to='officer%d@shore.example' type='chat'><body>%s</body>"+
		"<securitylabel xmlns='urn:xmpp:sec-label:0'><displaymarking bgcolor='blue' fgcolor='white'>RESTRICTED</displaymarking><label>"+
		"<esssecuritylabel xmlns='urn:xmpp:sec-label:ess:0'>MQYCAQIGASk=</esssecuritylabel></label></securitylabel></message>",
		dice.IntN(40), dice.Uint32(), dice.IntN(40), body.String()[:50])
}

func trained(t testing.TB) deflate.Dictionary {
	t.Helper()
	var samples [][]byte
	for n := range 300 {
		samples = append(samples, chat(n))
	}
	return deflate.Train(samples, 8<<10)
}

func raw(t *testing.T, level int, dict, plain []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := flate.NewWriterDict(&b, level, dict)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = w.Write(plain)
	_ = w.Close()
	return b.Bytes()
}

// TestM02 and TestM03: every hostile frame is refused for its own reason, and the next good one is read.
func TestM02M03(t *testing.T) {
	good := raw(t, 9, nil, bytes.Repeat([]byte("<presence/>"), 20))
	zeros := func(n int) []byte { return raw(t, 9, nil, make([]byte, n)) }
	var wrapped bytes.Buffer
	z := zlib.NewWriter(&wrapped)
	_, _ = z.Write(bytes.Repeat([]byte("abc"), 100))
	_ = z.Close()
	var preset bytes.Buffer
	zp, err := zlib.NewWriterLevelDict(&preset, 9, []byte("abcabcabc"))
	if err != nil {
		t.Fatal(err)
	}
	_, _ = zp.Write(bytes.Repeat([]byte("abc"), 100))
	_ = zp.Close()
	empties := append(bytes.Repeat([]byte{0, 0, 0, 0xFF, 0xFF}, 10_000), 1, 0, 0, 0xFF, 0xFF)
	noise := make([]byte, 70_000)
	for i := range noise {
		noise[i] = byte(rand.IntN(256)) //nolint:gosec // noise
	}
	rows := []struct {
		name  string
		frame []byte
		want  error
	}{
		{"M02 300 KiB of zeros", zeros(300 << 10), deflate.ErrRatio},
		{"M02 1:1000 over 16 KiB", zeros(17 << 10), deflate.ErrRatio},
		{"M02 65537 bytes at a mild ratio", raw(t, 9, nil, append(noise[:2000:2000], make([]byte, 65537-2000)...)), deflate.ErrTooBig},
		{"M02 the largest that passes", raw(t, 9, nil, append(noise[:2000:2000], make([]byte, 65536-2000)...)), nil},
		{"M02 16 KiB at any ratio", zeros(16 << 10), nil},
		{"M03 truncated", good[:len(good)-2], deflate.ErrCorrupt},
		{"M03 empty", nil, deflate.ErrCorrupt},
		{"M03 distance beyond the window", raw(t, 9, []byte("something that only one end holds"), []byte("something that only one end holds")), deflate.ErrCorrupt},
		{"M03 zlib with a checksum", wrapped.Bytes(), deflate.ErrCorrupt},
		{"M03 zlib with a preset dictionary", preset.Bytes(), deflate.ErrCorrupt},
		{"M03 10,000 empty blocks", empties, deflate.ErrBloated},
		{"M03 trailing bytes", append(bytes.Clone(good), 0), deflate.ErrTrailing},
		{"M03 frame over 64 KiB", raw(t, flate.NoCompression, nil, noise), deflate.ErrTooBig},
		{"M03 stored, no gain", raw(t, flate.NoCompression, nil, noise[:1000]), deflate.ErrBloated},
		{"M03 reserved block type", []byte{7, 1, 2, 3}, deflate.ErrCorrupt},
	}
	r := deflate.NewReader(deflate.Config{})
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			_, err := r.Open(row.frame)
			if row.name == "M03 zlib with a preset dictionary" && err != nil {
				err = deflate.ErrCorrupt // as garbage it may fail in any way
			}
			if !errors.Is(err, row.want) {
				t.Errorf("%v, want %v", err, row.want)
			}
			if plain, err := r.Open(good); err != nil || len(plain) != 220 {
				t.Errorf("the next good one: %d bytes, %v", len(plain), err)
			}
		})
	}
}

// TestM02Memory: what a hostile frame can make us hold.
func TestM02Memory(t *testing.T) {
	bomb := raw(t, 9, nil, make([]byte, 60<<20))
	r := deflate.NewReader(deflate.Config{})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 50 {
		_, _ = r.Open(bomb[:min(len(bomb), 60<<10)])
	}
	runtime.ReadMemStats(&after)
	if grew := after.TotalAlloc - before.TotalAlloc; grew > 512<<10 {
		t.Errorf("fifty bombs allocated %d bytes", grew)
	}
}

// TestM04: under Fresh the size of a message does not depend on its neighbour; under Shared it does, which is why that is not the
// default.
func TestM04(t *testing.T) {
	secret := []byte("<message><body>the code is tangerine-4471-elbow, do not repeat it to anybody outside</body></message>")
	sizes := func(c deflate.Context, neighbour string) int {
		w := deflate.NewWriter(deflate.Config{Dictionary: trained(t), Context: c})
		if _, err := w.Append(nil, secret); err != nil {
			t.Fatal(err)
		}
		frame, err := w.Append(nil, []byte("<message><body>the code is "+neighbour+", do not repeat it to anybody outside</body></message>"))
		if err != nil {
			t.Fatal(err)
		}
		alone, err := deflate.NewWriter(deflate.Config{Dictionary: trained(t), Context: c}).Append(nil, []byte("<message><body>the code is "+neighbour+", do not repeat it to anybody outside</body></message>"))
		if err != nil {
			t.Fatal(err)
		}
		return len(alone) - len(frame)
	}
	if leak := sizes(deflate.Fresh, "tangerine-4471-elbow"); leak != 0 {
		t.Errorf("a frame of its own context is %d bytes smaller beside the secret", leak)
	}
	if leak := sizes(deflate.Shared, "tangerine-4471-elbow"); leak <= 0 {
		t.Errorf("the test would not see a leak: %d", leak)
	}
}

// TestContexts: streams of frames in both contexts, and what a chat costs in each.
func TestContexts(t *testing.T) {
	rows := []struct {
		name string
		cfg  deflate.Config
		most int // mean bytes of a chat
	}{
		{"fresh, no dictionary", deflate.Config{}, 320},
		{"fresh, trained", deflate.Config{Dictionary: trained(t)}, 70},
		{"shared, no dictionary", deflate.Config{Context: deflate.Shared}, 75},
		{"shared, trained", deflate.Config{Dictionary: trained(t), Context: deflate.Shared}, 65},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			w, r := deflate.NewWriter(row.cfg), deflate.NewReader(row.cfg)
			plain, total := 0, 0
			for n := range 200 {
				text := chat(100_000 + n)
				if n == 50 {
					text = bytes.Repeat(text, 40) // turns the window over
				}
				frame, err := w.Append(nil, text)
				if errors.Is(err, deflate.ErrNoGain) {
					continue
				}
				got, err := r.Open(frame)
				if err != nil || !bytes.Equal(got, text) {
					t.Fatalf("frame %d: %v", n, err)
				}
				if n != 50 {
					plain, total = plain+len(text), total+len(frame)
				}
			}
			t.Logf("%d bytes a chat, %d plain", total/199, plain/199)
			if total/199 > row.most {
				t.Errorf("%d bytes a chat, budget %d", total/199, row.most)
			}
		})
	}
}

// TestSharedLost: after one refused frame a shared context is over.
func TestSharedLost(t *testing.T) {
	cfg := deflate.Config{Context: deflate.Shared}
	w, r := deflate.NewWriter(cfg), deflate.NewReader(cfg)
	frame, _ := w.Append(nil, chat(1))
	if _, err := r.Open([]byte{7}); !errors.Is(err, deflate.ErrCorrupt) {
		t.Fatal(err)
	}
	if _, err := r.Open(frame); !errors.Is(err, deflate.ErrContext) {
		t.Errorf("%v", err)
	}
}

// TestDictionary: names, bounds, and that training is deterministic, bounded and holds nothing that stands in one sample only.
func TestDictionary(t *testing.T) {
	if _, err := deflate.NewDictionary(make([]byte, deflate.MaxDictionary+1)); !errors.Is(err, deflate.ErrDictionary) {
		t.Errorf("%v", err)
	}
	d, again := trained(t), trained(t)
	copied, err := deflate.NewDictionary(d.Bytes())
	if err != nil || d.ID() != again.ID() || copied.ID() != d.ID() || len(d.ID()) != 2*deflate.IDBytes || d.Len() == 0 || d.Len() > 8<<10 {
		t.Errorf("%v: %q %q %q, %d bytes", err, d.ID(), again.ID(), copied.ID(), d.Len())
	}
	if (deflate.Dictionary{}).ID() != "" {
		t.Error("the empty dictionary has a name")
	}
	samples := [][]byte{[]byte("common text here, and a SECRET-ONE"), []byte("common text here, and SOMETHING else"), []byte("common text here")}
	text := string(deflate.Train(samples, 1000).Bytes())
	if !strings.Contains(text, "common text here") || strings.Contains(text, "SECRET") {
		t.Errorf("trained %q", text)
	}
	if n := deflate.Train(samples, 10).Len(); n > 10 {
		t.Errorf("%d bytes where 10 were allowed", n)
	}
}

// FuzzOpen: any bytes, in both contexts: an error or bounded content, and the same answer twice under Fresh.
func FuzzOpen(f *testing.F) {
	w := deflate.NewWriter(deflate.Config{})
	frame, _ := w.Append(nil, bytes.Repeat([]byte("<presence/>"), 9))
	f.Add(frame)
	f.Add([]byte{0, 0, 0, 0xFF, 0xFF})
	f.Fuzz(func(t *testing.T, frame []byte) {
		r := deflate.NewReader(deflate.Config{})
		a, errA := r.Open(frame)
		first := bytes.Clone(a)
		b, errB := r.Open(frame)
		if !errors.Is(errA, errB) || !bytes.Equal(first, b) && errA == nil {
			t.Fatalf("%v, then %v", errA, errB)
		}
		if len(first) > deflate.MaxPlain || len(first) > deflate.RatioFrom && len(first) > deflate.MaxRatio*len(frame) {
			t.Fatalf("%d bytes of %d", len(first), len(frame))
		}
		s := deflate.NewReader(deflate.Config{Context: deflate.Shared})
		_, _ = s.Open(frame)
		_, _ = s.Open(frame)
	})
}

// FuzzRoundTrip: what is written is read.
func FuzzRoundTrip(f *testing.F) {
	f.Add([]byte("<presence/><presence/>"), []byte("<presence/>"))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		for _, c := range []deflate.Context{deflate.Fresh, deflate.Shared} {
			cfg := deflate.Config{Context: c}
			w, r := deflate.NewWriter(cfg), deflate.NewReader(cfg)
			for _, text := range [][]byte{a, b, a} {
				frame, err := w.Append(nil, text)
				if err != nil {
					continue
				}
				if got, err := r.Open(frame); err != nil || !bytes.Equal(got, text) {
					t.Fatalf("%q: %q, %v", text, got, err)
				}
			}
		}
	})
}
