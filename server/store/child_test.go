package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"

	"sallyport/server/account"
	"sallyport/server/store"
)

// childEnv makes the test binary another program, which keeps accounts in the SQLite file that it names and says on its output
// what came of each. It ends when the store is broken, or after childAccounts.
const (
	childEnv      = "SALLYPORT_STORE_CHILD"
	childAccounts = 200
)

func child() int {
	ctx := context.Background()
	s, err := store.Open(ctx, store.Options{DSN: "sqlite:" + os.Getenv(childEnv)})
	if err != nil {
		fmt.Println("open", err)
		return 1
	}
	for i := range childAccounts {
		a := someAccount(fmt.Sprintf("u%d@a.example", i))
		err := s.CreateAccount(ctx, a)
		switch {
		case err == nil:
			fmt.Println("kept", a.JID)
		case errors.Is(err, store.ErrBroken):
			_, reading := s.Account(ctx, a.JID)
			fmt.Println("broken", errors.Is(reading, store.ErrBroken) && errors.Is(s.CreateAccount(ctx, a), store.ErrBroken))
			return 0
		case errors.Is(err, store.ErrFull):
			_, reading := s.Account(ctx, a.JID)
			fmt.Println("full", errors.Is(reading, account.ErrNotFound), a.JID)
		default:
			fmt.Println("other", err)
			return 1
		}
	}
	if err := s.Close(); err != nil {
		fmt.Println("close", err)
	}
	return 0
}
