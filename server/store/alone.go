package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"
)

// ErrServed: who opens a store alone is not alone.
var ErrServed = errors.New("another process serves people from this store, or changes it: stop that, or name another store")

const (
	// aloneKey is ours among the advisory locks of PostgreSQL; the second key is the schema.
	aloneKey = 522252695
	// ghostTime is how long PostgreSQL may take to notice that a process has ended.
	ghostTime = 2 * time.Second
	ghostStep = 100 * time.Millisecond
)

// alone is a lock on everything in a store. On SQLite it is one on the file, which ends with the process. On PostgreSQL it ends with the
// session that took it.
type alone struct {
	file io.Closer // SQLite
	conn *sql.Conn // PostgreSQL; nil while it is lost
	pid  int64     // of the session that has or had it
}

// lockFile locks the database itself, so that it does not matter by which name others open it. SQLite's own locks are of another kind
// (fcntl), and end when the process closes any descriptor of the file: this one is opened before all others and closed behind them.
func lockFile(path string) (io.Closer, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = ErrServed
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// lockPostgres takes the lock in a session of its own. Where the session before it has not ended yet, it waits for that.
func (s *Store) lockPostgres(ctx context.Context) error {
	for until := time.Now().Add(ghostTime); ; {
		err := s.tryLock(ctx)
		if err == nil || !errors.Is(err, ErrServed) || time.Now().After(until) {
			return err
		}
		select {
		case <-time.After(ghostStep):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// tryLock takes the lock if nobody has it. Whether a session has ended is asked of the system now and then: a machine that has vanished
// would keep the lock for hours.
func (s *Store) tryLock(ctx context.Context) error {
	conn, err := s.writer.Conn(ctx)
	if err != nil {
		return s.judge(err)
	}
	var got bool
	var pid int64
	err = conn.QueryRowContext(ctx, `SELECT pg_try_advisory_lock($1, hashtext(current_schema())), pg_backend_pid(),
		set_config('tcp_keepalives_idle', '30', false), set_config('tcp_keepalives_interval', '10', false)`, aloneKey).
		Scan(&got, &pid, new(string), new(string))
	if err != nil || !got {
		drop(conn)
		if err == nil {
			err = ErrServed
		}
		return s.judge(err)
	}
	s.alone.conn, s.alone.pid = conn, pid
	return nil
}

// mayMigrate refuses to bring a store forward below a node of an older release that runs: it would not know its tables any more.
func (s *Store) mayMigrate(ctx context.Context, o Options) error {
	for until := time.Now().Add(ghostTime); ; {
		at, err := s.reached(ctx)
		switch {
		case err != nil:
			return fmt.Errorf("open the store: %w", err)
		case at == 0 && o.Existing:
			return fmt.Errorf("open the store: %w", ErrNone)
		case at == 0, at >= len(migrations), o.Alone: // new, or not to be changed, or nobody else is there
			return nil
		}
		if s.path != "" {
			s.alone.file, err = lockFile(s.path) // until Close: see there
		} else {
			err = s.tryLock(ctx)
		}
		switch {
		case err == nil:
			return nil
		case !errors.Is(err, ErrServed):
			return fmt.Errorf("open the store: %w", err)
		case time.Now().After(until):
			return fmt.Errorf("the store is of an older release (version %d, this one has %d), and a node of that release runs: restart it. %w", at, len(migrations), err)
		}
		select { // somebody may be bringing it forward
		case <-time.After(ghostStep):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// reached is the version of the schema, 0 where there is none.
func (s *Store) reached(ctx context.Context) (at int, err error) {
	if err := s.reader.QueryRowContext(ctx, s.dialect.versioned).Scan(&at); err != nil || at == 0 {
		return 0, s.judge(err)
	}
	return at, s.judge(s.reader.QueryRowContext(ctx, "SELECT version FROM sallyport_schema").Scan(&at))
}

// drop ends a session instead of giving it back to others, who would have its lock.
func drop(conn *sql.Conn) {
	_ = conn.Raw(func(any) error { return driver.ErrBadConn }) // which ends it, and is what it returns
	_ = conn.Close()
}

// StillAlone looks whether a store that was opened alone is so still: PostgreSQL forgets it when the connection breaks, and another may
// have come meanwhile. Then the store fails (ErrBroken, ErrServed). While the database is away nothing is known, and nil returned. One
// goroutine calls it.
func (s *Store) StillAlone(ctx context.Context) error {
	a := &s.alone
	if a.pid == 0 || s.alive() != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	if a.conn != nil {
		if a.conn.PingContext(ctx) == nil {
			return nil
		}
		drop(a.conn)
		a.conn = nil
	}
	was := a.pid
	err := s.tryLock(ctx)
	if !errors.Is(err, ErrServed) {
		return nil
	}
	var holder int64
	if err := s.reader.QueryRowContext(ctx, `SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted
		AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
		AND classid = $1 AND objid = hashtext(current_schema())::oid`, aloneKey).Scan(&holder); err != nil || holder == was {
		return nil // it has gone at this moment, or is what is left of our own session
	}
	err = fmt.Errorf("%w: %w", ErrBroken, err)
	s.failure.CompareAndSwap(nil, &err)
	return err
}

// end lets others be alone.
func (a *alone) end() error {
	if a.conn != nil {
		drop(a.conn)
		a.conn = nil
	}
	if a.file != nil {
		return a.file.Close()
	}
	return nil
}
