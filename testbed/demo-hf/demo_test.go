package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sallyport/gateway/radio"
)

// The whole piece, a little faster: everything said is heard, and the picture, the log and the recordings are there. Whether the outage hits
// something depends on how long programs take to start, so nothing is said of it.
func TestTheConversationCrosses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	program := filepath.Join(dir, "sallyport")
	if out, err := exec.Command("go", "build", "-trimpath", "-o", program, "sallyport/cmd/sallyport").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	var out strings.Builder
	o := options{sallyport: program, state: dir, speed: 6, profile: "sky-good", waveform: "110a-1200-short"}
	if err := run(t.Context(), o, &out); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	for _, turn := range turns {
		for _, l := range turn {
			if !strings.Contains(out.String(), l.who+" says: "+l.text) {
				t.Errorf("%s does not say %q:\n%s", l.who, l.text, out.String())
			}
		}
	}
	for _, want := range []string{"6 messages crossed", "▶ keyed", "LINK", "DATA", "ACK"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	picture, err := os.ReadFile(filepath.Join(dir, "hf", "channel.svg"))
	if err != nil || !strings.HasPrefix(string(picture), "<svg") || !strings.Contains(string(picture), "shore") {
		t.Errorf("%v: %.200s", err, picture)
	}
	checkLog(t, filepath.Join(dir, "hf", "channel.jsonl"))
	for _, name := range []string{"ship-sis-0001.pcap", "ship-dpdu-0001.pcap"} {
		if info, err := os.Stat(filepath.Join(dir, "hf", name)); err != nil || info.Size() < 500 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
}

func checkLog(t *testing.T, name string) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for text := range strings.Lines(string(b)) {
		var told radio.Told
		if err := json.Unmarshal([]byte(text), &told); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		count++
		if told.Number != count {
			t.Errorf("transmission %d is number %d", count, told.Number)
		}
	}
	if count < 8 {
		t.Errorf("%d transmissions", count)
	}
}
