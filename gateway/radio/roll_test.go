package radio_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sallyport/gateway/radio"
	"sallyport/s5066/channel"
)

func TestRowsThatChangeInPlace(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	r := radio.NewRoll(&out, 10)
	r.Show("one")
	r.Show("one")
	fmt.Fprintln(r, "line")
	r.Show("two", "rather a long row")
	r.Show()
	want := "one\n" + "\x1b[1A\r\x1b[Jline\none\n" + "\x1b[1A\r\x1b[Jtwo\nrather a …\n" + "\x1b[2A\r\x1b[J"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestWhatIsNoTerminalHasNoRows(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	r := radio.NewRoll(&out, radio.Columns(&out))
	r.Show("one")
	fmt.Fprintln(r, "line")
	if out.String() != "line\n" {
		t.Errorf("%q", out.String())
	}
}

// TestATransmissionUnderWay: it can be looked at as often as anybody likes, and is no repetition when it is told at its end.
func TestATransmissionUnderWay(t *testing.T) {
	t.Parallel()
	key := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	tx := channel.Transmission{
		Number: 1, Waveform: wave(t), Key: key, Sent: key.Add(4 * time.Second), Data: frame(t, 1), Bytes: len(frame(t, 1)), Heard: []channel.Reception{{Station: 1}},
	}
	teller := radio.NewTeller([]string{"ship", "shore"})
	for _, c := range []struct {
		after time.Duration
		want  string
	}{
		{3 * time.Second, "12:00:00  ▶ keys, 3 s    · hears        1200 bit/s: DATA"},
		{5 * time.Second, "12:00:00  ▶ keyed 4.0 s  · hears        1200 bit/s: DATA"},
	} {
		if got := teller.Lines([]radio.Told{teller.Begun(tx, key.Add(c.after))}); len(got) != 1 || got[0] != c.want {
			t.Errorf("after %v: %q", c.after, got)
		}
	}
	tx.Heard[0].Outcome = channel.Received
	if got, want := teller.Line(teller.Tell(tx)), "12:00:00  ▶ keyed 4.0 s  ✓ all          1200 bit/s: DATA"; got != want {
		t.Errorf("%q", got)
	}
}
