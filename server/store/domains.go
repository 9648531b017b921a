package store

import (
	"context"
	"database/sql"

	"sallyport/server/account"
)

// EnsureDomain is account.Domains.
func (s *Store) EnsureDomain(ctx context.Context, d account.Domain) (account.Domain, error) {
	err := s.change(ctx, func(t *tx) error {
		_, err := t.exec(`INSERT INTO domains (domain, created, decoy) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
			d.Name, micros(d.Created), d.Decoy)
		return err
	})
	if err != nil {
		return account.Domain{}, err
	}
	return s.Domain(ctx, d.Name)
}

// Domain is account.Domains.
func (s *Store) Domain(ctx context.Context, name string) (account.Domain, error) {
	all, err := s.domains(ctx, `SELECT domain, created, decoy FROM domains WHERE domain = $1`, name)
	if err == nil && len(all) == 0 {
		err = account.ErrNotFound
	}
	if err != nil {
		return account.Domain{}, err
	}
	return all[0], nil
}

// ListDomains is account.Domains.
func (s *Store) ListDomains(ctx context.Context, after string) ([]account.Domain, error) {
	return s.domains(ctx, `SELECT domain, created, decoy FROM domains WHERE domain > $1 ORDER BY domain LIMIT $2`, after, int64(account.MaxPage))
}

func (s *Store) domains(ctx context.Context, query string, args ...any) ([]account.Domain, error) {
	var all []account.Domain
	err := s.read(ctx, query, args, func(r *sql.Rows) error {
		var d account.Domain
		var created int64
		err := r.Scan(&d.Name, &created, &d.Decoy)
		d.Created = moment(created)
		all = append(all, d)
		return err
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// RemoveDomain is account.Domains.
func (s *Store) RemoveDomain(ctx context.Context, name string) error {
	return s.change(ctx, func(t *tx) error {
		n, err := t.exec(`DELETE FROM domains WHERE domain = $1`, name)
		if err == nil && n == 0 {
			err = account.ErrNotFound
		}
		return err
	})
}

// CountAccounts is account.Domains.
func (s *Store) CountAccounts(ctx context.Context, domain string) (accounts, groups int64, err error) {
	err = s.read(ctx, `SELECT (SELECT count(*) FROM accounts WHERE domain = $1), (SELECT count(*) FROM account_groups WHERE domain = $1)`,
		[]any{domain}, func(r *sql.Rows) error { return r.Scan(&accounts, &groups) })
	return accounts, groups, err
}
