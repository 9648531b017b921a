package store

import (
	"context"
	"database/sql"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/server/account"
	"sallyport/server/offline"
)

var _ offline.Store = (*Store)(nil)

// PutOffline is offline.Store. Ids follow the clock, so that one that was dropped does not come again.
func (s *Store) PutOffline(ctx context.Context, owner jid.JID, at time.Time, stanzas ...[]byte) (ids []uint64, err error) {
	err = s.change(ctx, func(t *tx) error {
		ids = make([]uint64, len(stanzas)) // it may be done again
		// Who puts into the same account waits here.
		n, err := t.exec(`UPDATE accounts SET revision = revision WHERE domain = $1 AND local = $2`, owner.Domain(), owner.Local())
		if err != nil {
			return err
		}
		if n == 0 {
			return account.ErrNotFound
		}
		var count, bytes, last int64
		if err := t.row(`SELECT count(*), coalesce(sum(length(stanza)), 0), coalesce(max(id), 0) FROM offline_messages
			WHERE domain = $1 AND local = $2`, []any{owner.Domain(), owner.Local()}, &count, &bytes, &last); err != nil {
			return err
		}
		for i, stanza := range stanzas {
			if count >= offline.MaxMessages || bytes+int64(len(stanza)) > offline.MaxBytes {
				continue
			}
			last = max(last+1, at.UnixMilli())
			if _, err := t.exec(`INSERT INTO offline_messages (domain, local, id, at, stanza) VALUES ($1, $2, $3, $4, $5)`,
				owner.Domain(), owner.Local(), last, at.UnixMicro(), stanza); err != nil {
				return err
			}
			count, bytes, ids[i] = count+1, bytes+int64(len(stanza)), uint64(last)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return ids, nil
}

// OfflineAfter is offline.Store.
func (s *Store) OfflineAfter(ctx context.Context, owner jid.JID, after uint64) (page []offline.Entry, err error) {
	err = s.read(ctx, `SELECT id, at, stanza FROM offline_messages WHERE domain = $1 AND local = $2 AND id > $3 ORDER BY id LIMIT $4`,
		[]any{owner.Domain(), owner.Local(), int64(after), int64(offline.MaxPage)}, func(r *sql.Rows) error {
			var e offline.Entry
			var id, at int64
			if err := r.Scan(&id, &at, &e.Stanza); err != nil {
				return err
			}
			e.ID, e.At = uint64(id), time.UnixMicro(at).UTC()
			page = append(page, e)
			return nil
		})
	return page, err
}

// DropOffline is offline.Store.
func (s *Store) DropOffline(ctx context.Context, owner jid.JID, ids []uint64) error {
	return s.change(ctx, func(t *tx) error {
		for _, id := range ids {
			if _, err := t.exec(`DELETE FROM offline_messages WHERE domain = $1 AND local = $2 AND id = $3`,
				owner.Domain(), owner.Local(), int64(id)); err != nil {
				return err
			}
		}
		return nil
	})
}

// CountOffline is offline.Store.
func (s *Store) CountOffline(ctx context.Context, owner jid.JID) (n int, err error) {
	err = s.read(ctx, `SELECT count(*) FROM offline_messages WHERE domain = $1 AND local = $2`, []any{owner.Domain(), owner.Local()},
		func(r *sql.Rows) error { return r.Scan(&n) })
	return n, err
}
