package store_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"sallyport/server/store"
	"sallyport/testbed/postgres"
)

// cluster is the one PostgreSQL of this package's tests; each test has a schema of its own.
var cluster *postgres.Cluster

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	if os.Getenv(childEnv) != "" {
		return child()
	}
	var err error
	if cluster, err = postgres.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	if err := cluster.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	return code
}

var schemas atomic.Int64

// place is an empty database.
type place struct {
	kind string
	dsn  string
}

// each runs a test once on each kind of database.
func each(t *testing.T, test func(*testing.T, place)) {
	t.Helper()
	for _, kind := range []string{"sqlite", "postgres"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			test(t, fresh(t, kind))
		})
	}
}

func fresh(t *testing.T, kind string) place {
	t.Helper()
	if kind == "sqlite" {
		return place{kind, "sqlite:" + filepath.Join(t.TempDir(), "server.db")}
	}
	schema := fmt.Sprintf("test%d", schemas.Add(1))
	p := place{kind, cluster.DSN(schema)}
	p.exec(t, "CREATE SCHEMA "+schema)
	return p
}

// exec runs a statement beside the store.
func (p place) exec(t *testing.T, text string) {
	t.Helper()
	ctx := context.Background()
	if path, ok := strings.CutPrefix(p.dsn, "sqlite:"); ok {
		store.ExecSQLite(t, path, text)
		return
	}
	c, err := pgx.Connect(ctx, p.dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(ctx)
	if _, err := c.Exec(ctx, text); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

// open opens the store and closes it with the test.
func (p place) open(t *testing.T) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{DSN: p.dsn})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// moment is a time that a store gives back as it was.
func moment(second int64) time.Time { return time.Unix(second, 1000).UTC() }
