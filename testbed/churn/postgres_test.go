package churn_test

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"testing"

	"sallyport/testbed/postgres"
	"sallyport/testbed/scenario"
)

// database runs a PostgreSQL as long as the test.
func database(t *testing.T) *postgres.Cluster {
	t.Helper()
	c, err := postgres.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// TestChurnOnPostgres: the same on PostgreSQL, which has troubles of its own. The server goes on by itself, and what it took before, meanwhile
// and afterwards is there, or came back.
func TestChurnOnPostgres(t *testing.T) {
	t.Parallel()
	w := open(t, window, database(t))
	w.prefer()
	w.rounds(crashes, cut, both)
}

// cutsDatabase has the database end all connections of the server.
func (w *world) cutsDatabase() error {
	_, err := w.psql("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'sallyport'")
	return err
}

// waiting is what waits in the database for those who are not there, empty on SQLite.
func (w *world) waiting() string {
	if w.store == nil {
		return ""
	}
	all, err := w.psql("SELECT convert_from(stanza, 'UTF8') FROM offline_messages")
	if err != nil {
		w.book.fault("%v", err)
	}
	return all
}

func (w *world) psql(query string) (string, error) {
	ctx, cancel := context.WithTimeout(w.t.Context(), scenario.Patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, "psql", w.store.DSN(""), "-Atc", query).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("psql: %w: %s", err, out)
	}
	return string(out), nil
}

// moves moves the accounts from SQLite to a database, by a backup of the one into the other; nothing runs yet.
func (w *world) moves(c *postgres.Cluster) {
	w.t.Helper()
	moved := filepath.Join(w.home.Dir, "moved.backup")
	for _, step := range []func() error{
		func() error { _, err := w.home.Command("store", "backup", moved); return err },
		func() error { return w.home.Add(fmt.Sprintf("\n[server.store]\npostgres = %q\n", c.DSN(""))) },
		func() error { _, err := w.home.Command("store", "restore", moved); return err },
	} {
		if err := step(); err != nil {
			w.t.Fatal(err)
		}
	}
}
