package store

import (
	"context"
	"database/sql"
	"fmt"

	"sallyport/internal/xmpp/jid"
	"sallyport/server/search"
)

var _ search.Store = (*Store)(nil)

// PutPerson is search.Store.
func (s *Store) PutPerson(ctx context.Context, p search.Person, keys [search.NumFields]string) error {
	return s.change(ctx, func(t *tx) error {
		if _, err := t.exec(`DELETE FROM people WHERE domain = $1 AND local = $2`, p.JID.Domain(), p.JID.Local()); err != nil {
			return err
		}
		if p.Fields == [search.NumFields]string{} {
			return nil
		}
		args := []any{p.JID.Domain(), p.JID.Local()}
		for f := range p.Fields {
			args = append(args, p.Fields[f], keys[f])
		}
		_, err := t.exec(`INSERT INTO people (domain, local, first, first_key, last, last_key, nick, nick_key, email, email_key)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`, args...)
		return orNotFound(err)
	})
}

// FindPeople is search.Store.
func (s *Store) FindPeople(ctx context.Context, domain string, keys [search.NumFields]string, limit int) ([]search.Person, error) {
	args := []any{domain, int64(max(limit, 0))}
	for _, k := range keys {
		args = append(args, k, k+"\U0010FFFF") // behind everything that begins with it, byte by byte
	}
	var found []search.Person
	err := s.read(ctx, `SELECT local, first, last, nick, email FROM people WHERE domain = $1 AND first_key >= $3 AND first_key < $4
			AND last_key >= $5 AND last_key < $6 AND nick_key >= $7 AND nick_key < $8 AND email_key >= $9 AND email_key < $10
		ORDER BY local LIMIT $2`, args, func(r *sql.Rows) error {
		var p search.Person
		var local string
		if err := r.Scan(&local, &p.Fields[search.First], &p.Fields[search.Last], &p.Fields[search.Nick], &p.Fields[search.Email]); err != nil {
			return err
		}
		var err error
		if p.JID, err = jid.New(local, domain, ""); err != nil {
			return fmt.Errorf("a stored person: %w", err)
		}
		found = append(found, p)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}
