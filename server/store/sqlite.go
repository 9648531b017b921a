package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	_ "modernc.org/sqlite" // registers the driver "sqlite"
)

const (
	// busyTime is how long a change waits for another process.
	busyTime = 5 * time.Second
	// busyAgain is how often the first connection is tried in that time.
	busyAgain = 20 * time.Millisecond
	// quickCheckBytes is the largest file that Open checks whole: a second of reading or so.
	quickCheckBytes = 256 << 20
	// readers bounds connections that read at the same time.
	maxReaders = 8
)

// damagedAdvice is what is left to do with a file that is not what was written. Nothing repairs it: nobody would know what is missing.
const damagedAdvice = "if the disk is sound, the file is damaged: move it away with those beside it (-wal, -shm), and fill a new one " +
	"from the last backup with sallyport store restore FILE"

func openSQLite(ctx context.Context, path string, o Options) (_ *Store, err error) {
	if _, err := os.Stat(path); o.Existing && errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open the store %s: %w", path, ErrNone)
	}
	if err := prepareFile(path); err != nil {
		return nil, fmt.Errorf("open the store: %w", err)
	}
	s := &Store{dialect: sqliteDialect, path: path, prepared: make(map[string]*sql.Stmt)}
	if o.Alone {
		if s.alone.file, err = lockFile(path); err != nil {
			return nil, fmt.Errorf("open the store %s: %w", path, err)
		}
	}
	if s.writer, err = sql.Open("sqlite", sqliteURL(path, "immediate")); err != nil {
		return nil, errors.Join(fmt.Errorf("open the store %s: %w", path, err), s.alone.end())
	}
	s.writer.SetMaxOpenConns(1)
	s.writer.SetMaxIdleConns(1)
	if s.reader, err = sql.Open("sqlite", sqliteURL(path, "deferred")+"&_query_only=1"); err != nil {
		return nil, errors.Join(fmt.Errorf("open the store %s: %w", path, err), s.writer.Close(), s.alone.end())
	}
	n := min(max(runtime.GOMAXPROCS(0), 2), maxReaders)
	s.reader.SetMaxOpenConns(n)
	s.reader.SetMaxIdleConns(n)
	if err := s.checkSQLite(ctx, path); err != nil {
		err = fmt.Errorf("open the store %s: %w", path, err)
		if errors.Is(err, ErrBroken) {
			err = fmt.Errorf("%w; %s", err, damagedAdvice)
		}
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// sqliteURL gives each connection its settings: synchronous=FULL makes a commit durable in the write-ahead log;
// foreign keys are off by default in SQLite; cell_size_check finds more damage when a page is read; a bounded journal gives
// its room back after a checkpoint.
func sqliteURL(path, lock string) string {
	q := url.Values{
		"_busy_timeout": {strconv.FormatInt(busyTime.Milliseconds(), 10)},
		"_journal_mode": {"WAL"}, "_synchronous": {"FULL"}, "_foreign_keys": {"1"}, "_txlock": {lock},
		"_pragma": {"cell_size_check(1)", "trusted_schema(0)", "journal_size_limit(67108864)"},
	}
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: q.Encode()}).String()
}

// prepareFile creates the file, and the last directory above it, with the right mode, which SQLite then gives to its logs, and refuses one that others can read.
func prepareFile(path string) error {
	if path == "" {
		return errors.New(`no path behind "sqlite:"`)
	}
	if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a file", path)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("others can read %s, which holds what passwords can be guessed from: chmod 600 it", path)
	}
	if info.Size() > 0 {
		return nil
	}
	return syncDir(filepath.Dir(path))
}

// syncDir makes a new name durable.
func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// checkSQLite proves that the settings hold, and that the file is whole.
func (s *Store) checkSQLite(ctx context.Context, path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	mode, err := s.journalMode(ctx)
	if err != nil {
		return err
	}
	if mode != "wal" {
		return fmt.Errorf("the journal is in mode %q, not wal: the file system may not support it", mode)
	}
	if info.Size() > quickCheckBytes {
		return nil
	}
	return s.Check(ctx, Quick)
}

// journalMode opens the first connection. Who makes a file use the write-ahead log while another process opens or closes it is told that it
// is busy at once, without the wait that everything else has, and asks again.
func (s *Store) journalMode(ctx context.Context) (mode string, err error) {
	ctx, cancel := context.WithTimeout(ctx, busyTime)
	defer cancel()
	again := time.NewTicker(busyAgain)
	defer again.Stop()
	for {
		err := s.judge(s.writer.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode))
		if !errors.Is(err, ErrBusy) {
			return mode, err
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return "", err
		}
	}
}
