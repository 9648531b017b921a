package store_test

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"

	"sallyport/server/store"
)

// TestAlone: two nodes on one store would each remember another roster.
func TestAlone(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		only := store.Options{DSN: p.dsn, Alone: true}
		first, err := store.Open(t.Context(), only)
		if err != nil {
			t.Fatal(err)
		}
		if s, err := store.Open(t.Context(), only); !errors.Is(err, store.ErrServed) {
			t.Errorf("a second one: %v, %v; want ErrServed", s, err)
		}
		if _, err := store.Restore(t.Context(), store.Options{DSN: p.dsn}, strings.NewReader(`{"backup":"sallyport server store","format":1,"schema":1}`+"\n")); !errors.Is(err, store.ErrServed) {
			t.Errorf("a restore below it: %v, want ErrServed", err)
		}
		beside := p.open(t) // a backup, a list of accounts
		if err := errors.Join(first.StillAlone(t.Context()), first.Close()); err != nil {
			t.Error(err)
		}
		again, err := store.Open(t.Context(), only)
		if err != nil {
			t.Fatalf("after the first one has ended: %v", err)
		}
		if err := errors.Join(beside.Check(t.Context(), store.Quick), again.Close()); err != nil {
			t.Error(err)
		}
	})
}

// TestAloneNoMore: PostgreSQL forgets who was alone when it ends the session.
func TestAloneNoMore(t *testing.T) {
	t.Parallel()
	p := fresh(t, "postgres")
	only := store.Options{DSN: p.dsn, Alone: true}
	open := func() *store.Store {
		s, err := store.Open(t.Context(), only)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	lose := func() {
		p.exec(t, `SELECT pg_terminate_backend(pid, 10000) FROM pg_locks WHERE locktype = 'advisory' AND classid = 522252695 AND objid = hashtext(current_schema())::oid`)
	}
	first := open()
	lose()
	if err := first.StillAlone(t.Context()); err != nil {
		t.Fatalf("nobody else came: %v", err)
	}
	if s, err := store.Open(t.Context(), only); !errors.Is(err, store.ErrServed) {
		t.Fatalf("while the first is alone again: %v, %v; want ErrServed", s, err)
	}
	lose()
	second := open()
	if err := first.StillAlone(t.Context()); !errors.Is(err, store.ErrServed) || !errors.Is(first.Failed(), store.ErrBroken) {
		t.Errorf("the first: %v, failed: %v; want ErrServed, ErrBroken", err, first.Failed())
	}
	if err := errors.Join(second.StillAlone(t.Context()), second.Failed()); err != nil {
		t.Errorf("the second: %v", err)
	}
}

// TestExisting: who only reads makes nothing.
func TestExisting(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		existing := store.Options{DSN: p.dsn, Existing: true}
		if _, err := store.Open(t.Context(), existing); !errors.Is(err, store.ErrNone) {
			t.Errorf("got %v, want ErrNone", err)
		}
		if path, ok := strings.CutPrefix(p.dsn, "sqlite:"); ok {
			if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("the file: %v", err)
			}
		}
		p.open(t)
		s, err := store.Open(t.Context(), existing)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestOlderBelowANode: a command of a newer release does not take the tables away from under an older node that runs.
func TestOlderBelowANode(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		older, err := store.OpenAt(t.Context(), store.Options{DSN: p.dsn, Alone: true}, 3)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := store.Open(t.Context(), store.Options{DSN: p.dsn, Existing: true}); !errors.Is(err, store.ErrServed) || !strings.Contains(err.Error(), "restart it") {
			t.Errorf("got %v, want ErrServed", err)
		}
		if err := older.Close(); err != nil {
			t.Fatal(err)
		}
		p.open(t)
	})
}
