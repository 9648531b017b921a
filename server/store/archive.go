package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/server/account"
	"sallyport/server/archive"
	"sallyport/server/hybrid"
)

var _ archive.Store = (*Store)(nil)

// What an append is made of. The update of lockArchive changes nothing and holds the row.
const (
	lockArchive = `INSERT INTO archives (domain, local, last) VALUES ($1, $2, '')
		ON CONFLICT (domain, local) DO UPDATE SET last = archives.last RETURNING last`
	appendEntry   = appendEntries + `($1, $2, $3, $4, $5, $6, $7)`
	appendEntries = `INSERT INTO archive_entries (domain, local, id, with_bare, with_resource, stanza, message_id) VALUES `
	lastOfArchive = `UPDATE archives SET last = $3 WHERE domain = $1 AND local = $2`
)

// AppendArchive is archive.Store.
func (s *Store) AppendArchive(ctx context.Context, now time.Time, node string, entries []archive.Entry) ([]hybrid.ID, error) {
	if len(entries) > archive.MaxAppend {
		return nil, fmt.Errorf("%d entries at once, %d at most", len(entries), archive.MaxAppend)
	}
	ids := make([]hybrid.ID, len(entries))
	err := s.change(ctx, func(t *tx) error {
		last, err := t.lockArchives(entries)
		if err != nil {
			return err
		}
		for i, e := range entries {
			if ids[i], err = hybrid.After(last[e.Owner], now, node); err != nil {
				return err
			}
			last[e.Owner] = ids[i]
		}
		if err := t.insertEntries(s.dialect.rows, entries, ids); err != nil {
			return ofEntry(err)
		}
		for owner, id := range last {
			if _, err := t.exec(lastOfArchive, owner.Domain(), owner.Local(), id.String()); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return ids, nil
}

// insertEntries writes entries under their ids, up to so many rows with one statement: as many as can be halved until one is left, so
// that there are few texts.
func (t *tx) insertEntries(rows int, entries []archive.Entry, ids []hybrid.ID) error {
	for len(entries) > 0 {
		for rows > len(entries) {
			rows /= 2
		}
		var args []any
		for i := range entries[:rows] {
			e := &entries[i]
			args = append(args, e.Owner.Domain(), e.Owner.Local(), ids[i].String(), e.With.Bare().String(), e.With.Resource(), e.Stanza, e.MessageID)
		}
		if _, err := t.exec(insertRows(rows), args...); err != nil {
			return err
		}
		entries, ids = entries[rows:], ids[rows:]
	}
	return nil
}

// insertRows is the text for so many entries.
func insertRows(rows int) string {
	if rows == 1 {
		return appendEntry
	}
	const columns = 7
	var text strings.Builder
	text.WriteString(appendEntries)
	for n := range rows * columns {
		switch {
		case n == 0:
			text.WriteString("(")
		case n%columns == 0:
			text.WriteString("), (")
		default:
			text.WriteString(", ")
		}
		text.WriteString("$" + strconv.Itoa(n+1))
	}
	text.WriteString(")")
	return text.String()
}

// ofEntry says that an entry could not be written and the others could, where that is so.
func ofEntry(err error) error {
	switch classify(err) {
	case other, unique, foreign:
		return fmt.Errorf("%w: %w", archive.ErrEntry, err)
	case full, busy, again, broken:
	}
	return err
}

// lockArchives gives the last id of each archive and keeps others from appending until the end of the transaction. All lock in the
// same order, so that two do not wait for each other.
func (t *tx) lockArchives(entries []archive.Entry) (map[jid.JID]hybrid.ID, error) {
	last := make(map[jid.JID]hybrid.ID)
	var owners []jid.JID
	for _, e := range entries {
		if _, ok := last[e.Owner]; !ok {
			last[e.Owner] = hybrid.ID{}
			owners = append(owners, e.Owner)
		}
	}
	slices.SortFunc(owners, func(a, b jid.JID) int { return strings.Compare(a.String(), b.String()) })
	for _, o := range owners {
		var text string
		err := t.row(lockArchive, []any{o.Domain(), o.Local()}, &text)
		if classify(err) == foreign {
			return nil, fmt.Errorf("domain %s: %w", o.Domain(), account.ErrNotFound)
		}
		if err != nil {
			return nil, err
		}
		if last[o], err = hybrid.Parse(text); err != nil {
			return nil, err
		}
	}
	return last, nil
}

// errEnough ends the reading of a page.
var errEnough = errors.New("the page is full")

// QueryArchive is archive.Store.
func (s *Store) QueryArchive(ctx context.Context, q archive.Query) (archive.Page, error) {
	if !q.After.IsZero() && q.Backward() {
		return archive.Page{}, fmt.Errorf("%w: a page cannot be behind one entry and before another", archive.ErrQuery)
	}
	for _, id := range []hybrid.ID{q.After, q.Before} {
		if err := s.mustHave(ctx, q.Owner, id); err != nil {
			return archive.Page{}, err
		}
	}
	limit := min(max(q.Max, 0), archive.MaxPage)
	text, args := archiveQuery(&q, limit+1) // one more tells whether the page is the last
	var page archive.Page
	size, complete := 0, true
	err := s.read(ctx, text, args, func(r *sql.Rows) error {
		if len(page.Entries) == limit || size > archive.MaxPageBytes {
			complete = false
			return errEnough
		}
		e, err := entryOf(r, q.Owner)
		size += len(e.Stanza)
		page.Entries = append(page.Entries, e)
		return err
	})
	if err != nil && !errors.Is(err, errEnough) {
		return archive.Page{}, err
	}
	if q.Backward() {
		slices.Reverse(page.Entries)
	}
	page.Complete = complete
	return page, nil
}

// mustHave wants an id that a page is asked from to be in the archive.
func (s *Store) mustHave(ctx context.Context, owner jid.JID, id hybrid.ID) error {
	if id.IsZero() {
		return nil
	}
	found := false
	err := s.read(ctx, `SELECT 1 FROM archive_entries WHERE domain = $1 AND local = $2 AND id = $3`,
		[]any{owner.Domain(), owner.Local(), id.String()}, func(*sql.Rows) error {
			found = true
			return nil
		})
	if err == nil && !found {
		err = fmt.Errorf("entry %s: %w", id, account.ErrNotFound)
	}
	return err
}

const entryColumns = `id, with_bare, with_resource, stanza, message_id`

// archiveQuery writes the statement: a few dozen texts in all, so that they can stay prepared.
func archiveQuery(q *archive.Query, limit int) (string, []any) {
	args := []any{q.Owner.Domain(), q.Owner.Local()}
	text := `SELECT ` + entryColumns + ` FROM archive_entries WHERE domain = $1 AND local = $2`
	where := func(condition string, value any) {
		args = append(args, value)
		text += fmt.Sprintf(" AND %s $%d", condition, len(args))
	}
	if !q.With.IsZero() {
		where("with_bare =", q.With.Bare().String())
	}
	if q.With.Resource() != "" {
		where("with_resource =", q.With.Resource())
	}
	if !q.Start.IsZero() {
		// Ids have whole milliseconds: what was kept in the one that start lies in may be of it.
		where("id >=", hybrid.First(q.Start))
	}
	if !q.End.IsZero() {
		where("id <", hybrid.First(q.End.Add(time.Millisecond))) // the end is inclusive (XEP-0313 §4.1.2)
	}
	for _, id := range []hybrid.ID{q.AfterID, q.After} {
		if !id.IsZero() {
			where("id >", id.String())
		}
	}
	for _, id := range []hybrid.ID{q.BeforeID, q.Before} {
		if !id.IsZero() {
			where("id <", id.String())
		}
	}
	order := "ASC"
	if q.Backward() {
		order = "DESC"
	}
	args = append(args, int64(limit))
	return text + fmt.Sprintf(" ORDER BY id %s LIMIT $%d", order, len(args)), args
}

func entryOf(r *sql.Rows, owner jid.JID) (archive.Entry, error) {
	e := archive.Entry{Owner: owner}
	var id, bare, resource string
	if err := r.Scan(&id, &bare, &resource, &e.Stanza, &e.MessageID); err != nil {
		return e, err
	}
	var err1, err2 error
	e.ID, err1 = hybrid.Parse(id)
	if bare != "" {
		if e.With, err2 = jid.Parse(bare); err2 == nil && resource != "" {
			e.With, err2 = e.With.WithResource(resource)
		}
	}
	if err := errors.Join(err1, err2); err != nil {
		return e, fmt.Errorf("a stored entry: %w", err)
	}
	return e, nil
}

// EntriesByID is archive.Store.
func (s *Store) EntriesByID(ctx context.Context, owner jid.JID, ids []hybrid.ID) ([]archive.Entry, error) {
	if len(ids) > archive.MaxPage {
		return nil, fmt.Errorf("%w: %d entries by their ids, %d at most", archive.ErrQuery, len(ids), archive.MaxPage)
	}
	ids = slices.SortedFunc(slices.Values(ids), hybrid.ID.Compare)
	var all []archive.Entry
	size := 0
	for _, id := range slices.Compact(ids) {
		if size > archive.MaxPageBytes {
			return nil, fmt.Errorf("%w: %d entries by their ids", archive.ErrTooMuch, len(ids))
		}
		before := len(all)
		err := s.read(ctx, `SELECT `+entryColumns+` FROM archive_entries WHERE domain = $1 AND local = $2 AND id = $3`,
			[]any{owner.Domain(), owner.Local(), id.String()}, func(r *sql.Rows) error {
				e, err := entryOf(r, owner)
				size += len(e.Stanza)
				all = append(all, e)
				return err
			})
		if err == nil && len(all) == before {
			err = fmt.Errorf("entry %s: %w", id, account.ErrNotFound)
		}
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// FindMessage is archive.Store.
func (s *Store) FindMessage(ctx context.Context, owner, with jid.JID, messageID string) (archive.Entry, error) {
	var found archive.Entry
	err := s.read(ctx, `SELECT `+entryColumns+` FROM archive_entries
		WHERE domain = $1 AND local = $2 AND with_bare = $3 AND message_id = $4 ORDER BY id DESC LIMIT 1`,
		[]any{owner.Domain(), owner.Local(), with.Bare().String(), messageID}, func(r *sql.Rows) (err error) {
			found, err = entryOf(r, owner)
			return err
		})
	if err == nil && found.ID.IsZero() {
		err = fmt.Errorf("a message of that id: %w", account.ErrNotFound)
	}
	return found, err
}

// ReplaceEntry is archive.Store.
func (s *Store) ReplaceEntry(ctx context.Context, owner jid.JID, id hybrid.ID, stanza []byte) error {
	return s.change(ctx, func(t *tx) error {
		n, err := t.exec(`UPDATE archive_entries SET stanza = $4 WHERE domain = $1 AND local = $2 AND id = $3`,
			owner.Domain(), owner.Local(), id.String(), stanza)
		if err == nil && n == 0 {
			err = fmt.Errorf("entry %s: %w", id, account.ErrNotFound)
		}
		return err
	})
}

// ArchiveEnds is archive.Store.
func (s *Store) ArchiveEnds(ctx context.Context, owner jid.JID) (first, last hybrid.ID, err error) {
	var a, b sql.NullString
	err = s.read(ctx, `SELECT (SELECT min(id) FROM archive_entries WHERE domain = $1 AND local = $2),
			(SELECT max(id) FROM archive_entries WHERE domain = $1 AND local = $2)`,
		[]any{owner.Domain(), owner.Local()}, func(r *sql.Rows) error { return r.Scan(&a, &b) })
	if err != nil {
		return first, last, err
	}
	first, err1 := hybrid.Parse(a.String)
	last, err2 := hybrid.Parse(b.String)
	return first, last, errors.Join(err1, err2)
}

// PruneArchive is archive.Store.
func (s *Store) PruneArchive(ctx context.Context, domain string, before time.Time, limit int) (n int64, err error) {
	err = s.change(ctx, func(t *tx) error {
		n, err = t.exec(`DELETE FROM archive_entries WHERE domain = $1 AND (local, id) IN
			(SELECT local, id FROM archive_entries WHERE domain = $1 AND id < $2 ORDER BY id LIMIT $3)`,
			domain, hybrid.First(before), int64(max(limit, 0)))
		return err
	})
	return n, err
}
