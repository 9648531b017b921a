package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"sallyport/internal/sasl"
	"sallyport/internal/xmpp/jid"
	"sallyport/server/account"
	"sallyport/server/token"
)

var _ token.Store = (*Store)(nil)

// errNobody ends a transaction without effect.
var errNobody = errors.New("no such account")

// AddToken is token.Store. A token remembers a key of the password under which it was given; credentials are written anew
// with every change of an account, so that they cannot be referred to.
func (s *Store) AddToken(ctx context.Context, t token.Token) error {
	domain, local := t.Account.Domain(), t.Account.Local()
	err := s.change(ctx, func(x *tx) error {
		password := []byte{} // an account may have none
		err := x.row(`SELECT stored_key FROM credentials WHERE domain = $1 AND local = $2 AND hash = $3`,
			[]any{domain, local, int64(account.SHA256)}, &password)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		_, err = x.exec(`INSERT INTO tokens (domain, local, id, agent, mechanism, value, issued, expires, password)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
			domain, local, t.ID, t.Agent, t.Mechanism, []byte(t.Value), micros(t.Issued), micros(t.Expires), password)
		if classify(err) == foreign {
			return errNobody
		}
		if err != nil {
			return err
		}
		if _, err := x.exec(`DELETE FROM tokens WHERE domain = $1 AND local = $2 AND (expires <= $3 OR password <> $4)`,
			domain, local, micros(t.Issued), password); err != nil {
			return err
		}
		if _, err := x.exec(`DELETE FROM tokens WHERE domain = $1 AND local = $2 AND agent = $3 AND mechanism = $4 AND id <> $5 AND id <> (
			SELECT id FROM tokens WHERE domain = $1 AND local = $2 AND agent = $3 AND mechanism = $4 ORDER BY issued, id LIMIT 1)`,
			domain, local, t.Agent, t.Mechanism, t.ID); err != nil {
			return err
		}
		_, err = x.exec(`DELETE FROM tokens WHERE domain = $1 AND local = $2 AND id IN (
			SELECT id FROM tokens WHERE domain = $1 AND local = $2 ORDER BY issued DESC, id LIMIT 1000 OFFSET $3)`,
			domain, local, int64(token.MaxOfAccount))
		return err
	})
	if errors.Is(err, errNobody) {
		return nil
	}
	return err
}

// Tokens is token.Store.
func (s *Store) Tokens(ctx context.Context, bare jid.JID, agent, mechanism string, now time.Time) ([]token.Token, error) {
	var list []token.Token
	err := s.read(ctx, `SELECT t.id, t.value, t.issued, t.expires, CASE WHEN t.expires > $5 AND t.password = COALESCE(c.stored_key, $7) THEN 0 ELSE 1 END AS gone
		FROM tokens t LEFT JOIN credentials c ON c.domain = t.domain AND c.local = t.local AND c.hash = $6
		WHERE t.domain = $1 AND t.local = $2 AND t.agent = $3 AND t.mechanism = $4
		ORDER BY gone, t.issued DESC, t.id LIMIT $8`,
		[]any{bare.Domain(), bare.Local(), agent, mechanism, micros(now), int64(account.SHA256), []byte{}, int64(sasl.MaxTokens)},
		func(r *sql.Rows) error {
			t := token.Token{Account: bare, Agent: agent, Mechanism: mechanism}
			var value []byte
			var issued, expires, gone int64
			if err := r.Scan(&t.ID, &value, &issued, &expires, &gone); err != nil {
				return err
			}
			t.Value, t.Issued, t.Expires, t.Over = string(value), moment(issued), moment(expires), gone != 0
			list = append(list, t)
			return nil
		})
	return list, err
}

// VoidTokens is token.Store.
func (s *Store) VoidTokens(ctx context.Context, bare jid.JID, id string, all bool) error {
	return s.change(ctx, func(x *tx) error {
		var agent string
		var issued int64
		err := x.row(`SELECT agent, issued FROM tokens WHERE domain = $1 AND local = $2 AND id = $3`,
			[]any{bare.Domain(), bare.Local(), id}, &agent, &issued)
		switch {
		case errors.Is(err, sql.ErrNoRows): // it is gone already
			return nil
		case err != nil:
			return err
		}
		_, err = x.exec(`DELETE FROM tokens WHERE domain = $1 AND local = $2 AND agent = $3 AND (issued < $4 OR $5 = 1)`,
			bare.Domain(), bare.Local(), agent, issued, number(all))
		return err
	})
}
