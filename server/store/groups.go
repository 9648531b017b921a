package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"sallyport/internal/xmpp/jid"
	"sallyport/server/account"
)

// PutGroup is account.Groups.
func (s *Store) PutGroup(ctx context.Context, g account.Group) error {
	return s.change(ctx, func(t *tx) error {
		put := t.newGroup
		if g.Revision != 0 {
			put = t.sameGroup
		}
		if err := put(g); err != nil {
			return err
		}
		for _, m := range g.Members {
			if _, err := t.exec(`INSERT INTO group_members (domain, name, member) VALUES ($1, $2, $3)`, g.Domain, g.Name, m.String()); err != nil {
				if classify(err) == unique {
					return fmt.Errorf("member %s: %w", m, account.ErrExists)
				}
				return err
			}
		}
		return nil
	})
}

func (t *tx) newGroup(g account.Group) error {
	_, err := t.exec(`INSERT INTO account_groups (domain, name, title, revision) VALUES ($1, $2, $3, 1)`, g.Domain, g.Name, g.Title)
	switch classify(err) {
	case unique:
		return account.ErrExists
	case foreign:
		return fmt.Errorf("domain %s: %w", g.Domain, account.ErrNotFound)
	case other, full, busy, again, broken:
	}
	return err
}

// sameGroup counts up a group that has not changed, and takes its members away.
func (t *tx) sameGroup(g account.Group) error {
	n, err := t.exec(`UPDATE account_groups SET title = $3, revision = revision + 1 WHERE domain = $1 AND name = $2 AND revision = $4`,
		g.Domain, g.Name, g.Title, g.Revision)
	if err != nil {
		return err
	}
	if n == 0 {
		return t.changedOrGone(`SELECT count(*) FROM account_groups WHERE domain = $1 AND name = $2`, g.Domain, g.Name)
	}
	_, err = t.exec(`DELETE FROM group_members WHERE domain = $1 AND name = $2`, g.Domain, g.Name)
	return err
}

// Group is account.Groups.
func (s *Store) Group(ctx context.Context, domain, name string) (account.Group, error) {
	g := account.Group{Domain: domain, Name: name}
	found := false
	err := s.read(ctx, `SELECT g.title, g.revision, m.member
		FROM account_groups g LEFT JOIN group_members m ON m.domain = g.domain AND m.name = g.name
		WHERE g.domain = $1 AND g.name = $2 ORDER BY m.member LIMIT $3`, []any{domain, name, int64(account.MaxMembers)},
		func(r *sql.Rows) error {
			found = true
			var member sql.NullString
			if err := r.Scan(&g.Title, &g.Revision, &member); err != nil || !member.Valid {
				return err
			}
			j, err := jid.Parse(member.String)
			if err != nil {
				return errors.Join(errors.New("a stored member has a bad address"), err)
			}
			g.Members = append(g.Members, j)
			return nil
		})
	if err == nil && !found {
		err = account.ErrNotFound
	}
	if err != nil {
		return account.Group{}, err
	}
	return g, nil
}

// RemoveGroup is account.Groups.
func (s *Store) RemoveGroup(ctx context.Context, domain, name string) error {
	return s.change(ctx, func(t *tx) error {
		n, err := t.exec(`DELETE FROM account_groups WHERE domain = $1 AND name = $2`, domain, name)
		if err == nil && n == 0 {
			err = account.ErrNotFound
		}
		return err
	})
}

// ListGroups is account.Groups.
func (s *Store) ListGroups(ctx context.Context, domain, after string, limit int) ([]account.Group, error) {
	var all []account.Group
	err := s.read(ctx, `SELECT name, title, revision FROM account_groups WHERE domain = $1 AND name > $2 ORDER BY name LIMIT $3`,
		[]any{domain, after, page(limit)}, func(r *sql.Rows) error {
			g := account.Group{Domain: domain}
			err := r.Scan(&g.Name, &g.Title, &g.Revision)
			all = append(all, g)
			return err
		})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// GroupsOf is account.Groups.
func (s *Store) GroupsOf(ctx context.Context, domain string, member jid.JID) ([]string, error) {
	var names []string
	err := s.read(ctx, `SELECT name FROM group_members WHERE domain = $1 AND member = $2 ORDER BY name LIMIT $3`,
		[]any{domain, member.Bare().String(), int64(account.MaxGroups)}, func(r *sql.Rows) error {
			var name string
			err := r.Scan(&name)
			names = append(names, name)
			return err
		})
	if err != nil {
		return nil, err
	}
	return names, nil
}
