package radio_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"sallyport/gateway/config"
	"sallyport/gateway/control"
	"sallyport/gateway/radio"
	"sallyport/s5066"
	"sallyport/s5066/channel"
	"sallyport/s5066/channel/timeline"
	"sallyport/s5066/dpdu"
	"sallyport/s5066/modem"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const goodNode = `
address = "1.2.3.5"
permit = ["1.2.3.4"]
waveform = "110a-1200-short"
listen = "127.0.0.1:0"
[modem]
address = "127.0.0.1:1"
station = "ship"
`

func TestNodeFiles(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, change, with, want string }{
		{"as it stands", "", "", ""},
		{"nobody to talk with", `permit = ["1.2.3.4"]`, "", "names no node"},
		{"both ways to permit", "listen", "permit_all = true\nlisten", "although permit_all"},
		{"itself", `["1.2.3.4"]`, `["1.2.3.5"]`, "not the address of another node"},
		{"a group", `"1.2.3.5"`, `"31.0.0.1"`, "not the address of one node"},
		{"no such waveform", "110a-1200-short", "110a-1201-short", "no such waveform"},
		{"open to the network", "127.0.0.1:0", "0.0.0.0:5066", "neither encryption"},
		{"no station", `station = "ship"`, "", "modem.station: is missing"},
		{"a raw modem with a name", `station = "ship"`, "station = \"ship\"\nkind = \"raw\"", "no meaning for a raw modem"},
		{"a raw modem that is told its rate", "[modem]", "rate_control = true\n[modem]\nkind = \"raw\"", "cannot be told its rate"},
		{"managers", "listen", "max_rank = 15\nlisten", "may bind as a manager"},
		{"unknown key", "listen", "listn", "did you mean listen"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			text := strings.Replace(goodNode, c.change, c.with, 1)
			if c.name == "a raw modem that is told its rate" {
				text = strings.Replace(text, `station = "ship"`, "", 1)
			}
			_, problems := radio.LoadNode(file(t, "node.toml", text))
			var got []string
			for _, p := range problems {
				got = append(got, p.String())
			}
			all := strings.Join(got, "\n")
			if c.want == "" && all != "" || !strings.Contains(all, c.want) {
				t.Errorf("problems:\n%s\nwant %q", all, c.want)
			}
		})
	}
}

// TestANodeWithoutItsModem: it runs, says so when asked, records what it is told to, and ends without a trace.
func TestANodeWithoutItsModem(t *testing.T) {
	t.Parallel()
	path := file(t, "node.toml", goodNode)
	n, problems := radio.LoadNode(path)
	if problems.Failed() {
		t.Fatal(problems.Err())
	}
	core, logged := observer.New(zap.InfoLevel)
	ctx, stop := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- radio.RunNode(ctx, n, zap.New(core)) }()
	var status radio.Status
	if err := asked(t, string(n.Socket), radio.VerbStatus, nil, &status); err != nil {
		t.Fatal(err)
	}
	if status.Address != "1.2.3.5" || status.Modem || status.Channel != "no modem" || status.Rate != 1200 || len(status.Remotes) != 0 {
		t.Errorf("%+v", status)
	}
	info, err := os.Stat(string(n.Socket))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("socket: %v, %v", info, err)
	}
	var ce *control.CallError
	if err := asked(t, string(n.Socket), radio.VerbCapture, radio.CaptureQuestion{Prefix: "here"}, nil); !errors.As(err, &ce) {
		t.Errorf("a prefix that is not absolute: %v", err)
	}
	prefix := filepath.Join(filepath.Dir(path), "day")
	if err := asked(t, string(n.Socket), radio.VerbCapture, radio.CaptureQuestion{Prefix: prefix}, nil); err != nil {
		t.Error(err)
	}
	await(t, func() bool { return logged.FilterMessageSnippet("modem not reached").Len() > 0 })
	stop()
	if err := <-ran; err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(prefix + "-sis-0001.pcap"); err != nil {
		t.Error(err)
	}
	if logged.FilterMessage("asked").Len() != 4 {
		t.Errorf("logged: %v", logged.All())
	}
}

// await looks until something is so.
func await(t *testing.T, so func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for limit := time.After(2 * time.Minute); !so(); {
		select {
		case <-limit:
			t.Fatal("it does not happen")
		case <-tick.C:
		}
	}
}

// asked asks a node that may still be starting.
func asked(t *testing.T, socket, verb string, args, result any) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		c, err := control.Dial(ctx, socket)
		if err == nil {
			err = c.Call(ctx, verb, args, result)
			c.Close()
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-tick.C:
		}
	}
}

func loaded(t *testing.T, text string) radio.Channel {
	t.Helper()
	c, problems := radio.LoadChannel(file(t, "channel.toml", text))
	if problems.Failed() {
		t.Fatal(problems.Err())
	}
	return c
}

