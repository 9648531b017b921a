package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"sallyport/internal/xmpp/jid"
	"sallyport/server/account"
	"sallyport/server/archive"
	"sallyport/server/hybrid"
	"sallyport/server/store"
)

func millis(n int) time.Time { return time.UnixMilli(int64(n)).UTC() }

// matching is what a query means, entry by entry.
func matching(q archive.Query, all []archive.Entry) []archive.Entry {
	var out []archive.Entry
	for _, e := range all {
		after := func(id hybrid.ID) bool { return id.IsZero() || e.ID.Compare(id) > 0 }
		before := func(id hybrid.ID) bool { return id.IsZero() || e.ID.Compare(id) < 0 }
		if e.Owner == q.Owner && (q.With.IsZero() || e.With == q.With || e.With.Bare() == q.With) &&
			(q.Start.IsZero() || !e.ID.Time().Before(q.Start)) && (q.End.IsZero() || !e.ID.Time().After(q.End)) &&
			after(q.After) && after(q.AfterID) && before(q.Before) && before(q.BeforeID) {
			out = append(out, e)
		}
	}
	return out
}

// TestArchiveIsTheModel asks archives anything and holds the answers against a plain list.
func TestArchiveIsTheModel(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p place) {
		s, _ := withOwner(t, p)
		owners := []jid.JID{jid.MustParse("juliet@a.example"), jid.MustParse("romeo@a.example")}
		withs := []jid.JID{jid.MustParse("x@b.example/1"), jid.MustParse("x@b.example/2"), jid.MustParse("y@b.example")}
		var all []archive.Entry
		rapid.Check(t, func(t *rapid.T) {
			var batch []archive.Entry
			for i := range rapid.IntRange(1, 3).Draw(t, "entries") {
				batch = append(batch, archive.Entry{
					Owner: rapid.SampledFrom(owners).Draw(t, "owner"), With: rapid.SampledFrom(withs).Draw(t, "with"),
					Stanza: fmt.Appendf(nil, "<message id='%d-%d'/>", len(all), i), MessageID: fmt.Sprint(i),
				})
			}
			ids, err := s.AppendArchive(t.Context(), millis(len(all)/2), "n1", batch)
			if err != nil {
				t.Fatal(err)
			}
			for i := range batch {
				batch[i].ID = ids[i]
			}
			all = append(all, batch...)
			pick := func(what string) hybrid.ID {
				if rapid.Bool().Draw(t, what) {
					return rapid.SampledFrom(all).Draw(t, what+" which").ID
				}
				return hybrid.ID{}
			}
			q := archive.Query{
				Owner: rapid.SampledFrom(owners).Draw(t, "of"), Max: rapid.IntRange(0, 6).Draw(t, "max"),
				With:    rapid.SampledFrom(append([]jid.JID{{}, withs[0].Bare()}, withs...)).Draw(t, "only with"),
				AfterID: pick("after id"), BeforeID: pick("before id"), Last: rapid.Bool().Draw(t, "last"),
			}
			if rapid.Bool().Draw(t, "has start") {
				q.Start = millis(rapid.IntRange(1, len(all)).Draw(t, "start"))
			}
			if rapid.Bool().Draw(t, "has end") {
				q.End = millis(rapid.IntRange(1, len(all)).Draw(t, "end"))
			}
			if q.Last {
				q.Before = pick("before")
			} else {
				q.After = pick("after")
			}
			ask(t, s, q, all)
		})
	})
}

func ask(t *rapid.T, s *store.Store, q archive.Query, all []archive.Entry) {
	got, err := s.QueryArchive(t.Context(), q)
	for _, id := range []hybrid.ID{q.After, q.Before} {
		if !id.IsZero() && !slices.ContainsFunc(all, func(e archive.Entry) bool { return e.ID == id && e.Owner == q.Owner }) {
			if !errors.Is(err, account.ErrNotFound) {
				t.Fatalf("a page from an entry that is not there: %v", err)
			}
			return
		}
	}
	want := matching(q, all)
	slices.SortFunc(want, func(a, b archive.Entry) int { return a.ID.Compare(b.ID) })
	complete := len(want) <= q.Max
	if !complete && q.Backward() {
		want = want[len(want)-q.Max:]
	} else if !complete {
		want = want[:q.Max]
	}
	if len(want) == 0 {
		want = nil
	}
	if d := cmp.Diff(archive.Page{Entries: want, Complete: complete}, got, same, sameID); err != nil || d != "" {
		t.Fatalf("%+v: %v\n%s", q, err, d)
	}
}

