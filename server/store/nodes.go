package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/server/account"
	"sallyport/server/hybrid"
	"sallyport/server/pep"
)

var _ pep.Store = (*Store)(nil)

// PutNode is pep.Store.
func (s *Store) PutNode(ctx context.Context, owner jid.JID, n pep.Node, create bool) error {
	options, err := json.Marshal(n.Options)
	if err != nil {
		return err
	}
	return s.change(ctx, func(t *tx) error {
		if !create {
			changed, err := t.exec(`UPDATE nodes SET options_json = $4 WHERE domain = $1 AND local = $2 AND name = $3`,
				owner.Domain(), owner.Local(), n.Name, string(options))
			if err == nil && changed == 0 {
				err = account.ErrNotFound
			}
			if err == nil {
				err = t.trimNode([]any{owner.Domain(), owner.Local(), n.Name}, n.Options.MaxItems)
			}
			return err
		}
		_, err := t.exec(`INSERT INTO nodes (domain, local, name, options_json) VALUES ($1, $2, $3, $4)`,
			owner.Domain(), owner.Local(), n.Name, string(options))
		switch classify(err) {
		case unique:
			return account.ErrExists
		case foreign:
			return account.ErrNotFound
		case other, full, busy, again, broken:
		}
		if err != nil {
			return err
		}
		var count int
		if err := t.row(`SELECT count(*) FROM nodes WHERE domain = $1 AND local = $2`, []any{owner.Domain(), owner.Local()}, &count); err != nil {
			return err
		}
		if count > pep.MaxNodes {
			return pep.ErrNodes
		}
		return nil
	})
}

