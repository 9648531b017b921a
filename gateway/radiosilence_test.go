package gateway_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/s5066/channel"
)

// urgent are the types of messages that stand for the classes of precedence, the highest first; chats are routine.
var urgent = []string{"headline", "normal", "groupchat", "chat"}

const precedences = "\n[precedence.kind]\n\"message.headline\" = \"flash\"\n\"message.normal\" = \"immediate\"\n\"message.groupchat\" = \"priority\"\n"

func messageOf(id, kind string) string {
	text := strings.Replace(message(id, "a.example", "b.example"), "'chat'", "'"+kind+"'", 1)
	if kind == "groupchat" {
		text = strings.Replace(text, "u@a.example/r", "room@a.example/nick", 1)
	}
	return text
}

// TestTwelveHoursOfSilence: whoever may not transmit for half a day, or is not heard, loses nothing by it. What waited is drained in order of
// precedence, and in order within each class; only what has outlived its time by the configuration is given up.
func TestTwelveHoursOfSilence(t *testing.T) {
	const hours = 12 * time.Hour
	noon := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) // when time begins in a bubble
	outage := []channel.Window{{From: noon.Add(10 * time.Minute), To: noon.Add(10*time.Minute + hours), Kind: channel.Outage}}
	rows := []struct {
		name    string
		rate    radioRate
		mode    radioMode
		windows []channel.Window
		emcon   []int // whose nodes are silent
		order   bool  // of the gateway on shore
		more    string
		expired int
	}{
		{name: "no propagation, compact", rate: radioRates[2], mode: radioModes[0], windows: outage},
		{name: "no propagation, stream", rate: radioRates[2], mode: radioModes[1], windows: outage},
		{name: "our node silent, compact", rate: radioRates[2], mode: radioModes[0], emcon: []int{0}},
		{name: "our node silent, stream", rate: radioRates[2], mode: radioModes[1], emcon: []int{0}},
		{name: "the other node silent, compact", rate: radioRates[2], mode: radioModes[0], emcon: []int{1}},
		{name: "the other node silent, stream", rate: radioRates[2], mode: radioModes[1], emcon: []int{1}},
		{name: "both nodes silent, 9600", rate: radioRates[4], mode: radioModes[0], emcon: []int{0, 1}},
		{name: "by order of the gateway", rate: radioRates[2], mode: radioModes[0], order: true},
		{name: "75 bits per second", rate: radioRates[0], mode: radioModes[0], windows: outage},
		{
			name: "75, routine outlives its time", rate: radioRates[0], mode: radioModes[0], windows: outage,
			more: "[spool.lifetimes]\nroutine = \"6h\"\n", expired: 6,
		},
	}
	for i, row := range rows {
		if testing.Short() && i != 1 {
			continue
		}
		t.Run(row.name, func(t *testing.T) {
			shore, ship := radioSites(t, row.rate, row.mode, precedences+"[spool]\nmerge-window = \"500ms\"\nlifetime = \"7d\"\n"+row.more)
			shore.more = strings.Replace(shore.more, "[peer.b.thin]\n", "[peer.b.thin]\npresence = \"coarse\"\ninterval = \"5m\"\n", 1)
			overAir(t, shore, ship, etherConfig{wave: row.rate.wave, windows: row.windows, seed: 3}, func(t *testing.T, e *ends, air *ether) {
				silent := func(on bool) {
					for _, i := range row.emcon {
						air.nodes[i].SetEMCON(on)
					}
					if row.order {
						e.shore.emcon(on)
					}
				}
				e.settle(9 * time.Minute)
				silent(true)
				said := map[string][]string{}
				for range 6 {
					e.settle(time.Minute)
					for _, kind := range slices.Backward(urgent) {
						id := freshID()
						said[kind] = append(said[kind], id)
						e.shore.arrive(messageOf(id, kind))
					}
				}
				var last string
				for _, show := range []string{"", "away", "dnd"} {
					last = e.says("u", show, "")
					e.settle(10 * time.Minute)
				}
				e.settle(hours - time.Hour)
				if got := e.ship.got("b.example"); len(got) > 0 {
					t.Fatalf("%v arrived in radio silence", got)
				}
				silent(false)
				for range 12 * 6 {
					if e.settle(10 * time.Minute); e.counts(e.shore).Queued == 0 {
						break
					}
				}
				drained(t, e, said, last, row.expired)
			})
		})
	}
}

// drained checks what has arrived, and in which order.
func drained(t *testing.T, e *ends, said map[string][]string, presence string, expired int) {
	t.Helper()
	var want []string
	for _, kind := range urgent {
		if kind != "chat" || expired == 0 {
			want = append(want, said[kind]...)
		}
	}
	got := e.ship.got("b.example")
	if expired == 0 && !slices.Contains(got, presence) {
		t.Errorf("the latest presence %s has not arrived: %v", presence, got)
	}
	place := map[string]int{}
	for i, id := range got {
		place[id] = i
	}
	chats := slices.DeleteFunc(slices.Clone(got), func(id string) bool { return !slices.Contains(want, id) })
	for _, kind := range urgent {
		in := slices.DeleteFunc(slices.Clone(chats), func(id string) bool { return !slices.Contains(said[kind], id) })
		if kind != "chat" || expired == 0 {
			wantSame(t, in, said[kind])
		}
	}
	for i, kind := range urgent[1:] {
		above, own := said[urgent[i]], said[kind]
		if kind == "chat" && expired > 0 {
			continue
		}
		if place[above[0]] > place[own[0]] || place[above[len(above)-1]] > place[own[len(own)-1]] {
			t.Errorf("%s came before %s: %v", kind, urgent[i], fmt.Sprint(got))
		}
	}
	if c := e.counts(e.shore); c.Expired < int64(expired) || expired == 0 && c.Expired > 0 || c.Bounced+c.InDoubt+c.Queued > 0 {
		t.Errorf("shore: %+v", c)
	}
}
