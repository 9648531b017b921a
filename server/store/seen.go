package store

import (
	"context"
	"database/sql"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/server/account"
	"sallyport/server/entity"
)

var _ entity.Store = (*Store)(nil)

// PutSeen is entity.Store.
func (s *Store) PutSeen(ctx context.Context, owner jid.JID, seen entity.Seen) error {
	return s.change(ctx, func(t *tx) error {
		_, err := t.exec(`INSERT INTO last_seen (domain, local, at, status) VALUES ($1, $2, $3, $4)
			ON CONFLICT (domain, local) DO UPDATE SET at = excluded.at, status = excluded.status`,
			owner.Domain(), owner.Local(), seen.At.UnixMicro(), seen.Status)
		return orNotFound(err)
	})
}

// Seen is entity.Store.
func (s *Store) Seen(ctx context.Context, owner jid.JID) (seen entity.Seen, err error) {
	found := false
	err = s.read(ctx, `SELECT at, status FROM last_seen WHERE domain = $1 AND local = $2`, []any{owner.Domain(), owner.Local()},
		func(r *sql.Rows) error {
			var at int64
			err := r.Scan(&at, &seen.Status)
			seen.At, found = time.UnixMicro(at).UTC(), true
			return err
		})
	if err == nil && !found {
		err = account.ErrNotFound
	}
	return seen, err
}

// orNotFound says that what a row belongs to is not there.
func orNotFound(err error) error {
	if classify(err) == foreign {
		return account.ErrNotFound
	}
	return err
}
