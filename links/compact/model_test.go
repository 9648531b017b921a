package compact_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/xmpp/jid"
	"sallyport/links/compact"
)

var update = flag.Bool("update", false, "write the golden encodings anew; that is another version of the format")

// TestGolden pins the format: the same stanzas, the same bytes, on any machine.
func TestGolden(t *testing.T) {
	var got strings.Builder
	trained := train(training(60), compact.TrainOptions{Texts: true})
	fmt.Fprintf(&got, "no samples %v\ntrained %v\n", models.empty().Fingerprint(), trained.Fingerprint())
	for _, c := range []*compact.Codec{codec(t, models.empty()), codec(t, trained, jid.MustParse("cook@ship.example"))} {
		for _, e := range append(measured()[:10], training(8)...) {
			fmt.Fprintf(&got, "%x\n", roundTrip(t, c, e))
		}
		fmt.Fprintf(&got, "%x\n", roundTrip(t, c, measured()[11], jid.MustParse("cook@ship.example/galley"), jid.MustParse("ops@ship.example")))
	}
	const file = "testdata/golden.txt"
	if *update {
		if err := os.WriteFile(file, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got.String()); d != "" {
		t.Errorf("encodings have changed; if that is meant, raise the version in modelHead\n%s", d)
	}
}

// TestModelFile: a model that was kept is the same model, and training is the same every time.
func TestModelFile(t *testing.T) {
	m := models.trained()
	again, err := compact.Load(m.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if again.Fingerprint() != m.Fingerprint() || !bytes.Equal(again.Bytes(), m.Bytes()) {
		t.Fatal("another model came back")
	}
	if retrained := train(training(600), compact.TrainOptions{Texts: true}); retrained.Fingerprint() != m.Fingerprint() {
		t.Fatal("the same samples gave another model")
	}
	for _, e := range measured()[:20] {
		b := roundTrip(t, codec(t, m), e)
		if back, _, err := codec(t, again).Decode(b); err != nil || !back.Equal(e) {
			t.Fatal(err)
		}
	}
	a, b := codec(t, m), codec(t, m, jid.MustParse("a@b.example"))
	if a.Fingerprint() != m.Fingerprint() || a.Fingerprint() == b.Fingerprint() {
		t.Error("the fingerprint does not tell tables apart")
	}
}

// TestModelKeepsSecrets: no text gets into a model unless that is allowed, and nothing that stands in one sample only.
func TestModelKeepsSecrets(t *testing.T) {
	samples := training(100)
	const secret = "grid 32U NE 456 123"
	for range 10 {
		samples = append(samples, element("<message from='captain@shore.example' to='radio@ship.example'><body>"+secret+"</body></message>"))
	}
	samples = append(samples, element("<message from='once@shore.example' to='radio@ship.example'><only xmlns='urn:once' at='once'/></message>"))
	if b := train(samples, compact.TrainOptions{}).Bytes(); bytes.Contains(b, []byte("456")) || bytes.Contains(b, []byte("once")) || !bytes.Contains(b, []byte("captain")) {
		t.Error("a model without texts has what it must not have")
	}
	if b := train(samples, compact.TrainOptions{Texts: true}).Bytes(); !bytes.Contains(b, []byte(secret)) || bytes.Contains(b, []byte("once")) {
		t.Error("a model with texts has what it must not have")
	}
}

// TestLoadRefuses: a damaged file is no model.
func TestLoadRefuses(t *testing.T) {
	good := models.empty().Bytes()
	for name, b := range map[string][]byte{
		"empty":           nil,
		"something else":  []byte("a dictionary of another kind"),
		"another version": append([]byte("SPCM\x09"), good[5:]...),
		"cut":             good[:len(good)/2],
		"something more":  append(bytes.Clone(good), 0),
		"too large":       make([]byte, compact.MaxModel+1),
		"names twice":     append(append([]byte("SPCM\x02"), 2, 0, 1, 'a', 0, 1, 'a'), 0, 0, 0),
		"counts of all":   []byte("SPCM\x02\xff\xff\xff\xff\x0f"),
	} {
		if m, err := compact.Load(b); !errors.Is(err, compact.ErrModel) || m != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzLoad: a file of anybody is refused or is a model that codes.
func FuzzLoad(f *testing.F) {
	f.Add([]byte("SPCM\x02\x00\x00\x00\x00"))
	f.Add([]byte("SPCM\x02\x01\x00\x01a\x01\x20\x01b\x01\x00\x00\x00\x00\x00\x00\x00\x09\x01\x01\x02\x05\x01\x02hi"))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := compact.Load(b)
		if err != nil {
			return
		}
		if !bytes.Equal(m.Bytes(), b) {
			t.Fatalf("% x was loaded, and is kept as % x", b, m.Bytes())
		}
		roundTrip(t, codec(t, m), element("<message from='a@b.example' to='c@d.example'><body>b</body></message>"))
	})
}