func TestArchive(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p place) {
		ctx := t.Context()
		s, juliet := withOwner(t, p)
		if _, err := s.AppendArchive(ctx, millis(1), "n1", []archive.Entry{{Owner: jid.MustParse("x@other.example")}}); !errors.Is(err, account.ErrNotFound) {
			t.Errorf("an archive without its domain: %v", err)
		}
		if first, last, err := s.ArchiveEnds(ctx, juliet); err != nil || !first.IsZero() || !last.IsZero() {
			t.Errorf("an empty archive ends with %s and %s, %v", first, last, err)
		}
		big := make([]byte, archive.MaxPageBytes)
		entry := archive.Entry{Owner: juliet, With: jid.MustParse("x@b.example"), Stanza: big}
		ids, err := s.AppendArchive(ctx, millis(10), "n1", []archive.Entry{entry, entry, entry})
		if err != nil {
			t.Fatal(err)
		}
		page, err := s.QueryArchive(ctx, archive.Query{Owner: juliet, Max: 10})
		if err != nil || len(page.Entries) != 2 || page.Complete {
			t.Errorf("a page of large entries has %d, complete %t, %v", len(page.Entries), page.Complete, err)
		}
		if _, err := s.QueryArchive(ctx, archive.Query{Owner: juliet, Max: 10, After: ids[0], Last: true}); !errors.Is(err, archive.ErrQuery) {
			t.Errorf("forward and backward: %v", err)
		}
		later, err := s.AppendArchive(ctx, millis(5), "n2", []archive.Entry{entry}) // a clock that is behind
		if err != nil || later[0].Compare(ids[2]) <= 0 {
			t.Errorf("%s came after %s, %v", later, ids[2], err)
		}
		if first, last, err := s.ArchiveEnds(ctx, juliet); err != nil || first != ids[0] || last != later[0] {
			t.Errorf("the archive ends with %s and %s, %v", first, last, err)
		}
		for _, tt := range []struct {
			before time.Time
			n      int64
		}{{millis(10), 0}, {millis(11), 3}, {millis(11), 1}, {millis(11), 0}} {
			if n, err := s.PruneArchive(ctx, "a.example", tt.before, 3); err != nil || n != tt.n {
				t.Errorf("%d entries before %v were forgotten, want %d, %v", n, tt.before, tt.n, err)
			}
		}
		if again, err := s.AppendArchive(ctx, millis(1), "n1", []archive.Entry{entry}); err != nil || again[0].Compare(later[0]) <= 0 {
			t.Errorf("an id was given again: %s after %s, %v", again, later, err)
		}
		if err := s.RemoveAccount(ctx, juliet); err != nil {
			t.Fatal(err)
		}
		if page, err := s.QueryArchive(ctx, archive.Query{Owner: juliet, Max: 1}); err != nil || len(page.Entries) > 0 {
			t.Errorf("left of a removed account are %d entries, %v", len(page.Entries), err)
		}
	})
}

// Whoever reads up to the last id while others append misses nothing: ids become visible in their order.
func TestArchiveGrowsAtItsEnd(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p place) {
		const writers, each = 4, 10
		s, juliet := withOwner(t, p)
		romeo := jid.MustParse("romeo@a.example")
		var wg sync.WaitGroup
		errs := make([]error, writers)
		for n := range writers {
			wg.Go(func() {
				for range each {
					e := []archive.Entry{{Owner: juliet, Stanza: []byte("x")}, {Owner: romeo, Stanza: []byte("y")}}
					if n%2 == 1 {
						slices.Reverse(e)
					}
					_, err := s.AppendArchive(t.Context(), millis(n), fmt.Sprint("n", n), e)
					errs[n] = errors.Join(errs[n], err)
				}
			})
		}
		done := make(chan struct{})
		go func() { wg.Wait(); close(done) }()
		var seen int
		q := archive.Query{Owner: juliet, Max: 5}
		for last := false; ; {
			page, err := s.QueryArchive(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			if seen += len(page.Entries); len(page.Entries) > 0 {
				q.After = page.Entries[len(page.Entries)-1].ID
				continue
			}
			if last {
				break
			}
			select {
			case <-done:
				last = true // once more for what came meanwhile
			default:
			}
		}
		if err := errors.Join(errs...); err != nil || seen != writers*each {
			t.Errorf("%d of %d entries were seen, %v", seen, writers*each, err)
		}
	})
}

