package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
)

// What others published of XMPP over HF (Isode's trials of 2010), and what a chat may key.
const (
	hfTuned     = 20.0 // s, the upper end of 6 to 20 for small messages of tuned applications
	hfOverIP    = 89.0 // s, the least of XMPP over TCP and the IP client, on the same link
	hfBestShare = 94.0 // %, the upper end of 83 to 94 of the line on a perfect channel
	hfGoodput   = 90.0 // %, what large transfers are to reach
	hfChatShare = 60.0 // %, what chats are to reach
	hfStream    = 85.0 // bytes of data D_PDUs, as XEP-0365 has it
	hfCompact   = 60.0 // bytes of data D_PDUs, between our own
)

const (
	hfTunedText  = "published 6-20 s, tuned"
	hfOverIPText = "published 89 s, IP over HF"
	hfShareText  = "published 83-94 %"
)

// hf: what chats key and how long they take over two whole nodes and a simulated channel, and the goodput of large transfers. All of it is
// virtual time and seeded dice: every run gives the same figures.
func hf(ctx context.Context, _ *settings) ([]Row, error) {
	chats, err := virtualFigures(ctx, "./links/hf", "BenchmarkFigures")
	bulk, err2 := virtualFigures(ctx, "./s5066/node", "BenchmarkGoodput")
	busy, err3 := virtualFigures(ctx, "./links/hf", "BenchmarkChatGoodput")
	return slices.Concat(hfBytes(chats), hfDelays(chats), hfBulk(bulk), hfBusy(busy)), errors.Join(err, err2, err3)
}

// virtualFigures runs a benchmark once and returns its own figures: by name, without the benchmark's, and unit.
func virtualFigures(ctx context.Context, pkg, benchmark string) (map[string]map[string]float64, error) {
	cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "^"+benchmark+"$", "-benchtime", "1x", pkg)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("go test -bench %s %s: %w\n%s", benchmark, pkg, err, out)
	}
	all := map[string]map[string]float64{}
	for line := range strings.Lines(string(out)) {
		if name, units, ok := parseFigures(line); ok {
			_, name, _ = strings.Cut(name, "/")
			all[name] = units
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s has no benchmark %s", pkg, benchmark)
	}
	return all, nil
}

// parseFigures reads a benchmark's line with whatever units it has.
func parseFigures(line string) (name string, units map[string]float64, ok bool) {
	name, _, ok = parseBench(line)
	if !ok {
		return "", nil, false
	}
	units = map[string]float64{}
	f := strings.Fields(line)
	for i := 2; i+1 < len(f); i += 2 {
		v, err := strconv.ParseFloat(f[i], 64)
		if err != nil {
			return "", nil, false
		}
		units[f[i+1]] = v
	}
	return name, units, true
}

// hfModes are the ways of links/hf, by the names that its figures have. Budget 0 is none.
var hfModes = []struct {
	key, text string
	budget    float64
}{
	{"rcop", "RCOP, XEP-0365 0.2.1", 0},
	{"stream", "stream, custody, deflate, dictionary, people not known", hfStream},
	{"stream-known-names", "stream, custody, deflate, dictionary that knows the people", hfStream},
	{"stream-managed", "stream, XEP-0198, deflate, dictionary, people not known", hfStream},
	{"compact", "compact, people not known", hfCompact},
	{"compact-known-names", "compact, people in the link's table", hfCompact},
}

func hfBytes(got map[string]map[string]float64) (rows []Row) {
	for _, state := range []string{"warm", "cold"} {
		for _, m := range hfModes {
			u, ok := got[state+"/"+m.key]
			if !ok {
				continue
			}
			name := fmt.Sprintf("a chat of 50 characters, %s: %s: ", state, m.text)
			data := figure(name+"data D_PDUs", u["data-B"], "bytes", "", 0)
			if m.budget > 0 {
				data = figure(name+"data D_PDUs", u["data-B"], "bytes", "budget", m.budget)
			}
			if m.budget > 0 && state == "warm" {
				data = data.under(atMostAbsolute(m.budget, "bytes"))
			}
			rows = append(rows, data,
				figure(name+"U_PDUs in them", u["unit-B"], "bytes", "", 0),
				figure(name+"custody or stream data back", u["back-B"], "bytes", "", 0),
				figure(name+"acknowledgements", u["ack-B"], "bytes", "", 0),
				figure(name+"channel access", u["access-B"], "bytes", "", 0),
				figure(name+"preambles", u["trains"], "transmissions", "", 0))
		}
	}
	return rows
}

var hfWaves = []string{"110a-75-short", "110a-300-short", "110a-1200-short", "110a-2400-short", "4539-9600-veryshort"}

func hfDelays(got map[string]map[string]float64) (rows []Row) {
	for _, wave := range hfWaves {
		for _, mode := range []string{"rcop", "stream", "compact"} {
			u, ok := got["latency/"+wave+"/"+mode]
			if !ok {
				continue
			}
			name := wave + ", " + mode + ": "
			rows = append(rows,
				figure(name+"chat delivered, p50", u["p50-s"], "s", hfTunedText, hfTuned),
				figure(name+"chat delivered, p95", u["p95-s"], "s", hfTunedText, hfTuned),
				figure(name+"chat delivered, longest", u["max-s"], "s", hfOverIPText, hfOverIP),
				figure(name+"first keying to first chat", u["keyed-s"], "s", "", 0),
				figure(name+"round trips between link and first chat", u["trips"], "", "", 0).under(atMostAbsolute(0, "")))
		}
	}
	return rows
}

func hfBulk(got map[string]map[string]float64) (rows []Row) {
	var names []string
	for name := range got {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		share := got[name]["percent"]
		r := figure("a transfer, "+strings.ReplaceAll(name, "/", ", ")+": of the loss-adjusted line", share, "%", hfShareText, hfBestShare)
		rows = append(rows, r.under(atLeastAbsolute(hfGoodput, "%")))
	}
	return rows
}

// hfBusy: both ends have chats waiting all the time.
func hfBusy(got map[string]map[string]float64) (rows []Row) {
	for _, wave := range hfWaves {
		for _, mode := range []string{"rcop", "stream", "compact"} {
			u, ok := got[wave+"/"+mode]
			if !ok {
				continue
			}
			name := wave + ", " + mode + ", chats waiting at both ends: "
			share := figure(name+"of the line", u["percent"], "%", hfShareText, hfBestShare)
			rows = append(rows, share.under(atLeastAbsolute(hfChatShare, "%")), figure(name+"chats in a minute", u["chats/min"], "", "", 0))
		}
	}
	return rows
}
