package main

import (
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sallyport/gateway/radio"
)

var update = flag.Bool("update", false, "write testdata/show.txt anew")

// TestShow: what is printed is what testdata/show.txt has, where only transmissions, times and sizes differ from run to run; and the picture, the log and
// the recordings are there. Whether the outage hits something depends on how long programs take to start, so nothing is said of it.
func TestShow(t *testing.T) {
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
	golden := filepath.Join("testdata", "show.txt")
	got := steady(out.String(), dir)
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("not what %s has (-update writes it):\n%s\n%s", golden, diff, out.String())
	}
	for _, frames := range []string{"LINK", "DATA", "ACK", "NON-ARQ"} {
		if !strings.Contains(out.String(), frames) {
			t.Errorf("no %s on the air:\n%s", frames, out.String())
		}
	}
	for text := range strings.Lines(out.String()) {
		if n := len([]rune(strings.TrimSpace(text))); n > columns && !strings.Contains(text, dir) {
			t.Errorf("a line of %d columns: %s", n, text)
		}
	}
	picture, err := os.ReadFile(filepath.Join(dir, "hf", "channel.svg"))
	if err != nil || !strings.HasPrefix(string(picture), "<svg") || !strings.Contains(string(picture), "shore") {
		t.Errorf("%v: %.200s", err, picture)
	}
	for _, name := range []string{"ship-sis-0001.pcap", "ship-dpdu-0001.pcapng"} {
		if info, err := os.Stat(filepath.Join(dir, "hf", name)); err != nil || info.Size() < 500 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	quiet(t, transmissions(t, filepath.Join(dir, "hf", "channel.jsonl")))
	history(t, program, filepath.Join(dir, "hf", "ship-gateway.toml"))
}

// steady replaces what is different in every run.
func steady(text, dir string) string {
	text = strings.ReplaceAll(text, dir, "DIR")
	for _, r := range []struct{ pattern, by string }{
		{`(?m)^\d\d:\d\d:\d\d .*\n`, ""},
		{`after \d+ s\n`, "after N s\n"},
		{`\d+ s on average, \d+ s at most`, "N s on average, N s at most"},
		{`(?s)\d+ bytes of XML left.*?\n\n`, "N bytes of XML ...\n\n"},
	} {
		text = regexp.MustCompile(r.pattern).ReplaceAllString(text, r.by)
	}
	lines := strings.Split(text, "\n")
	for i := range lines { // of two that speak at once, either may be heard first
		if i > 0 && strings.Contains(lines[i], "« ") && strings.Contains(lines[i-1], "« ") {
			slices.Sort(lines[i-1 : i+1])
		}
	}
	return strings.Join(lines, "\n")
}

// transmissions are those of the channel's log.
func transmissions(t *testing.T, name string) (all []radio.Told) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for text := range strings.Lines(string(b)) {
		var told radio.Told
		if err := json.Unmarshal([]byte(text), &told); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		all = append(all, told)
		if told.Number != len(all) {
			t.Errorf("transmission %d is number %d", len(all), told.Number)
		}
	}
	if len(all) < 8 {
		t.Errorf("%d transmissions", len(all))
	}
	return all
}

// quiet checks that the warning went out without being acknowledged by the silent ship's node: the next transmission after it is not the ship's answer.
func quiet(t *testing.T, all []radio.Told) {
	t.Helper()
	at := slices.IndexFunc(all, func(told radio.Told) bool {
		return slices.ContainsFunc(told.Frames, func(f radio.FrameCount) bool { return f.Kind == "NON-ARQ" })
	})
	if at < 0 {
		t.Fatal("nothing was broadcast")
	}
	if all[at].Station != "shore" {
		t.Errorf("%s broadcast", all[at].Station)
	}
	for _, told := range all[at+1:] {
		if told.Station != "ship" {
			continue
		}
		if slices.ContainsFunc(told.Frames, func(f radio.FrameCount) bool { return f.Kind == "ACK" }) {
			t.Errorf("the ship's node answered the broadcast: %+v", told)
		}
		return
	}
	t.Error("the ship said nothing after its silence")
}

// history checks what the audit log of the ship tells.
func history(t *testing.T, program, config string) {
	t.Helper()
	out, err := exec.Command(program, "link", "history", "radio", "-c", config).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"node up: bound to the node", "watched: ", "link up: 1.2.3.4, nonexclusive", "emcon: radio silence: the link", "emcon: radio silence is over", "node lost: "} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}
