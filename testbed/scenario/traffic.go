package scenario

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"sallyport/gateway/audit"
	"sallyport/testbed/client"
)

// Traffic is a stream of numbered messages from alice inside to bob outside, and an account of each.
type Traffic struct {
	alice, bob *User
	sent       int
	delivered  map[int]int // by number: how often it arrived
	bounced    map[int]int // how often an error came back
}

// NewTraffic logs the two in.
func (w *World) NewTraffic(t *testing.T) *Traffic {
	t.Helper()
	return &Traffic{
		alice: w.Inside(t, "alice"), bob: w.Outside(t, "bob"),
		delivered: map[int]int{}, bounced: map[int]int{},
	}
}

// Send sends n more messages to bob's bare address, so that his server keeps them when he is away (RFC 6121 §8.5.2).
func (f *Traffic) Send(n int) {
	f.alice.t.Helper()
	for range n {
		f.sent++
		f.alice.must(f.alice.Send(client.Message{
			To: f.bob.Bare(), ID: "n" + strconv.Itoa(f.sent), Body: "number " + strconv.Itoa(f.sent),
		}))
	}
}

// Back logs bob in again after his server was restarted.
func (f *Traffic) Back(t *testing.T, w *World) {
	t.Helper()
	f.collect()
	name, _, _ := strings.Cut(f.bob.JID, "@")
	server := w.Bed.Ejabberd
	f.bob = w.login(t, client.Account{User: name, Domain: server.Domain, Resource: "back", Server: server.Clients()})
}

func (f *Traffic) collect() {
	for _, e := range f.bob.Received(func(e client.Event) bool { return e.Kind == "message" && e.Type != "error" }) {
		var n int
		if _, err := fmt.Sscanf(e.Body, "number %d", &n); err == nil {
			f.delivered[n]++
		}
	}
	for _, e := range f.alice.Received(func(e client.Event) bool { return e.Kind == "message" && e.Type == "error" }) {
		if n, err := strconv.Atoi(strings.TrimPrefix(e.ID, "n")); err == nil {
			f.bounced[n]++
		}
	}
}

// Reached waits until at least n messages have arrived.
func (f *Traffic) Reached(n int) bool {
	return eventually(Patience, func() bool { f.collect(); return len(f.delivered) >= n })
}

// missing lists the numbers that neither arrived nor came back.
func (f *Traffic) missing() []int {
	var all []int
	for n := 1; n <= f.sent; n++ {
		if f.delivered[n] == 0 && f.bounced[n] == 0 {
			all = append(all, n)
		}
	}
	return all
}

// Settle waits until every message is accounted for, or the limit is over, and says which are not.
func (f *Traffic) Settle(limit time.Duration) (missing []int) {
	eventually(limit, func() bool { f.collect(); return len(f.missing()) == 0 })
	return f.missing()
}

// lookAgain is after how long bob comes again when something is missing.
const lookAgain = 15 * time.Second

// Account checks that sent = delivered + bounced + in doubt: nothing is lost, nothing arrives twice, and only what
// the log calls in doubt may both arrive and come back (in-doubt = bounce).
//
// COMPAT(ejabberd, 23.01): what it gets while somebody logs in, it may keep for when he is back although he is there; so
// when something is missing bob comes again and looks.
func (f *Traffic) Account(t *testing.T, w *World) {
	t.Helper()
	missing := f.Settle(lookAgain)
	for range 6 {
		if len(missing) == 0 {
			break
		}
		f.Back(t, w)
		missing = f.Settle(lookAgain)
	}
	if len(missing) > 0 {
		t.Errorf("of %d sent, %d delivered, %d bounced; lost without a word: %v", f.sent, len(f.delivered), len(f.bounced), missing)
	}
	doubtful := f.inDoubt(t, w)
	for n := 1; n <= f.sent; n++ {
		if f.delivered[n] > 1 || f.bounced[n] > 1 {
			t.Errorf("message %d arrived %d times, came back %d times", n, f.delivered[n], f.bounced[n])
		}
		if f.delivered[n] > 0 && f.bounced[n] > 0 && !doubtful["n"+strconv.Itoa(n)] {
			t.Errorf("message %d arrived and came back, and was never in doubt", n)
		}
	}
	t.Logf("%d sent = %d delivered or bounced; %d delivered, %d bounced, %d in doubt",
		f.sent, f.sent-len(f.missing()), len(f.delivered), len(f.bounced), len(doubtful))
}

// inDoubt are the ids of this traffic that the log says were written and not confirmed.
func (f *Traffic) inDoubt(t *testing.T, w *World) map[string]bool {
	t.Helper()
	lines, err := w.Middle.Audit()
	if err != nil {
		t.Fatal(err)
	}
	ids, doubtful := map[uint64]string{}, map[string]bool{}
	for _, l := range lines {
		switch {
		case l.Kind == audit.Decision && bare(l.From) == f.alice.Bare():
			ids[l.Seq] = l.StanzaID
		case l.Kind == audit.Settlement && l.Outcome == "in-doubt" && ids[l.Of] != "":
			doubtful[ids[l.Of]] = true
		}
	}
	return doubtful
}
