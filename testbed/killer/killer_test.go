package main

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"sallyport/testbed/scenario"
)

// TestSomeKills is the short form.
func TestSomeKills(t *testing.T) {
	t.Parallel()
	binary, err := scenario.Binary()
	if err != nil {
		t.Fatal(err)
	}
	for trunk, kills := range map[string]int{"x2x": 20, "dtls": 5} {
		t.Run(trunk, func(t *testing.T) {
			t.Parallel()
			r, err := Run(t.Context(), Options{Binary: binary, Dir: t.TempDir(), Gateways: 2, Trunk: trunk, Kills: kills, Rate: 100, Seed: 1})
			t.Log(r.Text())
			if err != nil {
				t.Fatal(err)
			}
			if !r.Held() {
				t.Error("the account does not hold")
			}
		})
	}
}

// TestAccount: whatever custody forbids is seen.
func TestAccount(t *testing.T) {
	t.Parallel()
	hears := func(id string, n uint64) element {
		x := element{Number: n, Messages: []stanza{{ID: id, Type: "chat", Body: id}}}
		x.XMLName.Local = "c"
		return x
	}
	back := hears("right.1.1", 9)
	back.Messages[0].Type = "error"
	again := back
	again.Number++
	greets := func(epoch string, marks ...mark) element {
		x := element{Epoch: epoch, Marks: marks}
		x.XMLName.Local = "h"
		return x
	}
	confirms := func(n uint64) element {
		x := element{Number: n}
		x.XMLName.Local = "a"
		return x
	}
	const epoch = "00000000000000aa"
	for name, row := range map[string]struct {
		says []element
		ok   bool
	}{
		"in order":                    {[]element{hears("left.1.1", 5), hears("left.1.2", 7), confirms(1)}, true},
		"a repetition":                {[]element{hears("left.1.1", 5), hears("left.1.1", 5)}, true},
		"again with what it has":      {[]element{confirms(1), greets(epoch, mark{"", 0, 1})}, true},
		"twice":                       {[]element{hears("left.1.1", 5), hears("left.1.1", 6)}, false},
		"out of order":                {[]element{hears("left.1.2", 5), hears("left.1.1", 6)}, false},
		"another under its number":    {[]element{hears("left.1.1", 5), hears("left.1.2", 5)}, false},
		"what nobody said":            {[]element{hears("left.1.9", 5)}, false},
		"our own":                     {[]element{hears("right.1.1", 5)}, false},
		"returned twice":              {[]element{back, again}, false},
		"acknowledged before it came": {[]element{confirms(3)}, false},
		"forgets what it has":         {[]element{confirms(1), greets(epoch)}, false},
		"has lost its spool":          {[]element{greets("00000000000000bb")}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBook()
			e := newEnd("right", netip.AddrPort{}, b, 1)
			for _, id := range []string{"left.1.1", "left.1.2"} {
				b.said("left", id)
			}
			e.say(0, "right.1.1", "a@right.test", "b@left.test")
			c := &carrier{end: e}
			ok := true
			for i, x := range append([]element{greets(epoch)}, row.says...) {
				if len(x.Marks) > 0 {
					x.Marks[0].Epoch = e.epoch
				}
				var broken *violation
				if err := c.take(&x); errors.As(err, &broken) {
					t.Logf("%d: %v", i, broken)
					ok = false
				}
			}
			if got := ok && len(b.sum().Wrong) == 0; got != row.ok {
				t.Errorf("held: %v, want %v; %v", got, row.ok, b.sum().Wrong)
			}
		})
	}
}

// TestHeld: a report with anything missing does not hold.
func TestHeld(t *testing.T) {
	t.Parallel()
	b := newBook()
	b.said("left", "left.1.1")
	for name, r := range map[string]Report{
		"missing": {sum: b.sum()}, "wrong": {sum: sum{Wrong: []string{"x"}}}, "returned": {sum: sum{Returned: 1}}, "unclean": {Unclean: []string{"x"}},
	} {
		if r.Held() || !strings.Contains(r.Text(), "1") && !strings.Contains(r.Text(), "x") {
			t.Errorf("%s: holds: %s", name, r.Text())
		}
	}
	if !(&Report{}).Held() {
		t.Error("an account without entries does not hold")
	}
}
