package account_test

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/server/account"
	"sallyport/server/account/accounttest"
)

// Who is told that an account goes is told before, and once it is gone; of one that is not there only the first.
func TestRemoveTells(t *testing.T) {
	t.Parallel()
	var told []string
	d := &account.Directory{Store: &accounttest.Memory{}, Random: rand.Reader, Now: time.Now, Policy: account.Policy{Iterations: 4096}}
	d.Leaves = func(ctx context.Context, bare jid.JID) (gone func()) {
		_, err := d.Store.Account(ctx, bare)
		told = append(told, "leaves, there is one: "+yes(err == nil))
		return func() {
			_, err := d.Store.Account(ctx, bare)
			told = append(told, "gone, there is one: "+yes(err == nil))
		}
	}
	who := jid.MustParse("juliet@a.example")
	if err := d.Add(t.Context(), who, "long enough 1"); err != nil {
		t.Fatal(err)
	}
	if err := d.Remove(t.Context(), who); err != nil {
		t.Fatal(err)
	}
	if err := d.Remove(t.Context(), who); !errors.Is(err, account.ErrNotFound) {
		t.Errorf("again: %v", err)
	}
	want := "leaves, there is one: yes; gone, there is one: no; leaves, there is one: no"
	if got := strings.Join(told, "; "); got != want {
		t.Errorf("told %s, want %s", got, want)
	}
}

func yes(is bool) string {
	if is {
		return "yes"
	}
	return "no"
}
