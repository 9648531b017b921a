package gateway

import (
	"fmt"
	"testing"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/peering"
)

// Strangers with many domains cannot make the conversation table grow without end; pairs
// that are in it go on as before.
func TestConversationTableIsBounded(t *testing.T) {
	t.Parallel()
	c := newConversations()
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	ask := func(from string) {
		v := peering.Verdict{Ruling: peering.Ruling{Effects: peering.Effects{Ask: true, From: jid.MustParse(from), To: jid.MustParse("v@b.example")}}}
		c.apply(&v, stanza.Stanza{}, now, 1)
	}
	ask("first@a.example")
	for i := range maxPairs + 10 {
		ask(fmt.Sprintf("u@d%d.example", i))
	}
	if n := len(c.pairs); n > maxPairs {
		t.Errorf("%d pairs, %d at most", n, maxPairs)
	}
	if k := c.known(jid.MustParse("first@a.example"), jid.MustParse("v@b.example")); k == nil || len(k.asked) != 1 {
		t.Error("the first pair was forgotten")
	}
}
