package store

import (
	"context"
	"fmt"
)

// applicationID marks a file as ours in its header, as file(1) and SQLite's documentation have it: "SALY".
const applicationID = 0x53414C59

// migrate brings the schema to version to, one migration at a time.
func (s *Store) migrate(ctx context.Context, to int) error {
	for {
		var at int
		err := s.change(ctx, func(t *tx) (err error) {
			at, err = s.step(t, to)
			return err
		})
		if err != nil {
			return fmt.Errorf("bring the store from version %d forward: %w", at, err)
		}
		if at >= to {
			return nil
		}
	}
}

// step applies the next migration, if there is one, and gives the version that is reached. It holds a lock, so two
// processes that start together do not migrate twice.
func (s *Store) step(t *tx, to int) (at int, err error) {
	if s.dialect.lock != "" {
		if _, err := t.exec(s.dialect.lock); err != nil {
			return 0, err
		}
	}
	if at, err = s.version(t); err != nil {
		return 0, err
	}
	if at > len(migrations) {
		return at, fmt.Errorf("%w: it has version %d, this release knows %d", ErrNewer, at, len(migrations))
	}
	if at >= to {
		return at, nil
	}
	for _, text := range migrations[at] {
		if _, err := t.exec(s.dialect.types.Replace(text)); err != nil {
			return at, err
		}
	}
	_, err = t.exec("UPDATE sallyport_schema SET version = $1", at+1)
	return at + 1, err
}

// version reads the version of the schema. An empty database gets version 0; one with tables of somebody else is refused.
func (s *Store) version(t *tx) (int, error) {
	var there int
	if err := t.row(s.dialect.versioned, nil, &there); err != nil {
		return 0, err
	}
	if there == 0 {
		if err := s.claim(t); err != nil {
			return 0, err
		}
	}
	var at int
	err := t.row("SELECT version FROM sallyport_schema", nil, &at)
	return at, err
}

// claim makes an empty database ours.
func (s *Store) claim(t *tx) error {
	var others int
	if err := t.row(s.dialect.strangers, nil, &others); err != nil {
		return err
	}
	if others > 0 {
		return fmt.Errorf("there are %d tables in it, which are not of sallyport", others)
	}
	if s.dialect == sqliteDialect {
		if _, err := t.exec(fmt.Sprintf("PRAGMA application_id = %d", applicationID)); err != nil {
			return err
		}
	}
	if _, err := t.exec(s.dialect.types.Replace("CREATE TABLE sallyport_schema (one {int} NOT NULL PRIMARY KEY, version {int} NOT NULL){table}")); err != nil {
		return err
	}
	_, err := t.exec("INSERT INTO sallyport_schema VALUES (1, 0)")
	return err
}
