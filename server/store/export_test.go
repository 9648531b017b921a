package store

import (
	"context"
	"database/sql"
	"testing"
)

// Versions is the number of migrations.
const Versions = len(migrations)

// OpenAt opens a store whose schema goes no further than a version.
func OpenAt(ctx context.Context, o Options, version int) (*Store, error) {
	s, err := connect(ctx, o)
	if err != nil {
		return nil, err
	}
	return s, s.migrate(ctx, version)
}

// Migrations gives the text of every migration.
func Migrations() [][]string { return migrations[:] }

// Tables names all tables that are backed up.
func Tables() map[string][]string {
	all := make(map[string][]string)
	for _, t := range tables {
		all[t.name] = t.columns
	}
	return all
}

// ExecSQLite runs a statement on a file beside the store.
func ExecSQLite(t *testing.T, path, text string) {
	t.Helper()
	if err := prepareFile(path); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", sqliteURL(path, "immediate"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(text); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}
