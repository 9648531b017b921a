package compact_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"sallyport/links"
	"sallyport/links/compact"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// TestUnit writes one of everything into one unit and reads it back.
func TestUnit(t *testing.T) {
	var out compact.Outgoing
	var in compact.Incoming
	marks := []links.Mark{{Epoch: 7, Lane: 0, Number: 9}, {Epoch: 7, Lane: 3, Number: 1 << 40}}
	greeting := compact.Greeting{Epoch: 8, Codec: compact.Fingerprint{1, 2, 3}, Marks: marks}
	soon := compact.Consignment{Frame: links.Frame{Epoch: 8, Lane: 2, Number: 300, Expires: noon.Add(time.Hour)}, Stanza: []byte("one")}
	far := compact.Consignment{Frame: links.Frame{Epoch: 8, Lane: 2, Number: 301, Expires: noon.Add(400 * 24 * time.Hour)}, Stanza: []byte("two")}
	last := compact.Consignment{Frame: links.Frame{Epoch: 8, Lane: 1, Number: 1}, Stanza: []byte{}}
	u := compact.AppendGreeting(nil, greeting)
	u = compact.AppendMarks(u, marks)
	u = compact.AppendProbe(u, 5)
	u = compact.AppendEcho(u, 6)
	u = compact.AppendLoose(u, []byte("loose"))
	for _, c := range []compact.Consignment{soon, far} {
		u = must(out.AppendConsignment(u, noon, c))(t)
	}
	u = must(out.AppendLast(u, noon, last))(t)

	var got []compact.Record
	for rest := u; len(rest) > 0; {
		r, next, err := in.Next(rest, noon.Add(time.Minute), 7)
		if err != nil {
			t.Fatal(err)
		}
		if r.Kind == compact.GreetingRecord {
			in.Greeted(r.Greeting.Epoch)
		}
		got, rest = append(got, r), next
	}
	soon.Frame.Expires = coarse(soon.Frame.Expires)
	far.Frame.Expires = coarse(far.Frame.Expires)
	want := []compact.Record{
		{Kind: compact.GreetingRecord, Greeting: greeting},
		{Kind: compact.MarksRecord, Marks: marks},
		{Kind: compact.ProbeRecord, Number: 5},
		{Kind: compact.EchoRecord, Number: 6},
		{Kind: compact.LooseRecord, Consignment: compact.Consignment{Stanza: []byte("loose")}},
		{Kind: compact.ConsignmentRecord, Consignment: soon},
		{Kind: compact.ConsignmentRecord, Consignment: far},
		{Kind: compact.ConsignmentRecord, Consignment: last},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func coarse(at time.Time) time.Time { return time.Unix((at.Unix()+63)/64*64, 0).UTC() }

func must(b []byte, err error) func(*testing.T) []byte {
	return func(t *testing.T) []byte {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
}

// TestNumbersAreCompleted: however far the marks that one end knows lag behind those of the other, a cut number is read as it was.
func TestNumbersAreCompleted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var out compact.Outgoing
		var in compact.Incoming
		in.Greeted(3)
		number := rapid.Uint64Range(1, 1<<60).Draw(t, "first")
		step := rapid.SampledFrom([]uint64{1, 20, 300, 70_000, 20_000_000})
		sent := []uint64{number}
		told := uint64(0) // what the receiver has told, and the sender may not know yet
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0: // the receiver tells how far it is
				if told = max(told, rapid.SampledFrom(sent).Draw(t, "mark")); told > 0 {
					in.Told([]links.Mark{{Epoch: 3, Lane: 1, Number: told}})
				}
			case 1: // the sender hears of it
				out.Told([]links.Mark{{Epoch: 3, Lane: 1, Number: told}})
			default:
				n := rapid.SampledFrom(sent).Draw(t, "again")
				if rapid.Bool().Draw(t, "new") {
					n = sent[len(sent)-1] + rapid.Uint64Range(1, step.Draw(t, "step")).Draw(t, "gap")
				}
				sent = append(sent, n)
				slices.Sort(sent)
				f := links.Frame{Epoch: 3, Lane: 1, Number: n}
				if rapid.Bool().Draw(t, "expires") {
					f.Expires = noon.Add(time.Duration(rapid.Int64Range(-100, 100).Draw(t, "days")) * 24 * time.Hour)
				}
				u, err := out.AppendLast(nil, noon, compact.Consignment{Frame: f, Stanza: []byte("x")})
				if err != nil {
					t.Fatal(err)
				}
				r, rest, err := in.Next(u, noon.Add(24*time.Hour), 1)
				if !f.Expires.IsZero() {
					f.Expires = coarse(f.Expires)
				}
				if err != nil || r.Consignment.Frame != f || len(rest) != 0 {
					t.Fatalf("got %+v, %v; want %+v; % x", r.Consignment.Frame, err, f, u)
				}
			}
		}
	})
}

// TestUnitsRefused has one unit for each reason.
func TestUnitsRefused(t *testing.T) {
	for name, u := range map[string]string{
		"a consignment without its number":   "\x00",
		"a number of zero":                   "\x0d\x00x",
		"a varint longer than it needs":      "\x0d\x81\x00x",
		"a length beyond the unit":           "\x0c\x01\x05x",
		"a length beyond everything":         "\x0c\x01\xff\xff\xff\xff\x0fx",
		"an expiry without its second byte":  "\x0f\x01\x00",
		"an expiry of neither form":          "\x0f\x01\x80\x01\x01x",
		"marks of no lane":                   "\x40",
		"marks of a fifth lane":              "\x50\x01",
		"a mark of zero":                     "\x41\x00",
		"a greeting cut short":               "\x81\x00\x00",
		"a greeting of no epoch":             "\x81" + string(make([]byte, 17)),
		"a greeting of another version":      "\x82" + string(make([]byte, 17)),
		"a greeting with too many marks":     "\x81\x00\x00\x00\x00\x00\x00\x00\x01" + string(make([]byte, 8)) + "\xff",
		"a greeting with a mark of no lane":  "\x81\x00\x00\x00\x00\x00\x00\x00\x01" + string(make([]byte, 8)) + "\x01\x04\x00\x00\x00\x00\x00\x00\x00\x01\x01",
		"a kind of nobody":                   "\xf0\x01",
		"a loose stanza with an unknown bit": "\xc2x",
	} {
		in := compact.Incoming{}
		in.Greeted(1)
		if r, _, err := in.Next([]byte(u), noon, 1); !errors.Is(err, compact.ErrUnit) || r.Kind != compact.NoRecord {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
	if _, _, err := new(compact.Incoming).Next([]byte("\x0d\x01x"), noon, 1); !errors.Is(err, compact.ErrNoGreeting) {
		t.Errorf("before any greeting: %v", err)
	}
}
