package store

import (
	"bufio"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"strings"
)

// A backup is text, one JSON value a line, the same from either database: a header, for each table a line with its
// columns and one for each row by its key, and a trailer with a digest of all before it. It can be read without this
// program, and restored into either database.
const (
	backupName   = "sallyport server store"
	backupFormat = 1
	// maxLine bounds a line: larger than the largest stanza that is kept, in base64.
	maxLine = 32 << 20
	// liveTable has what somebody logs in with as it stands there: a backup has its columns and no rows, and clients log in with
	// their passwords once after it was restored.
	liveTable = "tokens"
)

// header is the first line.
type header struct {
	Name   string `json:"backup"`
	Format int    `json:"format"`
	Schema int    `json:"schema"` // version
}

// tableLine begins the rows of a table.
type tableLine struct {
	Table   string   `json:"table"`
	Columns []string `json:"columns"`
}

// trailer is the last line.
type trailer struct {
	Rows   int64  `json:"rows"`
	SHA256 string `json:"sha256"` // of all lines before this one
}

// blob is how bytes are written, to tell them from text.
type blob struct {
	Base64 string `json:"base64"`
}

// Backup writes all that the store holds at one moment but tokens, while it is used. What it writes holds what passwords can be
// guessed from. It gives the number of rows.
func (s *Store) Backup(ctx context.Context, w io.Writer) (int64, error) {
	if err := s.alive(); err != nil {
		return 0, err
	}
	t, err := s.reader.BeginTx(ctx, &s.dialect.snapshot)
	if err != nil {
		return 0, fmt.Errorf("back up: %w", s.judge(err))
	}
	defer func() { _ = t.Rollback() }() // it has only read
	b := &backup{out: bufio.NewWriter(w), sum: sha256.New()}
	if err := b.all(ctx, t); err != nil {
		return 0, fmt.Errorf("back up: %w", s.judge(err))
	}
	return b.rows, nil
}

// backup is one that is being written.
type backup struct {
	out  *bufio.Writer
	sum  hash.Hash
	rows int64
}

func (b *backup) all(ctx context.Context, t *sql.Tx) error {
	if err := b.line(header{backupName, backupFormat, len(migrations)}); err != nil {
		return err
	}
	for _, tab := range tables {
		if err := b.line(tableLine{tab.name, tab.columns}); err != nil {
			return err
		}
		if tab.name == liveTable {
			continue
		}
		if err := b.table(ctx, t, tab); err != nil {
			return fmt.Errorf("table %s: %w", tab.name, err)
		}
	}
	if err := b.line(trailer{b.rows, hex.EncodeToString(b.sum.Sum(nil))}); err != nil {
		return err
	}
	return b.out.Flush()
}

func (b *backup) table(ctx context.Context, t *sql.Tx, tab table) error {
	rows, err := t.QueryContext(ctx, "SELECT "+strings.Join(tab.columns, ", ")+" FROM "+tab.name+" ORDER BY "+strings.Join(tab.columns[:tab.key], ", "))
	if err != nil {
		return err
	}
	defer rows.Close()
	values, places := make([]any, len(tab.columns)), make([]any, len(tab.columns))
	for i := range values {
		places[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(places...); err != nil {
			return err
		}
		for i, v := range values {
			if raw, ok := v.([]byte); ok {
				values[i] = blob{base64.StdEncoding.EncodeToString(raw)}
			}
		}
		if err := b.line(values); err != nil {
			return err
		}
		b.rows++
	}
	return rows.Err()
}

func (b *backup) line(v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if len(text) >= maxLine {
		return fmt.Errorf("a row of %d bytes is larger than a backup takes", len(text))
	}
	text = append(text, '\n')
	b.sum.Write(text)
	_, err = b.out.Write(text)
	return err
}
