package store_test

import (
	"errors"
	"slices"
	"testing"

	"sallyport/internal/xmpp/jid"
	"sallyport/server/account"
	"sallyport/server/offline"
)

// Messages come back in their order, page by page, until they are dropped.
func TestOfflineMessages(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p place) {
		s, owner := withOwner(t, p)
		ctx := t.Context()
		if _, err := s.PutOffline(ctx, jid.MustParse("nobody@a.example"), moment(1), []byte("<message/>")); !errors.Is(err, account.ErrNotFound) {
			t.Errorf("for nobody: %v", err)
		}
		var ids []uint64
		for i := range offline.MaxPage + 2 {
			id, err := s.PutOffline(ctx, owner, millis(5-i%3), []byte{'<', byte('a' + i%26), '>'})
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, id...)
		}
		if !slices.IsSorted(ids) || len(slices.Compact(slices.Clone(ids))) != len(ids) {
			t.Fatalf("ids out of order: %v", ids)
		}
		page, err := s.OfflineAfter(ctx, owner, 0)
		if err != nil || len(page) != offline.MaxPage || page[1].ID != ids[1] || string(page[1].Stanza) != "<b>" || !page[1].At.Equal(millis(4)) {
			t.Fatalf("%d entries, %v, the second is %+v", len(page), err, page[1])
		}
		rest, err := s.OfflineAfter(ctx, owner, page[len(page)-1].ID)
		if err != nil || len(rest) != 2 {
			t.Fatalf("%d entries, %v", len(rest), err)
		}
		if err := s.DropOffline(ctx, owner, append(ids[1:], 1<<40)); err != nil {
			t.Fatal(err)
		}
		if page, err := s.OfflineAfter(ctx, owner, 0); err != nil || len(page) != 1 || page[0].ID != ids[0] {
			t.Fatalf("%+v, %v", page, err)
		}
		if n, err := s.CountOffline(ctx, owner); err != nil || n != 1 {
			t.Errorf("%d, %v", n, err)
		}
		if page, err := s.OfflineAfter(ctx, jid.MustParse("romeo@a.example"), 0); err != nil || len(page) != 0 {
			t.Errorf("somebody else's: %+v, %v", page, err)
		}
	})
}

// One account cannot fill the disk, neither by number nor by size.
func TestOfflineMessagesAreBounded(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p place) {
		s, owner := withOwner(t, p)
		large := make([]byte, offline.MaxBytes/4)
		for range 4 {
			if _, err := s.PutOffline(t.Context(), owner, moment(1), large); err != nil {
				t.Fatal(err)
			}
		}
		if ids, err := s.PutOffline(t.Context(), owner, moment(1), []byte("<message/>")); err != nil || len(ids) != 1 || ids[0] != 0 {
			t.Errorf("too many bytes: %v, %v", ids, err)
		}
	})
}

// What is kept together is kept in its order, and what there is no room for does not keep out the rest.
func TestOfflineMessagesTogether(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p place) {
		s, owner := withOwner(t, p)
		half, more := make([]byte, offline.MaxBytes/2), make([]byte, offline.MaxBytes/2+1)
		ids, err := s.PutOffline(t.Context(), owner, moment(1), []byte("<a/>"), half, more, []byte("<b/>"))
		if err != nil || len(ids) != 4 || ids[0] == 0 || ids[1] != ids[0]+1 || ids[2] != 0 || ids[3] != ids[1]+1 {
			t.Fatalf("%v, %v", ids, err)
		}
		page, err := s.OfflineAfter(t.Context(), owner, 0)
		if err != nil || len(page) != 3 || page[2].ID != ids[3] || string(page[0].Stanza) != "<a/>" || string(page[2].Stanza) != "<b/>" {
			t.Fatalf("%d entries, %v", len(page), err)
		}
		many := make([][]byte, offline.MaxMessages)
		for i := range many {
			many[i] = []byte("<c/>")
		}
		ids, err = s.PutOffline(t.Context(), owner, moment(2), many...)
		if err != nil || ids[len(ids)-4] == 0 || ids[len(ids)-3] != 0 || ids[len(ids)-1] != 0 {
			t.Errorf("too many messages: %v, %v", ids[len(ids)-4:], err)
		}
		if n, err := s.CountOffline(t.Context(), owner); err != nil || n != offline.MaxMessages {
			t.Errorf("%d wait, %v", n, err)
		}
		if ids, err := s.PutOffline(t.Context(), jid.MustParse("nobody@a.example"), moment(1), half, half); !errors.Is(err, account.ErrNotFound) || ids != nil {
			t.Errorf("for nobody: %v, %v", ids, err)
		}
	})
}
