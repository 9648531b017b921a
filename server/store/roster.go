package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"sallyport/internal/xmpp/jid"
	"sallyport/server/account"
	"sallyport/server/hybrid"
	"sallyport/server/roster"
)

var _ roster.Store = (*Store)(nil)

// What roster_items.flags holds.
const (
	flagAsk = 1 << iota
	flagApproved
	flagHidden
)

const itemColumns = `contact, version, removed, name, groups_json, subscription, flags, request`

// Roster is roster.Store.
func (s *Store) Roster(ctx context.Context, owner jid.JID) ([]roster.Item, hybrid.ID, error) {
	// The version comes with each row, so that both are of one moment.
	var version string
	items, err := s.items(ctx, `SELECT r.version, i.contact, i.version, i.removed, i.name, i.groups_json, i.subscription, i.flags, i.request
		FROM rosters r LEFT JOIN roster_items i ON i.domain = r.domain AND i.local = r.local AND i.removed = 0
		WHERE r.domain = $1 AND r.local = $2 ORDER BY i.contact LIMIT $3`, &version, owner.Domain(), owner.Local(), int64(roster.MaxItems))
	if err != nil {
		return nil, hybrid.ID{}, err
	}
	id, err := hybrid.Parse(version)
	return items, id, err
}

// RosterSince is roster.Store.
func (s *Store) RosterSince(ctx context.Context, owner jid.JID, version hybrid.ID) (changes []roster.Item, whole bool, err error) {
	var forgotten, last string
	err = s.read(ctx, `SELECT forgotten, version FROM rosters WHERE domain = $1 AND local = $2`, []any{owner.Domain(), owner.Local()},
		func(r *sql.Rows) error { return r.Scan(&forgotten, &last) })
	if err != nil {
		return nil, false, err
	}
	// A version that was never given is no version: one behind the last came from another roster or a backup.
	if at := version.String(); at < forgotten || at > last || at == "" && last != "" {
		return nil, true, nil
	}
	var ignored string
	changes, err = s.items(ctx, `SELECT '', `+itemColumns+` FROM roster_items
		WHERE domain = $1 AND local = $2 AND version > $3 ORDER BY version LIMIT $4`,
		&ignored, owner.Domain(), owner.Local(), version.String(), int64(roster.MaxItems+roster.MaxRemoved))
	return changes, false, err
}

// PutItem is roster.Store.
func (s *Store) PutItem(ctx context.Context, owner jid.JID, before hybrid.ID, i roster.Item) error {
	groups, err := json.Marshal(i.Groups)
	if err != nil {
		return err
	}
	return s.change(ctx, func(t *tx) error {
		if err := t.newVersion(owner, before, i.Version); err != nil {
			return err
		}
		_, err := t.exec(`INSERT INTO roster_items (domain, local, `+itemColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
			ON CONFLICT (domain, local, contact) DO UPDATE SET version = excluded.version, removed = excluded.removed, name = excluded.name,
				groups_json = excluded.groups_json, subscription = excluded.subscription, flags = excluded.flags, request = excluded.request`,
			owner.Domain(), owner.Local(), i.Contact.String(), i.Version.String(), number(i.Removed), i.Name, string(groups),
			int64(i.Subscription), flagsOf(i), append([]byte{}, i.Request...))
		if err != nil {
			return err
		}
		return t.bounded(owner, i.Removed)
	})
}

// newVersion moves a roster from one version to the next.
func (t *tx) newVersion(owner jid.JID, before, now hybrid.ID) error {
	if before.IsZero() {
		_, err := t.exec(`INSERT INTO rosters (domain, local, version, forgotten) VALUES ($1, $2, $3, '')`, owner.Domain(), owner.Local(), now.String())
		switch classify(err) {
		case unique:
			return account.ErrChanged
		case foreign:
			return account.ErrNotFound
		case other, full, busy, again, broken:
		}
		return err
	}
	n, err := t.exec(`UPDATE rosters SET version = $3 WHERE domain = $1 AND local = $2 AND version = $4`,
		owner.Domain(), owner.Local(), now.String(), before.String())
	if err == nil && n == 0 {
		return t.changedOrGone(`SELECT count(*) FROM accounts WHERE domain = $1 AND local = $2`, owner.Domain(), owner.Local())
	}
	return err
}

// bounded refuses one contact too many, and forgets removals that are too many.
func (t *tx) bounded(owner jid.JID, removed bool) error {
	var n int
	if err := t.row(`SELECT count(*) FROM roster_items WHERE domain = $1 AND local = $2 AND removed = $3`,
		[]any{owner.Domain(), owner.Local(), number(removed)}, &n); err != nil {
		return err
	}
	if !removed && n > roster.MaxItems {
		return fmt.Errorf("%w: it has %d contacts", roster.ErrFull, roster.MaxItems)
	}
	if !removed || n <= roster.MaxRemoved {
		return nil
	}
	if _, err := t.exec(`UPDATE rosters SET forgotten = (SELECT min(version) FROM roster_items WHERE domain = $1 AND local = $2 AND removed = 1)
		WHERE domain = $1 AND local = $2`, owner.Domain(), owner.Local()); err != nil {
		return err
	}
	_, err := t.exec(`DELETE FROM roster_items WHERE domain = $1 AND local = $2 AND removed = 1
		AND version = (SELECT forgotten FROM rosters WHERE domain = $1 AND local = $2)`, owner.Domain(), owner.Local())
	return err
}

// items reads rows of a text and an item; there may be no item in a row.
func (s *Store) items(ctx context.Context, query string, text *string, args ...any) ([]roster.Item, error) {
	var all []roster.Item
	err := s.read(ctx, query, args, func(r *sql.Rows) error {
		var i roster.Item
		var contact, version, name, groups sql.NullString
		var removed, subscription, flags sql.NullInt64
		if err := r.Scan(text, &contact, &version, &removed, &name, &groups, &subscription, &flags, &i.Request); err != nil || !contact.Valid {
			return err
		}
		var err1, err2 error
		i.Contact, err1 = jid.Parse(contact.String)
		i.Version, err2 = hybrid.Parse(version.String)
		if err := errors.Join(err1, err2, json.Unmarshal([]byte(groups.String), &i.Groups)); err != nil {
			return fmt.Errorf("a stored contact: %w", err)
		}
		i.Name, i.Removed, i.Subscription = name.String, removed.Int64 != 0, roster.Subscription(subscription.Int64)
		i.Ask, i.Approved, i.Hidden = flags.Int64&flagAsk != 0, flags.Int64&flagApproved != 0, flags.Int64&flagHidden != 0
		if len(i.Request) == 0 {
			i.Request = nil
		}
		all = append(all, i)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

func flagsOf(i roster.Item) int64 {
	return number(i.Ask)*flagAsk + number(i.Approved)*flagApproved + number(i.Hidden)*flagHidden
}

func number(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// Contact gives one item of a roster, hidden ones too; ok is false where there is none.
func (s *Store) Contact(ctx context.Context, owner, contact jid.JID) (item roster.Item, ok bool, err error) {
	var ignored string
	list, err := s.items(ctx, `SELECT '', `+itemColumns+` FROM roster_items WHERE domain = $1 AND local = $2 AND contact = $3 AND removed = 0`,
		&ignored, owner.Domain(), owner.Local(), contact.Bare().String())
	if err != nil || len(list) == 0 {
		return roster.Item{}, false, err
	}
	return list[0], true, nil
}
