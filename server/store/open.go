package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"sallyport/server/account"
)

// Options say which database is opened.
type Options struct {
	// DSN is "sqlite:PATH", or a "postgres://" address without a password.
	DSN string
	// Password for PostgreSQL, if it asks for one.
	Password string
	// Alone: nobody else may open the store alone until Close (ErrServed). Whoever answers people from it, or changes it in a way that who
	// does would not see, opens it so.
	Alone bool
	// Existing: only a store that is there already is opened (ErrNone). Whoever only reads has no reason to make one, which might even
	// belong to the wrong user.
	Existing bool
}

// Store is an open database. All methods are safe for concurrent use.
type Store struct {
	dialect  *dialect
	path     string  // SQLite
	writer   *sql.DB // SQLite: one connection
	reader   *sql.DB
	failure  atomic.Pointer[error]     // what stopped the store
	hindered atomic.Pointer[hindrance] // what hindered it last
	group    together
	often    map[string]*sql.Stmt // by text, for writer; nil on PostgreSQL
	alone    alone                // zero where it is opened beside others

	mu       sync.Mutex
	prepared map[string]*sql.Stmt // by text, for reader; nil when closed
}

var _ account.Store = (*Store)(nil)

// Open opens the database, creates it where that is possible, checks it and brings its schema forward. Whoever opens
// a store closes it.
func Open(ctx context.Context, o Options) (*Store, error) {
	s, err := connect(ctx, o)
	if err != nil {
		return nil, err
	}
	if err := s.mayMigrate(ctx, o); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if err := s.migrate(ctx, len(migrations)); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if err := s.prepareOften(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// connect opens without looking at the schema.
func connect(ctx context.Context, o Options) (*Store, error) {
	kind, rest, _ := strings.Cut(o.DSN, ":")
	switch kind {
	case "sqlite":
		return openSQLite(ctx, rest, o)
	case "postgres", "postgresql":
		return openPostgres(ctx, o)
	}
	// The address may have a password in it, so it is not shown.
	return nil, errors.New(`open the store: the address must begin with "sqlite:" or "postgres://"`)
}

// Close ends all connections. What was returned as done stays done.
func (s *Store) Close() error {
	s.mu.Lock()
	for _, p := range s.prepared {
		_ = p.Close() // the connections below go anyway
	}
	s.prepared = nil
	s.mu.Unlock()
	for _, p := range s.often {
		_ = p.Close()
	}
	if s.alone.conn != nil {
		_ = s.alone.end() // a pool waits for who has a connection of it
	}
	err := s.reader.Close()
	if s.writer != s.reader {
		err = errors.Join(err, s.writer.Close())
	}
	err = errors.Join(err, s.alone.end())
	if err != nil {
		return fmt.Errorf("close the store: %w", err)
	}
	return nil
}

// Kind is "sqlite" or "postgres".
func (s *Store) Kind() string { return s.dialect.name }
