package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"sallyport/internal/xmpp/jid"
	"sallyport/server/push"
)

var _ push.Store = (*Store)(nil)

// pushOptions is what push_services.options holds, as JSON.
type pushOptions struct {
	Client  string `json:"client"`
	Options []byte `json:"options,omitempty"`
}

// PutPush is push.Store.
func (s *Store) PutPush(ctx context.Context, owner jid.JID, r push.Registration) error {
	options, err := json.Marshal(pushOptions{r.Client, r.Options})
	if err != nil {
		return err
	}
	return s.change(ctx, func(t *tx) error {
		if _, err := t.exec(`INSERT INTO push_services (domain, local, service, node, options) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (domain, local, service, node) DO UPDATE SET options = excluded.options`,
			owner.Domain(), owner.Local(), r.Service.String(), r.Node, options); err != nil {
			return orNotFound(err)
		}
		var n int
		if err := t.row(`SELECT count(*) FROM push_services WHERE domain = $1 AND local = $2`, []any{owner.Domain(), owner.Local()}, &n); err != nil {
			return err
		}
		if n > push.MaxServices {
			return push.ErrFull
		}
		return nil
	})
}

// RemovePush is push.Store.
func (s *Store) RemovePush(ctx context.Context, owner, service jid.JID, node string) error {
	return s.change(ctx, func(t *tx) error {
		_, err := t.exec(`DELETE FROM push_services WHERE domain = $1 AND local = $2 AND service = $3 AND ($4 = '' OR node = $4)`,
			owner.Domain(), owner.Local(), service.String(), node)
		return err
	})
}

// Pushes is push.Store.
func (s *Store) Pushes(ctx context.Context, owner jid.JID) ([]push.Registration, error) {
	var list []push.Registration
	err := s.read(ctx, `SELECT service, node, options FROM push_services WHERE domain = $1 AND local = $2 ORDER BY service, node LIMIT $3`,
		[]any{owner.Domain(), owner.Local(), int64(push.MaxServices)}, func(r *sql.Rows) error {
			var one push.Registration
			var service string
			var text []byte
			if err := r.Scan(&service, &one.Node, &text); err != nil {
				return err
			}
			var o pushOptions
			err := json.Unmarshal(text, &o)
			if err == nil {
				one.Service, err = jid.Parse(service)
			}
			if err != nil {
				return fmt.Errorf("a stored push service: %w", err)
			}
			one.Client, one.Options = o.Client, o.Options
			list = append(list, one)
			return nil
		})
	if err != nil {
		return nil, err
	}
	return list, nil
}
