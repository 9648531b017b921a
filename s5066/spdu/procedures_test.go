package spdu_test

import (
	"fmt"
	"testing"
	"time"

	"sallyport/s5066"
	"sallyport/s5066/spdu"
)

var (
	start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	peer  = s5066.Unicast(0x1020305)
	third = s5066.Unicast(0x1020306)
)

// The client-data procedure (A.9): what is reported and heard, in which order, and what becomes of the delivery.
func TestClientData(t *testing.T) {
	t.Parallel()
	yes := spdu.Confirm{Source: 6, SAP: 9, Prefix: []byte("hel")}
	no := spdu.Fail{Reason: spdu.NotBound, Source: 6, SAP: 9, Prefix: []byte("hel")}
	reported := func(d *spdu.Deliveries) []spdu.Outcome { return d.Reported(start, 1) }
	hears := func(from s5066.Address, p spdu.PDU) func(*spdu.Deliveries) []spdu.Outcome {
		return func(d *spdu.Deliveries) []spdu.Outcome { return d.Heard(from, p) }
	}
	waits := func(s int) func(*spdu.Deliveries) []spdu.Outcome {
		return func(d *spdu.Deliveries) []spdu.Outcome { return d.Tick(start.Add(time.Duration(s) * time.Second)) }
	}
	fails := func(d *spdu.Deliveries) []spdu.Outcome { return d.Failed(1, spdu.Expired) }
	type steps = []func(*spdu.Deliveries) []spdu.Outcome
	for name, c := range map[string]struct {
		confirm s5066.Confirmation
		steps   steps
		want    string
	}{
		"node: reported":                   {s5066.ConfirmNode, steps{reported}, "delivered"},
		"node: failed":                     {s5066.ConfirmNode, steps{fails}, "expired"},
		"node: a client's word is nothing": {s5066.ConfirmNode, steps{hears(peer, yes)}, ""},
		"client: reported alone":           {s5066.ConfirmClient, steps{reported}, ""},
		"client: both":                     {s5066.ConfirmClient, steps{reported, hears(peer, yes)}, "delivered"},
		"client: word first":               {s5066.ConfirmClient, steps{hears(peer, yes), reported}, "delivered"},
		"client: not bound":                {s5066.ConfirmClient, steps{reported, hears(peer, no)}, "destination SAP not bound"},
		"client: not bound, word first":    {s5066.ConfirmClient, steps{hears(peer, no), reported}, "destination SAP not bound"},
		"client: no word in time":          {s5066.ConfirmClient, steps{reported, waits(59), waits(60)}, "no answer"},
		"client: of another node":          {s5066.ConfirmClient, steps{reported, hears(third, yes)}, ""},
		"client: of another U_PDU":         {s5066.ConfirmClient, steps{reported, hears(peer, spdu.Confirm{Source: 6, SAP: 9, Prefix: []byte("help")})}, ""},
		"client: SAPs swapped":             {s5066.ConfirmClient, steps{reported, hears(peer, spdu.Confirm{Source: 9, SAP: 6, Prefix: []byte("hel")})}, ""},
		"client: word, then link lost":     {s5066.ConfirmClient, steps{hears(peer, yes), fails}, "delivered"},
		"twice is once":                    {s5066.ConfirmClient, steps{reported, hears(peer, yes), hears(peer, yes), reported, fails, waits(90)}, "delivered"},
	} {
		d := spdu.Deliveries{Wait: time.Minute}
		if err := d.Add(spdu.Delivery{ID: 1, Remote: peer, Source: 6, SAP: 9, Confirm: c.confirm, UPDU: []byte("hello")}); err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, step := range c.steps {
			for _, o := range step(&d) {
				got += o.Result.String()
			}
		}
		if got != c.want || (c.want == "") != (d.Len() == 1) {
			t.Errorf("%s: %q, want %q, %d left", name, got, c.want, d.Len())
		}
	}
}

func TestSameBeginIsConfirmedInOrder(t *testing.T) {
	t.Parallel()
	d := spdu.Deliveries{Wait: time.Minute}
	for id := range uint64(3) {
		if err := d.Add(spdu.Delivery{ID: id, Remote: peer, Confirm: s5066.ConfirmClient, UPDU: []byte("same")}); err != nil {
			t.Fatal(err)
		}
		d.Reported(start, id)
	}
	for id := range uint64(3) {
		if out := d.Heard(peer, spdu.Confirm{Prefix: []byte("same")}); len(out) != 1 || out[0].ID != id {
			t.Errorf("confirmation %d ends %v", id, out)
		}
	}
}

