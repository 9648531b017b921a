package gateway_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/gateway/control"
)

// onlySat lets what is SECRET go over sat, and not over hf.
func onlySat(shore, ship *site) {
	for _, s := range []*site{shore, ship} {
		s.peers = strings.ReplaceAll(s.peers, "policy/outside.clearance.xml", "policy/inside.clearance.xml")
		s.more = strings.ReplaceAll(s.more, "priority = 2", "priority = 2\nclearance = \"policy/outside.clearance.xml\"")
	}
}

// waiting is what the spool on shore holds, by number.
func (e *ends) waiting() (numbers []uint64) {
	e.t.Helper()
	st, err := e.shore.Spool(context.Background(), control.SpoolQuestion{Limit: 100})
	if err != nil || st.Balance != 0 {
		e.t.Fatalf("%+v, %v", st, err)
	}
	for _, one := range st.List {
		numbers = append(numbers, one.Number)
	}
	return numbers
}

// entriesOf counts what the spool on shore holds of one message.
func (e *ends) entriesOf(id string) (n int) {
	e.t.Helper()
	for _, number := range e.waiting() {
		d, err := e.shore.SpoolEntry(context.Background(), control.EntryQuestion{Number: number})
		if err != nil {
			e.t.Fatal(err)
		}
		if d.ID == id {
			n++
		}
	}
	return n
}

// renumbered waits until something on shore has a number that was not given before.
func (e *ends) renumbered(before []uint64) {
	e.t.Helper()
	for range 100_000 {
		if now := e.waiting(); len(now) > 0 && slices.Max(now) > slices.Max(before) {
			return
		}
		e.settle(10 * time.Millisecond)
	}
	e.t.Fatalf("nothing of %v is stored anew", before)
}

// open lets somebody else say what may go over either link, and returns its id.
func (e *ends) open() string {
	id := freshID()
	e.shore.arrive(strings.Replace(message(id, "a.example", "b.example"), "'u@", "'w@", 1))
	return id
}

// TestKilledWhileSetAside: what waits where it holds nothing up is one entry in every life: stored there, and stored back, in the frame
// in which it ends where it was. Whenever the power goes, it arrives once, and over the link that may carry it.
func TestKilledWhileSetAside(t *testing.T) {
	rows := []struct {
		name string
		when func(e *ends)
	}{
		{"before it is stored aside", func(e *ends) { e.acknowledged() }},
		{"as soon as it is stored aside", func(e *ends) {
			e.acknowledged()
			e.renumbered(e.waiting())
		}},
		{"while it waits there", func(e *ends) { e.settle(5 * time.Minute) }},
		{"as soon as it is stored back", func(e *ends) {
			e.settle(5 * time.Minute)
			before := e.waiting()
			e.wires.mend(sat)
			e.renumbered(before)
		}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			between(t, onlySat, func(t *testing.T, e *ends) {
				dice := rand.New(rand.NewPCG(1, 6))
				e.wires.delay, e.shore.spool.sync = 30*time.Millisecond, 20*time.Millisecond
				e.settle(time.Minute)
				e.wires.cut(sat)
				e.settle(time.Second)
				secret := freshID()
				e.shore.arrive(labelled(secret, "a.example", "b.example", "SECRET"))
				sent := []string{secret, e.open()}
				row.when(e)
				for range 2 { // the second life finds what the first one left
					e.kill(e.shore, dice.IntN)
					e.shore.start(t, e.shore.site)
					e.wires.mend(hf)
					sent = append(sent, e.open())
					e.settle(5 * time.Minute)
					if n := e.entriesOf(secret); n != 1 {
						t.Errorf("%d entries of one message", n)
					}
				}
				e.mend()
				e.settle(10 * time.Minute)
				wantSame(t, slices.Sorted(slices.Values(e.ship.got("b.example"))), sent)
				if got := e.waiting(); len(got) != 0 {
					t.Errorf("%v stay", got)
				}
				for _, r := range e.ship.records(decisions) {
					if r.StanzaID == secret && r.Link != "sat" {
						t.Errorf("SECRET came by %s", r.Link)
					}
				}
				if c := e.counts(e.shore); c.Queued != 0 || c.Superseded != 0 {
					t.Errorf("%+v", c)
				}
			})
		})
	}
}
