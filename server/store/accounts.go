package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/server/account"
)

// CreateAccount is account.Accounts.
func (s *Store) CreateAccount(ctx context.Context, a account.Account) error {
	return s.change(ctx, func(t *tx) error {
		_, err := t.exec(`INSERT INTO accounts (domain, local, state, clearance, catalogue, created, changed, revision)
			VALUES ($1, $2, $3, $4, $5, $6, $7, 1)`,
			a.JID.Domain(), a.JID.Local(), int64(a.State), a.Clearance, a.Catalogue, micros(a.Created), micros(a.Changed))
		switch classify(err) {
		case unique:
			return account.ErrExists
		case foreign:
			return fmt.Errorf("domain %s: %w", a.JID.Domain(), account.ErrNotFound)
		case other, full, busy, again, broken:
		}
		if err != nil {
			return err
		}
		return t.putCredentials(a)
	})
}

// ReplaceAccount is account.Accounts.
func (s *Store) ReplaceAccount(ctx context.Context, a account.Account) error {
	return s.change(ctx, func(t *tx) error {
		n, err := t.exec(`UPDATE accounts SET state = $3, clearance = $4, catalogue = $5, changed = $6, revision = revision + 1
			WHERE domain = $1 AND local = $2 AND revision = $7`,
			a.JID.Domain(), a.JID.Local(), int64(a.State), a.Clearance, a.Catalogue, micros(a.Changed), a.Revision)
		if err != nil {
			return err
		}
		if n == 0 {
			return t.changedOrGone(`SELECT count(*) FROM accounts WHERE domain = $1 AND local = $2`, a.JID.Domain(), a.JID.Local())
		}
		if _, err := t.exec(`DELETE FROM credentials WHERE domain = $1 AND local = $2`, a.JID.Domain(), a.JID.Local()); err != nil {
			return err
		}
		return t.putCredentials(a)
	})
}

// changedOrGone says why a row with a certain revision was not there; query counts those with any.
func (t *tx) changedOrGone(query string, key ...any) error {
	var n int
	switch err := t.row(query, key, &n); {
	case err != nil:
		return err
	case n == 0:
		return account.ErrNotFound
	}
	return account.ErrChanged
}

func (t *tx) putCredentials(a account.Account) error {
	for _, c := range a.Credentials {
		if _, err := t.exec(`INSERT INTO credentials (domain, local, hash, iterations, salt, stored_key, server_key)
			VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			a.JID.Domain(), a.JID.Local(), int64(c.Hash), int64(c.Iterations), c.Salt, c.StoredKey, c.ServerKey); err != nil {
			return err
		}
	}
	return nil
}

// RemoveAccount is account.Accounts.
func (s *Store) RemoveAccount(ctx context.Context, bare jid.JID) error {
	return s.change(ctx, func(t *tx) error {
		n, err := t.exec(`DELETE FROM accounts WHERE domain = $1 AND local = $2`, bare.Domain(), bare.Local())
		if err == nil && n == 0 {
			return account.ErrNotFound
		}
		if err != nil {
			return err
		}
		// Groups that lose a member count as changed, or a change that was begun before would bring it back.
		if _, err := t.exec(`UPDATE account_groups SET revision = revision + 1 WHERE domain = $1
			AND name IN (SELECT name FROM group_members WHERE domain = $1 AND member = $2)`, bare.Domain(), bare.String()); err != nil {
			return err
		}
		if _, err := t.exec(`DELETE FROM group_members WHERE domain = $1 AND member = $2`, bare.Domain(), bare.String()); err != nil {
			return err
		}
		if _, err := t.exec(`DELETE FROM invites WHERE domain = $1 AND inviter = $2`, bare.Domain(), bare.String()); err != nil {
			return err
		}
		_, err = t.exec(`DELETE FROM archives WHERE domain = $1 AND local = $2`, bare.Domain(), bare.Local())
		return err
	})
}

// Account is account.Accounts.
func (s *Store) Account(ctx context.Context, bare jid.JID) (account.Account, error) {
	a := account.Account{JID: bare}
	found := false
	err := s.read(ctx, `SELECT a.state, a.clearance, a.catalogue, a.created, a.changed, a.revision,
			c.hash, c.iterations, c.salt, c.stored_key, c.server_key
		FROM accounts a LEFT JOIN credentials c ON c.domain = a.domain AND c.local = a.local
		WHERE a.domain = $1 AND a.local = $2 ORDER BY c.hash DESC`, []any{bare.Domain(), bare.Local()},
		func(r *sql.Rows) error {
			found = true
			var state, created, changed int64
			var hash, iterations sql.NullInt64
			var c account.Credential
			if err := r.Scan(&state, &a.Clearance, &a.Catalogue, &created, &changed, &a.Revision,
				&hash, &iterations, &c.Salt, &c.StoredKey, &c.ServerKey); err != nil {
				return err
			}
			a.State, a.Created, a.Changed = stateOf(state), moment(created), moment(changed)
			if hash.Valid {
				c.Hash, c.Iterations = account.Hash(hash.Int64), int(iterations.Int64)
				a.Credentials = append(a.Credentials, c)
			}
			return nil
		})
	if err == nil && !found {
		err = account.ErrNotFound
	}
	if err != nil {
		return account.Account{}, err
	}
	return a, nil
}

// ListAccounts is account.Accounts.
func (s *Store) ListAccounts(ctx context.Context, domain, after string, limit int) ([]account.Account, error) {
	var all []account.Account
	err := s.read(ctx, `SELECT local, state, clearance, catalogue, created, changed, revision FROM accounts
		WHERE domain = $1 AND local > $2 ORDER BY local LIMIT $3`, []any{domain, after, page(limit)},
		func(r *sql.Rows) error {
			var a account.Account
			var local string
			var state, created, changed int64
			err := r.Scan(&local, &state, &a.Clearance, &a.Catalogue, &created, &changed, &a.Revision)
			if err != nil {
				return err
			}
			if a.JID, err = jid.New(local, domain, ""); err != nil {
				return errors.Join(errors.New("a stored account has a bad name"), err)
			}
			a.State, a.Created, a.Changed = stateOf(state), moment(created), moment(changed)
			all = append(all, a)
			return nil
		})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// page bounds what is asked for at once.
func page(limit int) int64 { return int64(min(max(limit, 0), account.MaxPage)) }

// stateOf reads a stored state; one that we do not know may not log in.
func stateOf(n int64) account.State {
	if n == int64(account.Enabled) {
		return account.Enabled
	}
	return account.Disabled
}

// micros is how a time is stored.
func micros(t time.Time) int64 { return t.UnixMicro() }

// moment is the inverse of micros.
func moment(n int64) time.Time { return time.UnixMicro(n).UTC() }