func TestArchivedMessages(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p place) {
		ctx := t.Context()
		s, juliet := withOwner(t, p)
		romeo := jid.MustParse("romeo@b.example")
		entry := func(text, id string) archive.Entry {
			return archive.Entry{Owner: juliet, With: jid.MustParse("romeo@b.example/" + text), Stanza: []byte(text), MessageID: id}
		}
		ids, err := s.AppendArchive(ctx, millis(1), "n1", []archive.Entry{entry("first", "a"), entry("second", "a"), entry("third", "b")})
		if err != nil {
			t.Fatal(err)
		}
		if e, err := s.FindMessage(ctx, juliet, romeo, "a"); err != nil || e.ID != ids[1] || e.MessageID != "a" || string(e.Stanza) != "second" {
			t.Errorf("found %+v, %v", e, err)
		}
		for _, with := range []string{"romeo@b.example", "other@b.example"} {
			if _, err := s.FindMessage(ctx, juliet, jid.MustParse(with), with); !errors.Is(err, account.ErrNotFound) {
				t.Errorf("a message that is not there: %v", err)
			}
		}
		if err := s.ReplaceEntry(ctx, juliet, ids[1], []byte("gone")); err != nil {
			t.Fatal(err)
		}
		if err := s.ReplaceEntry(ctx, romeo, ids[1], []byte("gone")); !errors.Is(err, account.ErrNotFound) {
			t.Errorf("an entry of somebody else: %v", err)
		}
		all, err := s.EntriesByID(ctx, juliet, []hybrid.ID{ids[2], ids[1], ids[2]})
		if err != nil || len(all) != 2 || string(all[0].Stanza) != "gone" || string(all[1].Stanza) != "third" {
			t.Errorf("by their ids: %+v, %v", all, err)
		}
		if _, err := s.EntriesByID(ctx, romeo, ids[:1]); !errors.Is(err, account.ErrNotFound) {
			t.Errorf("an id of another archive: %v", err)
		}
		if _, err := s.EntriesByID(ctx, juliet, make([]hybrid.ID, archive.MaxPage+1)); !errors.Is(err, archive.ErrQuery) {
			t.Errorf("too many ids: %v", err)
		}
	})
}

// Many at once are kept in their order, all or none.
func TestAppendMany(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p place) {
		s, owner := withOwner(t, p)
		many := make([]archive.Entry, 150)
		for i := range many {
			many[i] = archive.Entry{Owner: owner, With: owner, Stanza: fmt.Appendf(nil, "s%03d", i), MessageID: fmt.Sprintf("m%03d", i)}
		}
		ids, err := s.AppendArchive(t.Context(), moment(1), "n1", many)
		if err != nil {
			t.Fatal(err)
		}
		bad := slices.Clone(many)
		bad[77].MessageID = "\xff\x00" // not text for PostgreSQL
		bad[78].Stanza = nil
		if _, err := s.AppendArchive(t.Context(), moment(2), "n1", bad); !errors.Is(err, archive.ErrEntry) {
			t.Errorf("with one that cannot be kept: %v", err)
		}
		page, err := s.QueryArchive(t.Context(), archive.Query{Owner: owner, Max: archive.MaxPage})
		if err != nil || len(page.Entries) != len(many) {
			t.Fatalf("%d are kept, %v", len(page.Entries), err)
		}
		for i, e := range page.Entries {
			if e.ID != ids[i] || !bytes.Equal(e.Stanza, many[i].Stanza) || e.MessageID != many[i].MessageID {
				t.Errorf("%d. is %s, %s, %s", i, e.ID, e.MessageID, e.Stanza)
			}
		}
	})
}
