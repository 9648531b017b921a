package store

import (
	"context"
	"database/sql"
	"fmt"

	"sallyport/internal/xmpp/jid"
	"sallyport/server/account"
	"sallyport/server/admin"
)

var _ admin.Store = (*Store)(nil)

// kindNote has what administration keeps of an account, by name.
const (
	kindNote = "admin"
	maxNotes = 8
)

// Setting is admin.Store.
func (s *Store) Setting(ctx context.Context, domain, name string) (content []byte, err error) {
	found := false
	err = s.read(ctx, `SELECT content FROM settings WHERE domain = $1 AND name = $2`, []any{domain, name}, func(r *sql.Rows) error {
		found = true
		return r.Scan(&content)
	})
	if err == nil && !found {
		err = account.ErrNotFound
	}
	return content, err
}

// PutSetting is admin.Store.
func (s *Store) PutSetting(ctx context.Context, domain, name string, content []byte) error {
	return s.change(ctx, func(t *tx) error {
		if content == nil {
			_, err := t.exec(`DELETE FROM settings WHERE domain = $1 AND name = $2`, domain, name)
			return err
		}
		_, err := t.exec(`INSERT INTO settings (domain, name, content) VALUES ($1, $2, $3)
			ON CONFLICT (domain, name) DO UPDATE SET content = excluded.content`, domain, name, content)
		return orNotFound(err)
	})
}

// Note is admin.Store.
func (s *Store) Note(ctx context.Context, owner jid.JID, name string) ([]byte, error) {
	return s.document(ctx, owner, kindNote, name)
}

// PutNote is admin.Store.
func (s *Store) PutNote(ctx context.Context, owner jid.JID, name string, content []byte) error {
	if content == nil {
		return s.change(ctx, func(t *tx) error {
			_, err := t.exec(`DELETE FROM documents WHERE domain = $1 AND local = $2 AND kind = $3 AND name = $4`,
				owner.Domain(), owner.Local(), kindNote, name)
			return err
		})
	}
	return s.putDocument(ctx, owner, kindNote, name, content, maxNotes, fmt.Errorf("more than %d notes about an account", maxNotes))
}

// Noted is admin.Store.
func (s *Store) Noted(ctx context.Context, domain, name string, limit int) (map[jid.JID][]byte, error) {
	found := make(map[jid.JID][]byte)
	err := s.read(ctx, `SELECT local, content FROM documents WHERE domain = $1 AND kind = $2 AND name = $3 ORDER BY local LIMIT $4`,
		[]any{domain, kindNote, name, int64(max(limit, 0))}, func(r *sql.Rows) error {
			var local string
			var content []byte
			if err := r.Scan(&local, &content); err != nil {
				return err
			}
			who, err := jid.New(local, domain, "")
			if err != nil {
				return fmt.Errorf("a stored account has a bad name: %w", err)
			}
			found[who] = content
			return nil
		})
	if err != nil {
		return nil, err
	}
	return found, nil
}
