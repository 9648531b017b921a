package store

import (
	"context"
	"database/sql"

	"sallyport/internal/xmpp/jid"
	"sallyport/server/blocking"
)

var _ blocking.Store = (*Store)(nil)

// Blocked is blocking.Store.
func (s *Store) Blocked(ctx context.Context, owner jid.JID) ([]jid.JID, error) {
	var list []jid.JID
	err := s.read(ctx, `SELECT who FROM blocked WHERE domain = $1 AND local = $2 ORDER BY who LIMIT $3`,
		[]any{owner.Domain(), owner.Local(), int64(blocking.MaxBlocked)}, func(r *sql.Rows) error {
			j, err := scanJID(r)
			list = append(list, j)
			return err
		})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// scanJID reads a row of one address.
func scanJID(r *sql.Rows) (jid.JID, error) {
	var text string
	if err := r.Scan(&text); err != nil {
		return jid.JID{}, err
	}
	return jid.Parse(text)
}

// Block is blocking.Store.
func (s *Store) Block(ctx context.Context, owner jid.JID, who []jid.JID) error {
	return s.change(ctx, func(t *tx) error {
		for _, j := range who {
			if _, err := t.exec(`INSERT INTO blocked (domain, local, who) VALUES ($1, $2, $3) ON CONFLICT (domain, local, who) DO NOTHING`,
				owner.Domain(), owner.Local(), j.String()); err != nil {
				return orNotFound(err)
			}
		}
		var n int
		if err := t.row(`SELECT count(*) FROM blocked WHERE domain = $1 AND local = $2`, []any{owner.Domain(), owner.Local()}, &n); err != nil {
			return err
		}
		if n > blocking.MaxBlocked {
			return blocking.ErrFull
		}
		return nil
	})
}

// Unblock is blocking.Store.
func (s *Store) Unblock(ctx context.Context, owner jid.JID, who []jid.JID) error {
	return s.change(ctx, func(t *tx) error {
		if len(who) == 0 {
			_, err := t.exec(`DELETE FROM blocked WHERE domain = $1 AND local = $2`, owner.Domain(), owner.Local())
			return err
		}
		for _, j := range who {
			if _, err := t.exec(`DELETE FROM blocked WHERE domain = $1 AND local = $2 AND who = $3`, owner.Domain(), owner.Local(), j.String()); err != nil {
				return err
			}
		}
		return nil
	})
}