func TestSessions(t *testing.T) {
	t.Parallel()
	after := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	s := spdu.Sessions{Config: spdu.SessionConfig{Idle: 30 * time.Second, Called: time.Minute, Max: 5 * time.Minute}}
	s.Made(start, peer, false)
	s.Made(start, third, true)
	s.Busy(after(0), peer, true)
	if at, ok := s.Deadline(); !ok || !at.Equal(after(60)) {
		t.Errorf("deadline %v: the one we made is busy, the other is to be ended by its maker first", at)
	}
	s.Busy(after(50), peer, false)
	if due := s.Due(after(60)); len(due) != 1 || due[0] != third {
		t.Errorf("due %v", due)
	}
	s.Used(after(60), third)
	if due := s.Due(after(80)); len(due) != 1 || due[0] != peer {
		t.Errorf("due %v, 30 s behind the last of our data", due)
	}
	s.Ended(peer)
	s.Busy(after(80), third, true)
	s.Crowded(after(299))
	if _, leave := s.Open(third); leave {
		t.Error("left before its time")
	}
	s.Crowded(after(300))
	if open, leave := s.Open(third); !open || !leave || len(s.Due(after(300))) != 0 {
		t.Error("the session has lasted long enough, and what is under way goes on")
	}
	s.Busy(after(310), third, false)
	if due := s.Due(after(310)); len(due) != 1 {
		t.Errorf("due %v", due)
	}
}

// air joins two hard link procedures as nodes do; what is said arrives at once.
type air struct {
	now  time.Time
	hard [2]*spdu.Hard
	news [2][]string
	lose func(spdu.PDU) bool
}

func newAir(bound ...s5066.SAP) *air {
	a := &air{now: start}
	for i, own := range []s5066.Address{peer, third} {
		a.hard[i] = spdu.NewHard(spdu.HardConfig{
			Own: own, DefaultRank: 5, Answer: time.Minute, Client: 30 * time.Second,
			Bound: func(s s5066.SAP) (s5066.Rank, bool) {
				for _, b := range bound {
					if b == s {
						return 7, true
					}
				}
				return 0, false
			},
		})
	}
	return a
}

func (a *air) do(i int, events []spdu.HardEvent) {
	addr := [2]s5066.Address{peer, third}
	for _, e := range events {
		switch e := e.(type) {
		case spdu.Call:
			if e.Remote == addr[1-i] { // others do not answer
				a.do(i, a.hard[i].Made(a.now, e.Remote))
			}
		case spdu.Drop:
			a.news[i] = append(a.news[i], "drop")
			a.do(1-i, a.hard[1-i].Broken(addr[i]))
		case spdu.Say:
			if a.lose == nil || !a.lose(e.PDU) {
				a.do(1-i, a.hard[1-i].Heard(a.now, addr[i], e.PDU))
			}
		case spdu.Established:
			a.news[i] = append(a.news[i], fmt.Sprintf("%d up", e.SAP))
		case spdu.Refused:
			a.news[i] = append(a.news[i], fmt.Sprintf("%d refused: %s", e.SAP, e.Reason))
		case spdu.Ended:
			a.news[i] = append(a.news[i], fmt.Sprintf("%d ended: %s", e.SAP, e.Reason))
		case spdu.Asked:
			a.news[i] = append(a.news[i], fmt.Sprintf("%d asked", e.SAP))
		}
	}
}

func (a *air) wait(d time.Duration) {
	a.now = a.now.Add(d)
	for i, h := range a.hard {
		a.do(i, h.Tick(a.now))
	}
}

