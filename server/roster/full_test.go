package roster_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/server/roster"
	"sallyport/server/servertest"
)

// A roster of long names and many groups is full before it is too large to be read for each change; what is there can still be changed.
func TestMaxBytes(t *testing.T) {
	t.Parallel()
	const owner = "juliet@capulet.lit"
	b := &roster.Book{Store: servertest.Store(t, owner), Node: "n1", Now: time.Now}
	put := func(i int, change func(*roster.Item)) error {
		_, err := b.Change(t.Context(), jid.MustParse(owner), jid.MustParse(fmt.Sprintf("u%d@montague.lit", i)), func(it *roster.Item) error {
			change(it)
			return nil
		})
		return err
	}
	large := func(it *roster.Item) {
		for k := range roster.MaxItemGroups {
			it.Groups = append(it.Groups, fmt.Sprintf("%d%s", k, strings.Repeat("g", 1000)))
		}
	}
	n := 0
	for ; n < 100; n++ {
		if err := put(n, large); err != nil {
			if !errors.Is(err, roster.ErrFull) {
				t.Fatal(err)
			}
			break
		}
	}
	if n < 10 || n > 20 {
		t.Errorf("%d contacts in 64 groups with names of a KiB were taken", n)
	}
	for i, change := range []func(*roster.Item){
		func(it *roster.Item) { it.Subscription = roster.Both },
		func(it *roster.Item) { it.Groups = it.Groups[:1] },
		func(it *roster.Item) { it.Removed = true },
	} {
		if err := put(i, change); err != nil {
			t.Errorf("change %d of what is there: %v", i, err)
		}
	}
}
