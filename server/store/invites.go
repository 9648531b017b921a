package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/server/invite"
)

var _ invite.Store = (*Store)(nil)

// PutInvite is invite.Store. Invitations that have expired for long are forgotten on the way.
func (s *Store) PutInvite(ctx context.Context, i invite.Invite, most int, now time.Time) error {
	return s.change(ctx, func(t *tx) error {
		if _, err := t.exec(`DELETE FROM invites WHERE domain = $1 AND inviter = $2 AND expires <= $3`, i.Domain, i.Inviter.String(), now.Add(-invite.Grace).UnixMicro()); err != nil {
			return err
		}
		if _, err := t.exec(`INSERT INTO invites (domain, digest, inviter, kind, local, expires, used) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			i.Domain, i.Digest, i.Inviter.String(), int64(i.For), i.Local, i.Expires.UnixMicro(), int64(i.Used)); err != nil {
			return orNotFound(err)
		}
		var n int
		if err := t.row(`SELECT count(*) FROM invites WHERE domain = $1 AND inviter = $2 AND expires > $3`, []any{i.Domain, i.Inviter.String(), now.UnixMicro()}, &n); err != nil {
			return err
		}
		if n > most {
			return invite.ErrFull
		}
		return nil
	})
}

// UseInvite is invite.Store.
func (s *Store) UseInvite(ctx context.Context, domain, digest string, p invite.Purpose, now time.Time, look bool) (i invite.Invite, err error) {
	err = s.change(ctx, func(t *tx) error {
		if !look {
			n, err := t.exec(`UPDATE invites SET used = used | $3 WHERE domain = $1 AND digest = $2 AND used & $3 = 0 AND kind & $3 = $3 AND expires > $4`,
				domain, digest, int64(p), now.UnixMicro())
			if err == nil && n == 0 {
				err = invite.ErrToken
			}
			if err != nil {
				return err
			}
		}
		i, err = t.invite(domain, digest)
		if look && err == nil && (i.Used&p != 0 || i.For&p != p || !i.Expires.After(now)) {
			err = invite.ErrToken
		}
		return err
	})
	if err != nil {
		return invite.Invite{}, err
	}
	return i, nil
}

func (t *tx) invite(domain, digest string) (invite.Invite, error) {
	i := invite.Invite{Domain: domain, Digest: digest}
	var inviter string
	var kind, expires, used int64
	err := t.row(`SELECT inviter, kind, local, expires, used FROM invites WHERE domain = $1 AND digest = $2`, []any{domain, digest},
		&inviter, &kind, &i.Local, &expires, &used)
	if errors.Is(err, sql.ErrNoRows) {
		return i, invite.ErrToken
	}
	if err != nil {
		return i, err
	}
	i.For, i.Used, i.Expires = invite.Purpose(kind), invite.Purpose(used), time.UnixMicro(expires).UTC()
	i.Inviter, err = jid.Parse(inviter)
	return i, err
}

// InviteNamed is invite.Store.
func (s *Store) InviteNamed(ctx context.Context, domain, local string, now time.Time) (bool, error) {
	named := false
	err := s.read(ctx, `SELECT 1 FROM invites WHERE domain = $1 AND local = $2 AND kind & $3 = $3 AND used & $3 = 0 AND expires > $4 LIMIT 1`,
		[]any{domain, local, int64(invite.Account), now.UnixMicro()}, func(*sql.Rows) error {
			named = true
			return nil
		})
	return named, err
}
