package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// What can be wrong with a store. doc.go says what holds after each.
var (
	ErrFull   = errors.New("the disk of the store is full")
	ErrBusy   = errors.New("the store is busy with the changes of others")
	ErrBroken = errors.New("the store has failed and must be opened again")
	// ErrNewer: the schema was made by a later release.
	ErrNewer = errors.New("the store was made by a later release of sallyport")
)

// trouble is what an error of a driver means to us.
type trouble uint8

const (
	other trouble = iota
	full
	busy
	again  // nothing was changed, the same may work when it is tried at once
	broken // the disk cannot be believed any more
	unique
	foreign
)

// classify reads the error of a driver.
func classify(err error) trouble {
	var lite *sqlite.Error
	var pg *pgconn.PgError
	switch {
	case errors.As(err, &lite):
		return classifySQLite(lite.Code())
	case errors.As(err, &pg):
		return classifyPostgres(pg.Code)
	}
	return other
}

func classifySQLite(code int) trouble {
	switch code {
	case sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_UNIQUE:
		return unique
	case sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
		return foreign
	}
	switch code & 0xff { // the primary result code
	case sqlite3.SQLITE_FULL:
		return full
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return busy
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CANTOPEN:
		return broken
	}
	return other
}

// classifyPostgres knows the codes of PostgreSQL's appendix A.
func classifyPostgres(code string) trouble {
	switch code {
	case "23505":
		return unique
	case "23503":
		return foreign
	case "53100": // disk_full
		return full
	case "40001", "40P01": // serialization_failure, deadlock_detected
		return again
	case "55P03", "53300": // lock_not_available, too_many_connections
		return busy
	}
	if strings.HasPrefix(code, "58") || strings.HasPrefix(code, "XX") { // system error, internal error: data corrupted
		return broken
	}
	return other
}

// judge turns the error of a driver into one of ours, and stops the store when the disk has failed.
func (s *Store) judge(err error) error {
	if err == nil || errors.Is(err, sql.ErrNoRows) || errors.Is(err, context.Canceled) {
		return err
	}
	switch classify(err) {
	case full:
		return fmt.Errorf("%w (%w)", ErrFull, err)
	case busy:
		return fmt.Errorf("%w (%w)", ErrBusy, err)
	case broken:
		err = fmt.Errorf("%w: %w", ErrBroken, err)
		s.failure.CompareAndSwap(nil, &err)
		return err
	case other, again, unique, foreign:
	}
	return err
}

// Failed is why the store answers nothing any more (ErrBroken), nil while it does.
func (s *Store) Failed() error { return s.alive() }

// alive gives the error that stopped the store.
func (s *Store) alive() error {
	if p := s.failure.Load(); p != nil {
		return *p
	}
	return nil
}