// TestAChannelTells: a station keys, and there is a line, a log and a picture of it.
func TestAChannelTells(t *testing.T) {
	t.Parallel()
	c := loaded(t, "listen = \"127.0.0.1:0\"\nstations = [\"ship\", \"shore\", \"sub\"]\nspeed = 100\n[[path]]\nfrom = \"ship\"\nto = \"sub\"\nprofile = \"none\"\none_way = true\n")
	ready := make(chan net.Addr, 1)
	var lines, log bytes.Buffer
	ctx, stop := context.WithCancel(t.Context())
	var picture []byte
	ran := make(chan error, 1)
	go func() {
		var err error
		picture, err = radio.RunChannel(ctx, c, radio.ChannelRun{Ready: func(a net.Addr) { ready <- a }, Lines: &lines, Log: &log})
		ran <- err
	}()
	p, _, err := modem.Dial(t.Context(), (<-ready).String(), "ship")
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Order(t.Context(), modem.Key{ID: 1, Waveform: wave(t), Data: frame(t, 0)}); err != nil {
		t.Fatal(err)
	}
	for e := range p.Events() {
		if _, sent := e.(modem.Sent); sent {
			break
		}
	}
	stop()
	if err := errors.Join(<-ran, p.Close()); err != nil {
		t.Error(err)
	}
	for _, want := range []string{"ship           shore          sub            WHAT", "▶ keyed 1.4 s", "1200 bit/s: DATA"} {
		if !strings.Contains(lines.String(), want) {
			t.Errorf("no %q in\n%s", want, lines.String())
		}
	}
	if !strings.Contains(log.String(), `"station":"ship"`) || strings.Contains(log.String(), `"station":"sub"`) || !bytes.HasPrefix(picture, []byte("<svg")) {
		t.Errorf("log %s, picture %.100s", log.String(), picture)
	}
}

// TestASilentChannelEnds: nobody has keyed until it is stopped, so there is nothing to draw, and that is all.
func TestASilentChannelEnds(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	picture, err := radio.RunChannel(ctx, loaded(t, "listen = \"127.0.0.1:0\"\nstations = [\"ship\", \"shore\"]\n"), radio.ChannelRun{Ready: func(net.Addr) { stop() }})
	if err != nil || picture != nil {
		t.Errorf("picture %.100s, %v", picture, err)
	}
}

func wave(t *testing.T) modem.Waveform {
	t.Helper()
	w, err := modem.ParseWaveform("110a-1200-short")
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func frame(t *testing.T, number uint8) []byte {
	t.Helper()
	b, err := dpdu.Append(nil, dpdu.PDU{
		Type: dpdu.DataOnly, To: s5066.Unicast(2), From: s5066.Unicast(1), Data: dpdu.Data{FSN: number, Start: true, End: true}, Segment: []byte("hello"),
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestTransmissionsInWords(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	tell := radio.NewTeller([]string{"ship", "shore"})
	for i, c := range []struct {
		data  []byte
		heard channel.Reception
		want  string
		kinds []timeline.Kind
	}{
		{append(frame(t, 1), frame(t, 2)...), channel.Reception{Station: 1, Outcome: channel.Received}, "12:00:00  ▶ keyed 2.0 s  ✓ all          1200 bit/s: 2 DATA", []timeline.Kind{timeline.First, timeline.First}},
		{append(frame(t, 2), frame(t, 3)...), channel.Reception{Station: 1, Outcome: channel.Damaged, Bytes: 50, Damaged: []channel.Span{{From: 5, To: 30}}}, "12:00:00  ▶ keyed 2.0 s  ▒ 50 % bad     1200 bit/s: 2 DATA (1 again)", []timeline.Kind{timeline.Again, timeline.First}},
		{[]byte("no frame"), channel.Reception{Station: 1, Outcome: channel.Collided}, "12:00:00  ▶ keyed 2.0 s  ✗ collided     1200 bit/s: 8 bytes", nil},
		{frame(t, 9), channel.Reception{Station: 0}, "12:00:00  ▶ keyed 2.0 s  ·              1200 bit/s: DATA", []timeline.Kind{timeline.First}},
	} {
		tx := channel.Transmission{
			Number: i + 1, Waveform: wave(t), Bytes: len(c.data), Data: c.data, Key: noon, Sent: noon.Add(2 * time.Second), Heard: []channel.Reception{c.heard},
		}
		if diff := cmp.Diff(c.want, tell.Line(tell.Tell(tx))); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		var kinds []timeline.Kind
		for _, m := range tell.Marks(tx) {
			kinds = append(kinds, m.Kind)
		}
		if diff := cmp.Diff(c.kinds, kinds); diff != "" {
			t.Errorf("marks of %d: -want +got:\n%s", i, diff)
		}
	}
}

func TestChannelFiles(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, want string }{
		{`stations = ["a", "b"]`, ""},
		{`stations = ["a"]`, "names 1 stations"},
		{`stations = ["a", "a b"]`, "not plain letters"},
		{"stations = [\"a\", \"b\"]\nprofile = \"x\"", "is no profile"},
		{"stations = [\"a\", \"b\"]\nprofile = \"clean\"\nloss=0.1", "stands beside a profile"},
		{"stations = [\"a\", \"b\"]\n[[path]]\nfrom=\"a\"\nto=\"a\"", "leads to where it begins"},
		{"stations = [\"a\", \"b\"]\n[[window]]\nkind=\"jam\"\nfor=\"1s\"\nstations=[\"c\"]", "none of the stations"},
		{"stations = [\"a\", \"b\"]\nlisten=\"0.0.0.0:1\"", "anybody who reaches it"},
	} {
		_, problems := radio.LoadChannel(file(t, "channel.toml", c.text))
		var got string
		for _, p := range problems {
			got += p.String() + "\n"
		}
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s\nproblems %s\nwant %q", c.text, got, c.want)
		}
	}
	if _, problems := radio.LoadChannel(filepath.Join(t.TempDir(), "nothing")); !problems.Failed() || problems[0].Severity != config.Error {
		t.Errorf("a file that is not there: %v", problems)
	}
}