// Nodes is pep.Store.
func (s *Store) Nodes(ctx context.Context, owner jid.JID) ([]pep.Node, error) {
	var all []pep.Node
	err := s.read(ctx, `SELECT name, options_json FROM nodes WHERE domain = $1 AND local = $2 ORDER BY name LIMIT $3`,
		[]any{owner.Domain(), owner.Local(), int64(pep.MaxNodes)}, func(r *sql.Rows) error {
			var n pep.Node
			var options string
			if err := r.Scan(&n.Name, &options); err != nil {
				return err
			}
			if err := json.Unmarshal([]byte(options), &n.Options); err != nil {
				return fmt.Errorf("a stored node: %w", err)
			}
			all = append(all, n)
			return nil
		})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// RemoveNode is pep.Store.
func (s *Store) RemoveNode(ctx context.Context, owner jid.JID, name string) error {
	return s.change(ctx, func(t *tx) error {
		n, err := t.exec(`DELETE FROM nodes WHERE domain = $1 AND local = $2 AND name = $3`, owner.Domain(), owner.Local(), name)
		if err == nil && n == 0 {
			err = account.ErrNotFound
		}
		return err
	})
}

// PublishItem is pep.Store.
func (s *Store) PublishItem(ctx context.Context, owner jid.JID, node string, i pep.Item, most int, now time.Time, host string) error {
	return s.change(ctx, func(t *tx) error {
		key := []any{owner.Domain(), owner.Local(), node}
		// The update changes nothing and holds the row, so that versions of one node are given in their order.
		n, err := t.exec(`UPDATE nodes SET name = name WHERE domain = $1 AND local = $2 AND name = $3`, key...)
		if err == nil && n == 0 {
			err = account.ErrNotFound
		}
		if err != nil {
			return err
		}
		version, err := t.nextVersion(key, now, host)
		if err != nil {
			return err
		}
		if _, err := t.exec(`INSERT INTO node_items (domain, local, node, item, version, publisher, payload, label) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
			ON CONFLICT (domain, local, node, item) DO UPDATE SET version = excluded.version, publisher = excluded.publisher, payload = excluded.payload,
				label = excluded.label`,
			append(key, i.ID, version.String(), i.Publisher.String(), append([]byte{}, i.Payload...), i.Label)...); err != nil {
			return err
		}
		if err := t.trimNode(key, most); err != nil {
			return err
		}
		var size int64
		if err := t.row(`SELECT CAST(coalesce(sum(length(payload) + length(label)), 0) AS BIGINT) FROM node_items WHERE domain = $1 AND local = $2`, key[:2], &size); err != nil {
			return err
		}
		if size > pep.MaxBytes {
			return pep.ErrBytes
		}
		return nil
	})
}

// trimNode forgets the oldest items of a node beyond most.
func (t *tx) trimNode(key []any, most int) error {
	_, err := t.exec(`DELETE FROM node_items WHERE domain = $1 AND local = $2 AND node = $3 AND item NOT IN
		(SELECT item FROM node_items WHERE domain = $1 AND local = $2 AND node = $3 ORDER BY version DESC LIMIT $4)`,
		append(key, int64(most))...)
	return err
}

func (t *tx) nextVersion(key []any, now time.Time, host string) (hybrid.ID, error) {
	var last sql.NullString
	if err := t.row(`SELECT max(version) FROM node_items WHERE domain = $1 AND local = $2 AND node = $3`, key, &last); err != nil {
		return hybrid.ID{}, err
	}
	before, err := hybrid.Parse(last.String)
	if err != nil {
		return hybrid.ID{}, err
	}
	return hybrid.After(before, now, host)
}

const itemOfNode = `item, version, publisher, payload, label`

// NodeItems is pep.Store.
func (s *Store) NodeItems(ctx context.Context, owner jid.JID, node string, limit int) ([]pep.Item, error) {
	return s.nodeItems(ctx, `SELECT `+itemOfNode+` FROM node_items WHERE domain = $1 AND local = $2 AND node = $3 ORDER BY version DESC LIMIT $4`,
		owner.Domain(), owner.Local(), node, int64(min(max(limit, 0), pep.MaxItems)))
}

// NodeItem is pep.Store.
func (s *Store) NodeItem(ctx context.Context, owner jid.JID, node, id string) (pep.Item, error) {
	list, err := s.nodeItems(ctx, `SELECT `+itemOfNode+` FROM node_items WHERE domain = $1 AND local = $2 AND node = $3 AND item = $4`,
		owner.Domain(), owner.Local(), node, id)
	if err == nil && len(list) == 0 {
		err = account.ErrNotFound
	}
	if err != nil {
		return pep.Item{}, err
	}
	return list[0], nil
}

func (s *Store) nodeItems(ctx context.Context, query string, args ...any) ([]pep.Item, error) {
	var list []pep.Item
	err := s.read(ctx, query, args, func(r *sql.Rows) error {
		var i pep.Item
		var version, publisher string
		if err := r.Scan(&i.ID, &version, &publisher, &i.Payload, &i.Label); err != nil {
			return err
		}
		var err1, err2 error
		i.Version, err1 = hybrid.Parse(version)
		i.Publisher, err2 = jid.Parse(publisher)
		if err := errors.Join(err1, err2); err != nil {
			return fmt.Errorf("a stored item: %w", err)
		}
		list = append(list, i)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// RetractItem is pep.Store.
func (s *Store) RetractItem(ctx context.Context, owner jid.JID, node, id string) error {
	return s.change(ctx, func(t *tx) error {
		n, err := t.exec(`DELETE FROM node_items WHERE domain = $1 AND local = $2 AND node = $3 AND item = $4`, owner.Domain(), owner.Local(), node, id)
		if err == nil && n == 0 {
			err = account.ErrNotFound
		}
		return err
	})
}

// PurgeNode is pep.Store.
func (s *Store) PurgeNode(ctx context.Context, owner jid.JID, node string) error {
	return s.change(ctx, func(t *tx) error {
		_, err := t.exec(`DELETE FROM node_items WHERE domain = $1 AND local = $2 AND node = $3`, owner.Domain(), owner.Local(), node)
		return err
	})
}
