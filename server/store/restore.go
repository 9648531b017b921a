package store

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"regexp"
	"strings"
)

// ErrBackup: what should be restored is not a whole backup; what wraps it says why.
var ErrBackup = errors.New("this is not a whole backup")

// nameForm is what tables and columns are called: they stand in statements.
var nameForm = regexp.MustCompile(`^[a-z][a-z_]{0,62}$`)

// Restore fills an empty database with a backup, of this release or an older one, and brings it forward. All of it is
// there when it returns without error, and nothing but an empty store otherwise. It gives the number of rows.
func Restore(ctx context.Context, o Options, r io.Reader) (rows int64, err error) {
	in := &restore{in: bufio.NewReaderSize(r, 1<<20), sum: sha256.New()}
	head, err := in.header()
	if err != nil {
		return 0, fmt.Errorf("restore: %w", err)
	}
	o.Alone = true
	s, err := connect(ctx, o)
	if err != nil {
		return 0, fmt.Errorf("restore: %w", err)
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.migrate(ctx, head.Schema); err != nil {
		return 0, fmt.Errorf("restore: %w", err)
	}
	err = s.change(ctx, func(t *tx) error {
		if err := s.mustBeEmpty(t, head.Schema); err != nil {
			return err
		}
		return in.rowsInto(t)
	})
	if err != nil {
		return 0, fmt.Errorf("restore: %w", err)
	}
	return in.rows, s.migrate(ctx, len(migrations))
}

// emptyAdvice is how a store becomes empty.
const emptyAdvice = "move its file away with those beside it (-wal, -shm), or name a new database in server.store, and restore before anything else"

// mustBeEmpty refuses a store that holds something, or has another version than the backup.
func (s *Store) mustBeEmpty(t *tx, schema int) error {
	at, err := s.version(t)
	if err != nil {
		return err
	}
	if at != schema {
		return fmt.Errorf("the store has been opened by a newer release than the backup is of (version %d, the backup has %d): %s", at, schema, emptyAdvice)
	}
	var n int
	if err := t.row("SELECT count(*) FROM domains", nil, &n); err != nil {
		return err
	}
	if n > 0 {
		return fmt.Errorf("the store is not empty: %s", emptyAdvice)
	}
	return nil
}

// restore is a backup that is being read.
type restore struct {
	in     *bufio.Reader
	sum    hash.Hash
	number int // of the line
	rows   int64
	insert string // into the table that rows belong to
	width  int    // columns of it
}

func (r *restore) header() (header, error) {
	var h header
	line, err := r.next()
	if err != nil {
		return h, err
	}
	if err := strictly(line, &h); err != nil || h.Name != backupName {
		return h, fmt.Errorf("%w: it does not begin as one", ErrBackup)
	}
	if h.Format != backupFormat || h.Schema < 1 || h.Schema > len(migrations) {
		return h, fmt.Errorf("%w: it is in format %d with version %d", ErrNewer, h.Format, h.Schema)
	}
	r.sum.Write(line)
	return h, nil
}

// next reads a line with its end.
func (r *restore) next() ([]byte, error) {
	r.number++
	var line []byte
	for {
		part, err := r.in.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case err == nil:
			return line, nil
		case len(line) > maxLine:
			return nil, fmt.Errorf("%w: line %d is too long", ErrBackup, r.number)
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF):
			return nil, fmt.Errorf("%w: it ends in line %d", ErrBackup, r.number)
		default:
			return nil, fmt.Errorf("line %d: %w", r.number, err)
		}
	}
}

// rowsInto writes all rows and checks that the backup was whole.
func (r *restore) rowsInto(t *tx) error {
	for {
		line, err := r.next()
		if err != nil {
			return err
		}
		var end trailer
		switch {
		case line[0] == '[':
			err = r.row(t, line)
		case bytes.HasPrefix(line, []byte(`{"table":`)):
			err = r.table(line)
		case strictly(line, &end) == nil && end.SHA256 != "":
			return r.whole(end)
		default:
			err = errors.New("is nothing that belongs here")
		}
		if err != nil {
			return fmt.Errorf("%w: line %d: %w", ErrBackup, r.number, err)
		}
		r.sum.Write(line)
	}
}

func (r *restore) whole(end trailer) error {
	if end.SHA256 != hex.EncodeToString(r.sum.Sum(nil)) || end.Rows != r.rows {
		return fmt.Errorf("%w: its digest is another one: it was damaged or changed", ErrBackup)
	}
	if _, err := r.in.ReadByte(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: something follows its end", ErrBackup)
	}
	return nil
}

func (r *restore) table(line []byte) error {
	var t tableLine
	if err := strictly(line, &t); err != nil {
		return err
	}
	places := make([]string, len(t.Columns))
	for i, name := range append([]string{t.Table}, t.Columns...) {
		if !nameForm.MatchString(name) {
			return fmt.Errorf("%q is not the name of a table or column", name)
		}
		if i > 0 {
			places[i-1] = fmt.Sprintf("$%d", i)
		}
	}
	r.insert = "INSERT INTO " + t.Table + " (" + strings.Join(t.Columns, ", ") + ") VALUES (" + strings.Join(places, ", ") + ")"
	r.width = len(t.Columns)
	return nil
}

func (r *restore) row(t *tx, line []byte) error {
	var raw []json.RawMessage
	if err := json.Unmarshal(line, &raw); err != nil {
		return err
	}
	if len(raw) != r.width {
		return fmt.Errorf("a row of %d values for %d columns", len(raw), r.width)
	}
	values := make([]any, len(raw))
	for i, text := range raw {
		var err error
		if values[i], err = value(text); err != nil {
			return err
		}
	}
	r.rows++
	_, err := t.exec(r.insert, values...)
	return err
}

// value reads a number, a text, bytes or null.
func value(text json.RawMessage) (any, error) {
	switch text[0] {
	case '"':
		var s string
		err := json.Unmarshal(text, &s)
		return s, err
	case '{':
		var b blob
		if err := strictly(text, &b); err != nil {
			return nil, err
		}
		return base64.StdEncoding.Strict().DecodeString(b.Base64)
	case 'n':
		return sql.NullString{}, nil
	}
	var n int64
	err := json.Unmarshal(text, &n)
	return n, err
}

// strictly decodes one value without keys that it does not have.
func strictly(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	return d.Decode(into)
}
