package hf_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/links"
	"sallyport/links/hf"
	"sallyport/s5066"
)

// TestGap: a unit that has expired is emptied, and its sender forgets it once its node says that it is there. If it got lost behind that node,
// the receiver misses it for ever: it gives the session up after a while, and everything behind comes in another.
func TestGap(t *testing.T) {
	yes := func(jid.JID) bool { return true }
	cfg := hf.Config{
		Name: "hf", Mode: hf.Compact, SAP: 6, Address: s5066.Unicast(1), Remote: yes, Local: yes, Codec: codec(t),
		Profile: links.Profile{BitsPerSecond: 2400, RoundTrip: 8 * time.Second, HalfDuplex: true},
	}
	now := time.Unix(1_700_000_000, 0)
	left, right := cfg, cfg
	right.Address = s5066.Unicast(2)
	a, b := hf.NewMachine(&left, now), hf.NewMachine(&right, now)
	lost := false
	talk := func(limit time.Duration) (came int) {
		for end := now.Add(limit); now.Before(end); now = now.Add(3 * time.Second) {
			for _, u := range a.Said(now) {
				if !lost {
					came += b.Heard(now, u)
				}
			}
			for _, u := range b.Said(now) {
				a.Heard(now, u)
			}
		}
		return came
	}
	a.Put(now, chat(t, 1), 1)
	if came := talk(2 * time.Minute); came != 1 {
		t.Fatalf("%d of 1 came", came)
	}
	lost = true
	a.Put(now, chat(t, 2), 2)
	talk(time.Minute)
	now = now.Add(25 * time.Hour)
	talk(time.Minute)
	lost = false
	a.Put(now, chat(t, 3), 3)
	if came := talk(20 * time.Minute); came != 1 {
		t.Errorf("%d of 1 came behind the gap", came)
	}
	a.Put(now, chat(t, 4), 4)
	if came := talk(time.Minute); came != 1 {
		t.Errorf("%d of 1 came after it", came)
	}
}

// TestTailTravelsAlong: what is too large for one U_PDU of a stream has its end in the same transmission, and not behind an answer.
func TestTailTravelsAlong(t *testing.T) {
	list := texts(t)
	w := writer{rand.New(rand.NewPCG(2, 2)), measuredPeople}
	h := newHop(t, "110a-300-short", figuresModes(t)["stream"], 1)
	h.put(0, w.chat(t, 0, list[100]))
	h.await()
	h.run(2*time.Minute, nil)
	before := h.keyed()
	h.put(0, w.chat(t, 0, strings.Join(list[:30], " ")))
	h.await()
	if k := h.keyed().each(before, 1); k.data < 700 || k.trains > 2 {
		t.Errorf("%.0f bytes in %.0f transmissions of both ends", k.data, k.trains)
	}
}
