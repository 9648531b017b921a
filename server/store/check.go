package store

import (
	"context"
	"fmt"
	"strings"
)

// Depth is how closely a check looks.
type Depth uint8

// The depths of a check.
const (
	// Quick reads every page and looks at its structure.
	Quick Depth = iota
	// Whole also holds every index against its table, and every reference against what it names.
	Whole
)

// maxFindings bounds what a check tells.
const maxFindings = 10

// Check looks for damage. It returns ErrBroken with what it found, and the store is of no use any more then.
// On PostgreSQL it reads every table whole, which finds pages that cannot be read or whose checksum is wrong.
func (s *Store) Check(ctx context.Context, d Depth) error {
	if err := s.alive(); err != nil {
		return err
	}
	var statements []string
	switch {
	case s.dialect == postgresDialect:
		for _, t := range tables {
			// The text of a row takes all of it, long values that are kept elsewhere too.
			statements = append(statements, "SELECT 'ok' WHERE (SELECT coalesce(sum(length(r::text)), 0) FROM "+t.name+" AS r) >= 0")
		}
	case d == Whole:
		statements = []string{
			fmt.Sprintf("PRAGMA integrity_check(%d)", maxFindings),
			fmt.Sprintf("SELECT 'row of ' || \"table\" || ' refers to nothing in ' || parent FROM pragma_foreign_key_check LIMIT %d", maxFindings),
		}
	default:
		statements = []string{fmt.Sprintf("PRAGMA quick_check(%d)", maxFindings)}
	}
	var found []string
	for _, q := range statements {
		lines, err := s.findings(ctx, q)
		if err != nil {
			return fmt.Errorf("check the store: %w", s.judge(err))
		}
		found = append(found, lines...)
	}
	if len(found) == 0 {
		return nil
	}
	err := fmt.Errorf("%w: it is damaged: %s", ErrBroken, strings.Join(found, "; "))
	s.failure.CompareAndSwap(nil, &err)
	return err
}

// findings gives the lines of a check that are not "ok".
func (s *Store) findings(ctx context.Context, query string) ([]string, error) {
	rows, err := s.reader.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var found []string
	for rows.Next() && len(found) < maxFindings {
		var line string
		if err := rows.Scan(&line); err != nil {
			return nil, err
		}
		if line != "ok" {
			found = append(found, line)
		}
	}
	return found, rows.Err()
}
