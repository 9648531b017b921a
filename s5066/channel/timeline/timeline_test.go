package timeline_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"sallyport/s5066/channel"
	"sallyport/s5066/channel/timeline"
	"sallyport/s5066/modem"
)

var update = flag.Bool("update", false, "write testdata/day.svg anew")

var start = time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC)

// day is a quarter of an hour on a channel with three stations, a jammer and an outage.
func day(t *testing.T) ([]channel.Transmission, []channel.Window) {
	t.Helper()
	windows := []channel.Window{
		{From: start.Add(100 * time.Second), To: start.Add(130 * time.Second), Kind: channel.Jam, Stations: []int{1}},
		{From: start.Add(150 * time.Second), To: start.Add(175 * time.Second), Kind: channel.Outage},
	}
	poor, err := channel.ParseProfile("sky-moderate")
	if err != nil {
		t.Fatal(err)
	}
	sim, err := channel.New(channel.Config{
		Stations: 3, Radio: modem.DefaultRadio(), Paths: channel.Everybody(channel.Path{Profile: poor}), Seed: 4, Windows: windows,
	}, start)
	if err != nil {
		t.Fatal(err)
	}
	w, err := modem.ParseWaveform("110a-1200-short")
	if err != nil {
		t.Fatal(err)
	}
	for i, k := range []struct{ at, station, size int }{{0, 0, 2000}, {17, 1, 60}, {20, 0, 1500}, {33, 2, 900}, {37, 1, 300}, {50, 0, 2400}, {70, 1, 2600}, {95, 0, 3000}, {120, 2, 1000}, {140, 1, 3000}, {165, 0, 500}} {
		if err := sim.Key(start.Add(time.Duration(k.at)*time.Second), k.station, w, make([]byte, k.size), uint32(i)); err != nil {
			t.Fatal(err)
		}
	}
	sim.Tick(start.Add(time.Hour))
	return sim.Log(), windows
}

func marks(tx channel.Transmission) []timeline.Mark {
	var all []timeline.Mark
	for from, n := 0, 0; from < tx.Bytes; from, n = from+222, n+1 {
		m := timeline.Mark{From: from, To: min(from+222, tx.Bytes), Label: fmt.Sprint(n), Kind: timeline.First}
		if tx.Bytes < 100 {
			m.Kind, m.Label = timeline.Control, "ack"
		} else if n < 3 && tx.Number > 2 {
			m.Kind = timeline.Again
		}
		all = append(all, m)
	}
	return all
}

func TestTheDayAsAPicture(t *testing.T) {
	t.Parallel()
	log, windows := day(t)
	var b bytes.Buffer
	err := timeline.Draw(&b, log, timeline.Options{Title: "Three stations at 1200 bit/s, moderate sky wave", Names: []string{"ship", "shore", "buoy"}, Marks: marks, Windows: windows})
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("testdata/day.svg", b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/day.svg")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, b.Bytes()) {
		t.Error("the picture has changed: look at it, then -update")
	}
}

// The judge of our SVG is encoding/xml: a reader that is not ours, strict about tags that do not match and characters that XML has no place for.
// What makes it unfit for the wire does not matter here: it reads no more than what this package wrote, and decides nothing.
func TestWhateverTheNamesItIsOneDocument(t *testing.T) {
	t.Parallel()
	log, _ := day(t)
	evil := "</text><script>\x00\xff\"'&"
	var b bytes.Buffer
	if err := timeline.Draw(&b, log, timeline.Options{Title: evil, Names: []string{evil, evil}, Marks: func(channel.Transmission) []timeline.Mark {
		return []timeline.Mark{{From: 0, To: 1000, Label: evil}, {From: -5, To: 1 << 40, Label: "w"}, {From: 9, To: 3}, {From: 0, To: 9, Kind: 200}}
	}}); err != nil {
		t.Fatal(err)
	}
	dec := xml.NewDecoder(&b)
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := tok.(xml.StartElement); ok && !strings.Contains(" svg style rect text title line g ", " "+e.Name.Local+" ") {
			t.Errorf("element %s", e.Name.Local)
		}
	}
}

func TestPicturesThatCannotBeDrawn(t *testing.T) {
	t.Parallel()
	log, _ := day(t)
	for name, o := range map[string]timeline.Options{
		"nobody":      {},
		"no width":    {Names: []string{"a"}, Width: 1},
		"no time":     {Names: []string{"a"}, From: start, To: start},
		"a year":      {Names: []string{"a"}, From: start, To: start.Add(365 * 24 * time.Hour)},
		"tiny strips": {Names: []string{"a"}, Strip: 1},
	} {
		if err := timeline.Draw(io.Discard, log, o); !errors.Is(err, timeline.ErrOptions) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := timeline.Draw(io.Discard, nil, timeline.Options{Names: []string{"a"}}); !errors.Is(err, timeline.ErrOptions) {
		t.Errorf("an empty log: %v", err)
	}
}
