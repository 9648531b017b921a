package store

import (
	"context"
	"database/sql"
	"errors"
)

// attempts bounds how often a change is done again that PostgreSQL undid because of others.
const attempts = 5

// tx is one transaction.
type tx struct {
	ctx context.Context //nolint:containedctx // it lives exactly as long as the call that the context came with
	sql *sql.Tx
}

// change runs do in a transaction that writes, again if the database undid it because of others. The errors of do come
// back as they are, those of the database judged.
func (s *Store) change(ctx context.Context, do func(*tx) error) error {
	if s.dialect == sqliteDialect {
		return s.judge(s.changeTogether(ctx, do))
	}
	for i := 1; ; i++ {
		err := s.changeOnce(ctx, do)
		if i == attempts || classify(err) != again {
			return s.judge(err)
		}
	}
}

func (s *Store) changeOnce(ctx context.Context, do func(*tx) error) error {
	if err := s.alive(); err != nil {
		return err
	}
	t, err := s.writer.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := do(&tx{ctx, t}); err != nil {
		if rerr := t.Rollback(); rerr != nil && !errors.Is(rerr, sql.ErrTxDone) {
			return errors.Join(err, rerr)
		}
		return err
	}
	return t.Commit()
}

// exec runs one statement and tells how many rows it changed.
func (t *tx) exec(query string, args ...any) (int64, error) {
	r, err := t.sql.ExecContext(t.ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// row reads one row within the transaction.
func (t *tx) row(query string, args []any, dest ...any) error {
	return t.sql.QueryRowContext(t.ctx, query, args...).Scan(dest...)
}

// read gives each row to scan.
func (s *Store) read(ctx context.Context, query string, args []any, scan func(*sql.Rows) error) error {
	if err := s.alive(); err != nil {
		return err
	}
	stmt, err := s.stmt(ctx, query)
	if err != nil {
		return s.judge(err)
	}
	rows, err := stmt.QueryContext(ctx, args...)
	if err != nil {
		return s.judge(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return s.judge(err)
		}
	}
	return s.judge(rows.Err())
}

// stmt prepares a statement for reading once. Queries are constants of this package, so there are few. Changes are not
// prepared on SQLite: reading their text is little beside the fsync, and the one connection is taken. pgx prepares by itself.
func (s *Store) stmt(ctx context.Context, query string) (*sql.Stmt, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.prepared[query]; p != nil {
		return p, nil
	}
	if s.prepared == nil {
		return nil, sql.ErrConnDone
	}
	p, err := s.reader.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	s.prepared[query] = p
	return p, nil
}
