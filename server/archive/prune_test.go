package archive_test

import (
	"errors"
	"testing"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/server/archive"
	"sallyport/server/servertest"
)

func TestPrune(t *testing.T) {
	t.Parallel()
	s := servertest.Store(t, "a@a.example", "b@b.example", "c@c.example")
	at := func(second int) time.Time { return time.Unix(int64(second), 0) }
	for _, owner := range []string{"a@a.example", "b@b.example", "c@c.example"} {
		entries := make([]archive.Entry, 600)
		for i := range entries {
			entries[i] = archive.Entry{Owner: jid.MustParse(owner), Stanza: []byte("<m/>")}
		}
		for second := range 3 {
			if _, err := s.AppendArchive(t.Context(), at(second+1), "n1", entries); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n, err := archive.Prune(t.Context(), s, []string{"a.example", "b.example", "none.example"}, at(3)); err != nil || n != 2400 {
		t.Errorf("%d are forgotten, %v", n, err)
	}
	for owner, want := range map[string]time.Time{"a@a.example": at(3), "b@b.example": at(3), "c@c.example": at(1)} {
		if first, _, err := s.ArchiveEnds(t.Context(), jid.MustParse(owner)); err != nil || !first.Time().Equal(want) {
			t.Errorf("the archive of %s begins %v, %v", owner, first.Time(), err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := archive.Prune(t.Context(), s, []string{"a.example"}, at(9)); err == nil || errors.Is(err, archive.ErrQuery) {
		t.Errorf("a store that is closed: %v", err)
	}
}