func TestHardLinks(t *testing.T) {
	t.Parallel()
	link := func(typ s5066.LinkType, prio uint8) s5066.HardLink {
		return s5066.HardLink{Type: typ, Priority: prio, SAP: 9, Remote: third}
	}
	ask := func(a *air, rank s5066.Rank, l s5066.HardLink) { a.do(0, a.hard[0].Establish(a.now, 6, rank, l)) }
	for name, c := range map[string]struct {
		do     func(a *air)
		caller string
		called string
	}{
		"type 0": {func(a *air) { ask(a, 5, link(0, 1)) }, "[6 up]", "[]"},
		"type 1, ended by its client": {func(a *air) {
			ask(a, 5, link(1, 1))
			a.do(0, a.hard[0].Terminate(a.now, 6, third))
		}, "[6 up drop]", "[]"},
		"type 1 is not another client's to end": {func(a *air) {
			ask(a, 5, link(1, 1))
			a.do(0, a.hard[0].Terminate(a.now, 7, third))
		}, "[6 up]", "[]"},
		"type 2 accepted": {func(a *air) {
			ask(a, 5, link(2, 1))
			a.do(1, a.hard[1].Accept(9, peer))
		}, "[6 up]", "[9 asked]"},
		"type 2 refused": {func(a *air) {
			ask(a, 5, link(2, 1))
			a.do(1, a.hard[1].Refuse(a.now, 9, peer))
		}, "[6 refused: remote busy drop]", "[9 asked]"},
		"type 2, client says nothing": {func(a *air) {
			ask(a, 5, link(2, 1))
			a.wait(30 * time.Second)
		}, "[6 refused: remote busy drop]", "[9 asked]"},
		"type 2, nobody bound": {func(a *air) {
			ask(a, 5, s5066.HardLink{Type: 2, SAP: 8, Remote: third})
		}, "[6 refused: destination SAP not bound drop]", "[]"},
		"type 2 ended by the called client": {func(a *air) {
			ask(a, 5, link(2, 1))
			a.do(1, a.hard[1].Accept(9, peer))
			a.do(1, a.hard[1].Terminate(a.now, 9, peer))
		}, "[6 up 6 ended: by remote node]", "[9 asked drop]"},
		"called client unbinds": {func(a *air) {
			ask(a, 5, link(2, 1))
			a.do(1, a.hard[1].Accept(9, peer))
			a.do(1, a.hard[1].Unbound(a.now, 9))
		}, "[6 up 6 ended: destination SAP unbound]", "[9 asked drop]"},
		"the same type 0 again": {func(a *air) {
			ask(a, 5, link(0, 1))
			a.do(0, a.hard[0].Establish(a.now, 7, 5, link(0, 1)))
		}, "[6 up 7 refused: link exists]", "[]"},
		"lower rank": {func(a *air) {
			ask(a, 5, link(1, 1))
			a.do(0, a.hard[0].Establish(a.now, 7, 4, link(2, 3)))
		}, "[6 up 7 refused: higher-priority link exists]", "[]"},
		"higher priority takes over": {func(a *air) {
			ask(a, 5, link(0, 1))
			a.do(0, a.hard[0].Establish(a.now, 7, 5, link(0, 2)))
		}, "[6 up 6 ended: higher-priority link requested 7 up]", "[]"},
		"nobody answers": {func(a *air) {
			a.lose = func(spdu.PDU) bool { return true }
			ask(a, 5, link(0, 1))
			a.wait(time.Minute)
		}, "[6 refused: remote not responding drop]", "[]"},
		"end is not answered": {func(a *air) {
			ask(a, 5, link(0, 1))
			a.lose = func(p spdu.PDU) bool { return p.Type() == spdu.TypeLinkEndConfirm }
			a.do(0, a.hard[0].Terminate(a.now, 6, third))
			a.wait(59 * time.Second)
			a.wait(time.Second)
		}, "[6 up 6 ended: remote not responding drop]", "[]"},
		"physical link breaks": {func(a *air) {
			ask(a, 5, link(1, 1))
			a.do(0, a.hard[0].Broken(third))
		}, "[6 up 6 ended: physical link broken]", "[]"},
		"busy with another link of equal right": {func(a *air) {
			a.do(1, a.hard[1].Establish(a.now, 9, 5, s5066.HardLink{Type: 1, Priority: 1, Remote: s5066.Unicast(77)}))
			ask(a, 5, link(1, 1))
		}, "[6 refused: remote busy drop]", "[]"},
	} {
		a := newAir(9)
		c.do(a)
		if got := fmt.Sprint(a.news[0]); got != c.caller {
			t.Errorf("%s: caller hears %s, want %s", name, got, c.caller)
		}
		if got := fmt.Sprint(a.news[1]); got != c.called {
			t.Errorf("%s: called hears %s, want %s", name, got, c.called)
		}
	}
}

// Two nodes that ask each other for the same at once end with one link, that of the lower address.
func TestBothAskAtOnce(t *testing.T) {
	t.Parallel()
	a := newAir()
	var held [2][]spdu.HardEvent
	held[0] = a.hard[0].Establish(start, 6, 5, s5066.HardLink{Priority: 1, Remote: third})
	held[1] = a.hard[1].Establish(start, 7, 5, s5066.HardLink{Priority: 1, Remote: peer})
	first := a.hard[0].Made(start, third)
	second := a.hard[1].Made(start, peer)
	a.do(0, first)
	a.do(1, second)
	if got := fmt.Sprint(len(held), a.news); got != "2 [[6 up] [7 refused: higher-priority link exists]]" {
		t.Error(got)
	}
	for i, h := range a.hard {
		if _, phase := h.Status(); phase != spdu.Up {
			t.Errorf("node %d: %s", i, phase)
		}
	}
}

func TestWhoMayUseAHardLink(t *testing.T) {
	t.Parallel()
	for typ, want := range map[s5066.LinkType]string{
		s5066.LinkReserved: "true true true | true true true",
		s5066.LinkPartial:  "true false true | true true false",
		s5066.LinkFull:     "true false false | true false false",
	} {
		a := newAir(9)
		a.do(0, a.hard[0].Establish(start, 6, 5, s5066.HardLink{Type: typ, SAP: 9, Remote: third}))
		if typ == s5066.LinkFull {
			a.do(1, a.hard[1].Accept(9, peer))
		}
		got := fmt.Sprint(a.hard[0].Allows(6, third, 9), a.hard[0].Allows(7, third, 9), a.hard[0].Allows(6, third, 8), " | ",
			a.hard[1].Allows(9, peer, 6), a.hard[1].Allows(8, peer, 6), a.hard[1].Allows(9, peer, 7))
		if got != want {
			t.Errorf("type %d: %s, want %s", typ, got, want)
		}
		if a.hard[0].Allows(6, s5066.Unicast(99), 9) {
			t.Errorf("type %d: data for others", typ)
		}
	}
}
