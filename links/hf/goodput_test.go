package hf_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// chatting is both ends with chats that wait all the time, for some minutes of the line.
type chatting struct {
	share  float64 // of the line that U_PDUs get, which are chats and what the ends say about them
	chats  float64 // in a minute, both ends together
	trains int
}

// most is how many chats wait at an end at once: a gateway gives a link no more.
const most = 200

// chatter keeps both ends in chats for so long a time of the line, and measures until all have arrived.
func chatter(t testing.TB, wave, mode string, line time.Duration) (c chatting) {
	t.Helper()
	w := writer{rand.New(rand.NewPCG(4, 4)), measuredPeople}
	h := newHop(t, wave, figuresModes(t)[mode], 1)
	list := texts(t)
	each := h.wave.Rate() * int(line/time.Second) / 8 / chatSizes[mode] / 2
	start := h.now
	more := func(side int) bool { return len(h.ends[side].asked) < each }
	short := func(side int) bool { return more(side) && len(h.ends[side].asked)-len(h.ends[side].took) < most }
	for more(0) || more(1) {
		for side := range h.ends {
			for short(side) {
				h.put(side, w.chat(t, side, list[(2*len(h.ends[side].asked)+side)%len(list)]))
			}
		}
		h.run(time.Hour, func() bool { return short(0) || short(1) || !more(0) && !more(1) })
	}
	h.await()
	took := h.now.Sub(start)
	given := h.ends[0].given + h.ends[1].given
	c.share = float64(given) * 8 / took.Seconds() / float64(h.wave.Rate())
	c.chats = float64(2*each) / took.Minutes()
	c.trains = len(h.ends[0].keyedAt) + len(h.ends[1].keyedAt)
	return c
}

// chatSizes are about what a chat has as a U_PDU among many.
var chatSizes = map[string]int{"rcop": 425, "stream": 110, "compact": 45}

// A floor under what chats in both directions get of the line.
func TestChatGoodput(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"rcop", "stream", "compact"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			c := chatter(t, "110a-1200-short", mode, 2*time.Minute)
			t.Logf("%.1f %% of the line, %.1f chats a minute, %d transmissions", c.share*100, c.chats, c.trains)
			if c.share < 0.6 {
				t.Errorf("%.2f of the line, want 0.6", c.share)
			}
		})
	}
}

// BenchmarkChatGoodput is printed by `make bench ONLY=hf`. All times are virtual: -benchtime 1x.
func BenchmarkChatGoodput(b *testing.B) {
	for _, wave := range []string{"110a-75-short", "110a-300-short", "110a-1200-short", "110a-2400-short", "4539-9600-veryshort"} {
		for _, mode := range strings.Fields("rcop stream compact") {
			b.Run(fmt.Sprintf("%s/%s", wave, mode), func(b *testing.B) {
				for b.Loop() {
					c := chatter(b, wave, mode, 5*time.Minute)
					b.ReportMetric(c.share*100, "percent")
					b.ReportMetric(c.chats, "chats/min")
				}
			})
		}
	}
}
