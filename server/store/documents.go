package store

import (
	"context"
	"database/sql"
	"errors"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/server/account"
	"sallyport/server/mam"
	"sallyport/server/private"
	"sallyport/server/vcard"
)

var (
	_ mam.Store     = (*Store)(nil)
	_ private.Store = (*Store)(nil)
	_ vcard.Store   = (*Store)(nil)
)

// The kinds of documents: what belongs to an account, is read whole, and has one meaning to one package.
const (
	kindArchive = "archive" // preferences
	kindPrivate = "private" // by the expanded name, as {namespace}local
	kindVCard   = "vcard"
)

// document gives one; account.ErrNotFound.
func (s *Store) document(ctx context.Context, owner jid.JID, kind, name string) (content []byte, err error) {
	found := false
	err = s.read(ctx, `SELECT content FROM documents WHERE domain = $1 AND local = $2 AND kind = $3 AND name = $4`,
		[]any{owner.Domain(), owner.Local(), kind, name}, func(r *sql.Rows) error {
			found = true
			return r.Scan(&content)
		})
	if err == nil && !found {
		err = account.ErrNotFound
	}
	return content, err
}

// putDocument replaces one, or makes it where there are not as many as most already; then full is returned.
func (s *Store) putDocument(ctx context.Context, owner jid.JID, kind, name string, content []byte, most int, full error) error {
	return s.change(ctx, func(t *tx) error {
		if _, err := t.exec(`INSERT INTO documents (domain, local, kind, name, content) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (domain, local, kind, name) DO UPDATE SET content = excluded.content`,
			owner.Domain(), owner.Local(), kind, name, content); err != nil {
			return orNotFound(err)
		}
		var n int
		if err := t.row(`SELECT count(*) FROM documents WHERE domain = $1 AND local = $2 AND kind = $3`,
			[]any{owner.Domain(), owner.Local(), kind}, &n); err != nil {
			return err
		}
		if n > most {
			return full
		}
		return nil
	})
}

// ArchivePrefs is mam.Store.
func (s *Store) ArchivePrefs(ctx context.Context, owner jid.JID) ([]byte, error) {
	content, err := s.document(ctx, owner, kindArchive, "")
	if errors.Is(err, account.ErrNotFound) {
		return nil, nil
	}
	return content, err
}

// PutArchivePrefs is mam.Store.
func (s *Store) PutArchivePrefs(ctx context.Context, owner jid.JID, prefs []byte) error {
	return s.putDocument(ctx, owner, kindArchive, "", prefs, 1, nil)
}

// PutPrivate is private.Store.
func (s *Store) PutPrivate(ctx context.Context, owner jid.JID, name xmlstream.Name, content []byte) error {
	return s.putDocument(ctx, owner, kindPrivate, expanded(name), content, private.MaxElements, private.ErrFull)
}

// Private is private.Store.
func (s *Store) Private(ctx context.Context, owner jid.JID, name xmlstream.Name) ([]byte, error) {
	return s.document(ctx, owner, kindPrivate, expanded(name))
}

func expanded(n xmlstream.Name) string { return "{" + n.Space + "}" + n.Local }

// PutVCard is vcard.Store.
func (s *Store) PutVCard(ctx context.Context, owner jid.JID, content []byte) error {
	return s.putDocument(ctx, owner, kindVCard, "", content, 1, nil)
}

// VCard is vcard.Store.
func (s *Store) VCard(ctx context.Context, owner jid.JID) ([]byte, error) {
	return s.document(ctx, owner, kindVCard, "")
}
