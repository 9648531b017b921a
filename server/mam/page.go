package mam

import (
	"context"
	"slices"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/rsm"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/tree"
	"sallyport/server"
	"sallyport/server/archive"
	"sallyport/server/hybrid"
)

// maxRounds bounds how often the store is asked for one page because of entries that the reader may not read.
const maxRounds = 8

// entry is one that its reader may read.
type entry struct {
	id      hybrid.ID
	message stanza.Stanza
	size    int // bytes
}

// page is an answer, oldest first.
type page struct {
	rsm.Page
	visible  []entry
	complete bool
}

func (f *feature) page(ctx context.Context, r *request, reader jid.JID) (page, error) {
	if err := f.mustHave(ctx, r); err != nil {
		return page{}, err
	}
	if len(r.ids) > 0 {
		entries, err := f.Archive.EntriesByID(ctx, r.Owner, r.ids)
		p := page{visible: f.readable(entries, reader), complete: true}
		p.Count = len(p.visible)
		p.ends()
		return p, err
	}
	p := page{Page: rsm.Page{Index: rsm.Unknown, Count: rsm.Unknown}}
	q := r.Query
	if !q.Backward() && q.After.IsZero() {
		p.Index = 0
	}
	size := 0
	for round := 1; ; round++ {
		got, err := f.Archive.QueryArchive(ctx, q)
		if err != nil {
			return page{}, err
		}
		more := f.readable(got.Entries, reader)
		for _, e := range more {
			size += e.size
		}
		if q.Backward() {
			p.visible = append(more, p.visible...)
		} else {
			p.visible = append(p.visible, more...)
		}
		p.complete = got.Complete
		p.ends()
		if got.Complete && r.After.IsZero() && r.Before.IsZero() { // it has all that there is
			p.Index, p.Count = 0, len(p.visible)
		}
		// A page of large messages is short: it is said at once, and a client is given up that has too much to read (see c2s), so that
		// somebody who sends those would keep others from their archives.
		if got.Complete || len(p.visible) >= r.Max || len(got.Entries) == 0 || size > archive.MaxPageBytes {
			return p, nil
		}
		edge := p.move(&q, got.Entries)
		q.Max = r.Max - len(p.visible)
		if round == maxRounds {
			if q.Backward() {
				p.First = edge
			} else {
				p.Last = edge
			}
			p.whole(edge)
			return p, nil
		}
	}
}

// count tells how many entries there are in all that match and that the reader may read, where that takes no more than maxRounds questions
// to the store; else nobody knows: a count of what he may not read would tell of it.
func (f *feature) count(ctx context.Context, q archive.Query, reader jid.JID) (int, error) {
	q.After, q.Before, q.Last, q.Max = hybrid.ID{}, hybrid.ID{}, false, archive.MaxPage
	n := 0
	for range maxRounds {
		got, err := f.Archive.QueryArchive(ctx, q)
		if err != nil {
			return 0, err
		}
		n += len(f.readable(got.Entries, reader))
		if got.Complete {
			return n, nil
		}
		q.After = got.Entries[len(got.Entries)-1].ID
	}
	return rsm.Unknown, nil
}

// move lets a query go on behind what it has given.
func (p *page) move(q *archive.Query, got []archive.Entry) string {
	if q.Backward() {
		q.Before, q.Last = got[0].ID, false
		return q.Before.String()
	}
	q.After = got[len(got)-1].ID
	return q.After.String()
}

// ends takes first and last from what is visible.
func (p *page) ends() {
	if n := len(p.visible); n > 0 {
		p.First, p.Last = p.visible[0].id.String(), p.visible[n-1].id.String()
	}
}

// whole gives an empty page both ends.
func (p *page) whole(edge string) {
	if p.First == "" {
		p.First = edge
	}
	if p.Last == "" {
		p.Last = edge
	}
}

// mustHave wants the ids of filters to be in the archive (§4.1.3), as the store wants those of pages.
func (f *feature) mustHave(ctx context.Context, r *request) error {
	var ids []hybrid.ID
	for _, id := range []hybrid.ID{r.AfterID, r.BeforeID} {
		if !id.IsZero() {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	_, err := f.Archive.EntriesByID(ctx, r.Owner, ids)
	return err
}

// readable are the entries whose label the reader may read today. What cannot be read at all is nobody's.
func (f *feature) readable(entries []archive.Entry, reader jid.JID) []entry {
	list := make([]entry, 0, len(entries))
	for _, e := range entries {
		if m, err := read(e); err == nil && f.Gate.MayRead(m, reader) {
			list = append(list, entry{e.ID, m, len(e.Stanza)})
		}
	}
	return slices.Clip(list)
}

// metadata tells the ends of the archive (§5), as far as the reader may read them.
func (f *feature) metadata(ctx context.Context, q *server.Request) server.Answer {
	if q.Set {
		return refused(stanza.BadRequest)
	}
	first, err := f.page(ctx, &request{Query: archive.Query{Owner: q.Account, Max: 1}}, q.From)
	if err != nil {
		return refused(stanza.InternalServerError)
	}
	last, err := f.page(ctx, &request{Query: archive.Query{Owner: q.Account, Max: 1, Last: true}}, q.From)
	if err != nil {
		return refused(stanza.InternalServerError)
	}
	if len(first.visible) == 0 || len(last.visible) == 0 {
		return server.Answer{Payload: tree.New(Space, "metadata")}
	}
	end := func(name string, id hybrid.ID) tree.Part {
		return tree.With(tree.New(Space, name, tree.Attr("id", id.String()), tree.Attr("timestamp", stamp(id.Time()))))
	}
	return server.Answer{Payload: tree.New(Space, "metadata", end("start", first.visible[0].id), end("end", last.visible[len(last.visible)-1].id))}
}
