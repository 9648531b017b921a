package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// attempts bounds how often a change is done again that PostgreSQL undid because of others.
const attempts = 5

// tx is one transaction.
type tx struct {
	ctx context.Context //nolint:containedctx // it lives exactly as long as the call that the context came with
	*within
}

// within is the transaction of one or several changes.
type within struct {
	sql      *sql.Tx
	prepared map[string]*sql.Stmt // on writer
	ready    map[string]*sql.Stmt // those of them that are used here
}

func (s *Store) within(t *sql.Tx) *within {
	return &within{sql: t, prepared: s.often, ready: make(map[string]*sql.Stmt)}
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
	if err := do(&tx{ctx, s.within(t)}); err != nil {
		if rerr := t.Rollback(); rerr != nil && !errors.Is(rerr, sql.ErrTxDone) {
			return errors.Join(err, rerr)
		}
		return err
	}
	return t.Commit()
}

// exec runs one statement and tells how many rows it changed.
func (t *tx) exec(query string, args ...any) (int64, error) {
	var r sql.Result
	var err error
	if p := t.statement(query); p != nil {
		r, err = p.ExecContext(t.ctx, args...)
	} else {
		r, err = t.sql.ExecContext(t.ctx, query, args...)
	}
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// row reads one row within the transaction.
func (t *tx) row(query string, args []any, dest ...any) error {
	if p := t.statement(query); p != nil {
		return p.QueryRowContext(t.ctx, args...).Scan(dest...)
	}
	return t.sql.QueryRowContext(t.ctx, query, args...).Scan(dest...)
}

// statement is the prepared one of a text, nil where there is none.
func (w *within) statement(query string) *sql.Stmt {
	p := w.ready[query]
	if p == nil && w.prepared[query] != nil {
		p = w.sql.Stmt(w.prepared[query])
		w.ready[query] = p
	}
	return p
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

// oftenChanged are the texts of changes that come with every message.
var oftenChanged = [...]string{lockArchive, appendEntry, lastOfArchive, savepoint, rollbackTo, release}

// prepareOften prepares them on SQLite. Others are not: reading their text is little beside the fsync. pgx prepares by itself.
func (s *Store) prepareOften(ctx context.Context) error {
	if s.dialect != sqliteDialect {
		return nil
	}
	s.often = make(map[string]*sql.Stmt, len(oftenChanged))
	for _, query := range oftenChanged {
		p, err := s.writer.PrepareContext(ctx, query)
		if err != nil {
			return fmt.Errorf("prepare a statement: %w", s.judge(err))
		}
		s.often[query] = p
	}
	return nil
}

// stmt prepares a statement for reading once. Queries are constants of this package, so there are few.
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
