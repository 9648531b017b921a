package simulation

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"sallyport/gateway/spool"
)

// Result is what a world came to, or with Add what many did.
type Result struct {
	Seed      uint64
	Setting   string
	Violation string // empty when everything held
	Trace     []string
	Hash      uint64        // of all events: the same seed gives the same hash
	Took      time.Duration // of virtual time, until everything had come to rest
	Steps     int

	// Of stanzas, one for each recipient.
	Said, Delivered, Refused, Expired, Superseded, InDoubt, Bounced int
	// Of faults, and what they led to.
	Kills, Outages, Silences, Collisions, Repeated, Turns int
	Lost                                                  int // confirmed by a node, and gone with a process behind it
	Interfered                                            int // transmissions of a third station

	// Noted is how often nodes and links told what, by their own words.
	Noted map[string]int
}

// Counts are the sums by their names.
func (r *Result) Counts() map[string]int {
	return map[string]int{
		"said": r.Said, "delivered": r.Delivered, "refused": r.Refused, "expired": r.Expired, "superseded": r.Superseded, "in doubt": r.InDoubt,
		"kills": r.Kills, "outages": r.Outages, "silences": r.Silences, "collisions": r.Collisions, "repeated": r.Repeated, "turns": r.Turns,
		"lost": r.Lost, "interfered": r.Interfered,
	}
}

// Words are the sums for people.
func (r *Result) Words() string {
	counts := r.Counts()
	var all []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		all = append(all, fmt.Sprintf("%d %s", counts[name], name))
	}
	return strings.Join(all, ", ")
}

// Add adds the counts of another world.
func (r *Result) Add(o *Result) {
	for _, x := range []struct {
		sum *int
		n   int
	}{
		{&r.Said, o.Said},
		{&r.Delivered, o.Delivered},
		{&r.Refused, o.Refused},
		{&r.Expired, o.Expired},
		{&r.Superseded, o.Superseded},
		{&r.InDoubt, o.InDoubt},
		{&r.Bounced, o.Bounced},
		{&r.Kills, o.Kills},
		{&r.Outages, o.Outages},
		{&r.Silences, o.Silences},
		{&r.Collisions, o.Collisions},
		{&r.Repeated, o.Repeated},
		{&r.Turns, o.Turns},
		{&r.Lost, o.Lost},
		{&r.Interfered, o.Interfered},
		{&r.Steps, o.Steps},
	} {
		*x.sum += x.n
	}
	r.Took += o.Took
	for word, n := range o.Noted {
		r.note(word, n)
	}
}

func (r *Result) note(word string, n int) {
	if r.Noted == nil {
		r.Noted = make(map[string]int)
	}
	r.Noted[word] += n
}

// count adds the end of a stanza for one recipient.
func (r *Result) count(how spool.Outcome) {
	switch how {
	case spool.Delivered:
		r.Delivered++
	case spool.Refused:
		r.Refused++
	case spool.Expired:
		r.Expired++
	case spool.Superseded:
		r.Superseded++
	case spool.InDoubt:
		r.InDoubt++
	case spool.Bounced:
		r.Bounced++
	case spool.NoOutcome, spool.Damaged:
	}
}
