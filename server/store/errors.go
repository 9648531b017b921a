package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"sallyport/server/account"
)

// What can be wrong with a store. doc.go says what holds after each.
var (
	ErrFull   = account.ErrNoRoom
	ErrBusy   = errors.New("the store is busy with the changes of others")
	ErrBroken = errors.New("the store has failed and must be opened again")
	// ErrNone: nothing has been kept yet.
	ErrNone = errors.New("there is no store yet; it is made when the server starts, or with the first account")
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
	if away(err) {
		err = notReached(err)
		s.hindered.Store(&hindrance{time.Now(), err})
	}
	switch classify(err) {
	case full:
		err = fmt.Errorf("%w (%w)", ErrFull, err)
		s.hindered.Store(&hindrance{time.Now(), err})
		return err
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

// hindrance is what kept the store from doing something.
type hindrance struct {
	at  time.Time
	err error
}

// Hindered is the last thing that kept the store from doing something though it has not failed, nil where that is longer ago: the disk
// was full, or the database could not be reached. Both end by themselves.
func (s *Store) Hindered(within time.Duration) error {
	if h := s.hindered.Load(); h != nil && time.Since(h.at) < within {
		return h.err
	}
	return nil
}

// away reports that the database could not be reached, or ended (PostgreSQL's class 57P).
func away(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return strings.HasPrefix(pg.Code, "57P")
	}
	return errors.As(err, new(*pgconn.ConnectError)) || errors.As(err, new(*net.OpError)) || errors.Is(err, io.ErrUnexpectedEOF)
}

// alive gives the error that stopped the store.
func (s *Store) alive() error {
	if p := s.failure.Load(); p != nil {
		return *p
	}
	return nil
}
