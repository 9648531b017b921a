package store

import (
	"context"
	"database/sql"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/server/upload"
)

var _ upload.Store = (*Store)(nil)

// PutSlot is upload.Store.
func (s *Store) PutSlot(ctx context.Context, slot upload.Slot, quota int64) error {
	return s.change(ctx, func(t *tx) error {
		// The update changes nothing and holds the row, so that two requests do not both fit into what is left.
		if _, err := t.exec(`UPDATE accounts SET revision = revision WHERE domain = $1 AND local = $2`, slot.Owner.Domain(), slot.Owner.Local()); err != nil {
			return err
		}
		if _, err := t.exec(`INSERT INTO uploads (domain, slot, owner, name, type, size, expires, stored) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			slot.Domain, slot.ID, slot.Owner.String(), slot.Name, slot.Type, slot.Size, slot.Expires.UnixMicro(), number(slot.Stored)); err != nil {
			return orNotFound(err)
		}
		var used int64
		if err := t.row(`SELECT CAST(coalesce(sum(size), 0) AS BIGINT) FROM uploads WHERE domain = $1 AND owner = $2`,
			[]any{slot.Domain, slot.Owner.String()}, &used); err != nil {
			return err
		}
		if used > quota {
			return upload.ErrQuota
		}
		return nil
	})
}

const slotColumns = `domain, slot, owner, name, type, size, expires, stored`

// Slot is upload.Store.
func (s *Store) Slot(ctx context.Context, domain, id string, now time.Time) (upload.Slot, error) {
	list, err := s.slots(ctx, `SELECT `+slotColumns+` FROM uploads WHERE domain = $1 AND slot = $2 AND expires > $3`, domain, id, now.UnixMicro())
	if err == nil && len(list) == 0 {
		err = upload.ErrSlot
	}
	if err != nil {
		return upload.Slot{}, err
	}
	return list[0], nil
}

func (s *Store) slots(ctx context.Context, query string, args ...any) ([]upload.Slot, error) {
	var list []upload.Slot
	err := s.read(ctx, query, args, func(r *sql.Rows) error {
		var u upload.Slot
		var owner string
		var expires, stored int64
		if err := r.Scan(&u.Domain, &u.ID, &owner, &u.Name, &u.Type, &u.Size, &expires, &stored); err != nil {
			return err
		}
		u.Expires, u.Stored = time.UnixMicro(expires).UTC(), stored != 0
		var err error
		u.Owner, err = jid.Parse(owner)
		list = append(list, u)
		return err
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// MarkStored is upload.Store.
func (s *Store) MarkStored(ctx context.Context, domain, id string, expires time.Time) error {
	return s.change(ctx, func(t *tx) error {
		n, err := t.exec(`UPDATE uploads SET stored = 1, expires = $3 WHERE domain = $1 AND slot = $2 AND stored = 0`, domain, id, expires.UnixMicro())
		if err == nil && n == 0 {
			err = upload.ErrSlot
		}
		return err
	})
}

// ExpiredSlots is upload.Store.
func (s *Store) ExpiredSlots(ctx context.Context, now time.Time, limit int) ([]upload.Slot, error) {
	return s.slots(ctx, `SELECT `+slotColumns+` FROM uploads WHERE expires <= $1 ORDER BY expires LIMIT $2`, now.UnixMicro(), int64(max(limit, 0)))
}

// RemoveSlot is upload.Store.
func (s *Store) RemoveSlot(ctx context.Context, domain, id string) error {
	return s.change(ctx, func(t *tx) error {
		_, err := t.exec(`DELETE FROM uploads WHERE domain = $1 AND slot = $2`, domain, id)
		return err
	})
}
